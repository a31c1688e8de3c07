"""Who may do what in Snowflake, as data; infra renders it, and no grant exists outside of it.

Access roles hold privileges and nothing else. Functional roles, one for each job, hold access roles
and nothing else. Service users and people hold functional roles, and every functional role rolls up
to SYSADMIN. A new job is one entry in FUNCTIONAL_ROLES.
Why it has this shape: platform/docs/decisions/access-model.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from olist_platform.naming import GOVERNANCE_SCHEMA, Layer, Workload


class ObjectType(StrEnum):
    """Kinds of objects in a schema, as SHOW GRANTS prints them."""

    TABLE = "TABLE"
    VIEW = "VIEW"
    STAGE = "STAGE"
    FILE_FORMAT = "FILE FORMAT"
    PIPE = "PIPE"

    @property
    def plural(self) -> str:
        """The word of grants on all, or on future, objects."""
        return f"{self.value}S"


@dataclass(frozen=True, slots=True)
class DatabasePrivileges:
    """Privileges on the environment's database."""

    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaPrivileges:
    """Privileges on a schema itself."""

    schema: str
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectPrivileges:
    """Privileges on every object of a type in a schema: those there are, and those to come."""

    schema: str
    object_type: ObjectType
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarehousePrivileges:
    """Privileges on the warehouse of a workload."""

    workload: Workload
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnowflakeDatabaseRole:
    """A role of Snowflake's own database SNOWFLAKE, which opens views of ACCOUNT_USAGE."""

    name: str


InDatabase = DatabasePrivileges | SchemaPrivileges | ObjectPrivileges
InAccount = WarehousePrivileges | SnowflakeDatabaseRole


@dataclass(frozen=True, slots=True)
class DatabaseAccessRole:
    """Privileges within the environment's database; a database role, so it goes where that goes."""

    name: str
    grants: tuple[InDatabase, ...]


@dataclass(frozen=True, slots=True)
class AccountAccessRole:
    """Privileges on objects of the account, which no database role can hold.

    One without grants is a mark that policies ask for.
    """

    name: str
    grants: tuple[InAccount, ...]


AccessRole = DatabaseAccessRole | AccountAccessRole


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The program that holds a functional role, and where its sessions start.

    Attributes:
        warehouse: Workload of its default warehouse.
        schema: Schema of its default namespace, or None for the database alone.
    """

    warehouse: Workload
    schema: str | None


@dataclass(frozen=True, slots=True)
class FunctionalRole:
    """A job.

    Attributes:
        name: Lower case; Snowflake's name of it comes from the naming module.
        purpose: Who has the job; the role's comment.
        holds: Its access roles.
        service: Its program, or None where only people hold it, by single sign-on.
    """

    name: str
    purpose: str
    holds: tuple[AccessRole, ...]
    service: ServiceUser | None = None


_USE_DATABASE = DatabasePrivileges(("USAGE",))


def _schema_role(name: str, schema: str, *grants: InDatabase) -> DatabaseAccessRole:
    return DatabaseAccessRole(name, (_USE_DATABASE, SchemaPrivileges(schema, ("USAGE",)), *grants))


def reads(layer: Layer) -> DatabaseAccessRole:
    """Select from everything of a layer."""
    return _schema_role(
        f"{layer}__read",
        layer,
        ObjectPrivileges(layer, ObjectType.TABLE, ("SELECT",)),
        ObjectPrivileges(layer, ObjectType.VIEW, ("SELECT",)),
    )


def builds(layer: Layer) -> DatabaseAccessRole:
    """Create tables and views in a layer; who creates one owns it, so nothing more is needed."""
    return DatabaseAccessRole(
        f"{layer}__build",
        (_USE_DATABASE, SchemaPrivileges(layer, ("USAGE", "CREATE TABLE", "CREATE VIEW"))),
    )


def uses(workload: Workload) -> AccountAccessRole:
    """Run statements on a workload's warehouse."""
    return AccountAccessRole(
        f"{workload}_warehouse__use", (WarehousePrivileges(workload, ("USAGE",)),)
    )


def watches(workload: Workload) -> AccountAccessRole:
    """See what runs on a workload's warehouse, and stop or resume it."""
    return AccountAccessRole(
        f"{workload}_warehouse__watch", (WarehousePrivileges(workload, ("MONITOR", "OPERATE")),)
    )


RAW_LOAD = _schema_role(
    "raw__load",
    Layer.RAW,
    ObjectPrivileges(Layer.RAW, ObjectType.TABLE, ("INSERT", "SELECT")),
    ObjectPrivileges(Layer.RAW, ObjectType.STAGE, ("USAGE",)),
    ObjectPrivileges(Layer.RAW, ObjectType.FILE_FORMAT, ("USAGE",)),
)
# A release is built beside what runs, in schemas of its own; others keep what readers had.
RELEASES_BUILD = DatabaseAccessRole(
    "releases__build", (DatabasePrivileges(("USAGE", "CREATE SCHEMA")),)
)
PIPES_OPERATE = _schema_role(
    "pipes__operate",
    Layer.RAW,
    ObjectPrivileges(Layer.RAW, ObjectType.PIPE, ("MONITOR", "OPERATE")),
)
PIPES_WATCH = _schema_role(
    "pipes__watch",
    Layer.RAW,
    ObjectPrivileges(Layer.RAW, ObjectType.PIPE, ("MONITOR",)),
)
OBJECTIONS_EDIT = _schema_role(
    "objections__edit",
    GOVERNANCE_SCHEMA,
    ObjectPrivileges(GOVERNANCE_SCHEMA, ObjectType.TABLE, ("DELETE", "INSERT", "SELECT")),
)
# No privilege: the masking and row access policies ask whether a session has it.
PII_UNMASKED = AccountAccessRole("pii__unmasked", ())
ACCOUNT_USAGE_COSTS = AccountAccessRole(
    "account_usage__costs", (SnowflakeDatabaseRole("USAGE_VIEWER"),)
)
# QUERY_HISTORY is GOVERNANCE_VIEWER's alone, with all that people asked: only for who judges how
# long queries take and what they cost.
ACCOUNT_USAGE_QUERIES = AccountAccessRole(
    "account_usage__queries", (SnowflakeDatabaseRole("GOVERNANCE_VIEWER"),)
)
ACCOUNT_USAGE_AUDIT = AccountAccessRole(
    "account_usage__audit",
    (
        SnowflakeDatabaseRole("GOVERNANCE_VIEWER"),
        SnowflakeDatabaseRole("OBJECT_VIEWER"),
        SnowflakeDatabaseRole("SECURITY_VIEWER"),
    ),
)

# What dbt builds; raw is Snowpipe's.
_BUILT_LAYERS = tuple(layer for layer in Layer if layer is not Layer.RAW)

LOADER = FunctionalRole(
    "loader",
    "Loads landing files again when Snowpipe did not, by hand or by a runbook",
    (RAW_LOAD, PIPES_OPERATE, uses(Workload.LOAD)),
    ServiceUser(Workload.LOAD, Layer.RAW),
)
TRANSFORMER = FunctionalRole(
    "transformer",
    "dbt: reads raw, builds every other layer, publishes the marts; monitoring's questions",
    (
        reads(Layer.RAW),
        *(builds(layer) for layer in _BUILT_LAYERS),
        RELEASES_BUILD,
        # Monitoring models, and the questions of a run, use the readers' warehouse.
        uses(Workload.TRANSFORM),
        uses(Workload.REPORT),
        # A run waits until Snowpipe has loaded what has landed.
        PIPES_WATCH,
        # Distances need true postal codes; what is built carries the columns' tags on.
        PII_UNMASKED,
        # Monitoring and costs ask in its session.
        ACCOUNT_USAGE_COSTS,
        ACCOUNT_USAGE_QUERIES,
    ),
    ServiceUser(Workload.TRANSFORM, None),
)
REPORTER = FunctionalRole(
    "reporter",
    "Dashboards and Power BI: the published marts, masked",
    (reads(Layer.SERVING), uses(Workload.REPORT)),
    ServiceUser(Workload.REPORT, Layer.SERVING),
)
ORCHESTRATOR = FunctionalRole(
    "orchestrator",
    "Airflow's own checks: monitoring models, pipes and credits, to alert on",
    (
        reads(Layer.MONITORING),
        PIPES_WATCH,
        uses(Workload.REPORT),
        ACCOUNT_USAGE_COSTS,
    ),
    ServiceUser(Workload.REPORT, Layer.MONITORING),
)
DATA_ENGINEER = FunctionalRole(
    "data_engineer",
    "People who mend the platform: every layer masked, pipes and warehouses",
    (
        *(reads(layer) for layer in Layer),
        PIPES_OPERATE,
        *(uses(workload) for workload in Workload),
        *(watches(workload) for workload in Workload),
        ACCOUNT_USAGE_COSTS,
    ),
)
ANALYST = FunctionalRole(
    "analyst",
    "People who ask the published marts and the history of people, sellers and products, masked",
    (reads(Layer.SERVING), reads(Layer.SNAPSHOTS), uses(Workload.REPORT)),
)
PII_READER = FunctionalRole(
    "pii_reader",
    "The privacy officer: sees personal data unmasked, and records who objected to that",
    (
        reads(Layer.RAW),
        reads(Layer.SERVING),
        reads(Layer.SNAPSHOTS),
        OBJECTIONS_EDIT,
        uses(Workload.REPORT),
        PII_UNMASKED,
    ),
)
AUDITOR = FunctionalRole(
    "auditor",
    "People who check who had and used which access, and what it cost; no data",
    (ACCOUNT_USAGE_AUDIT, ACCOUNT_USAGE_COSTS, uses(Workload.REPORT)),
)

FUNCTIONAL_ROLES: tuple[FunctionalRole, ...] = (
    LOADER,
    TRANSFORMER,
    REPORTER,
    ORCHESTRATOR,
    DATA_ENGINEER,
    ANALYST,
    PII_READER,
    AUDITOR,
)
SERVICE_ROLES = tuple(role for role in FUNCTIONAL_ROLES if role.service)

# The deploying user and this role come before the stack and are made by the bootstrap; the user
# also holds ACCOUNTADMIN, which alone may make resource monitors and grant roles of SNOWFLAKE.
DEPLOYER_ROLE = "deployer"
DEPLOYER_ACCOUNT_PRIVILEGES = (
    "APPLY AUTHENTICATION POLICY",
    "APPLY MASKING POLICY",
    "APPLY ROW ACCESS POLICY",
    "APPLY TAG",
    "CREATE DATABASE",
    "CREATE INTEGRATION",
    "CREATE NETWORK POLICY",
    "CREATE ROLE",
    "CREATE USER",
    "MANAGE GRANTS",
)


def snowflake_database_roles(role: FunctionalRole) -> list[str]:
    """Return the roles of the database SNOWFLAKE that a functional role holds, by name."""
    return sorted(
        grant.name
        for held in role.holds
        if isinstance(held, AccountAccessRole)
        for grant in held.grants
        if isinstance(grant, SnowflakeDatabaseRole)
    )


def access_roles(roles: Iterable[FunctionalRole]) -> tuple[AccessRole, ...]:
    """Return every access role that some functional role holds, each once, by name."""
    found = {role.name: role for functional in roles for role in functional.holds}
    return tuple(found[name] for name in sorted(found))
