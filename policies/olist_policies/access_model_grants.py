"""No grant outside the access model: neither a privilege nor a role."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pulumi_policy import ResourceValidationArgs

from olist_platform.access_model import (
    FUNCTIONAL_ROLES,
    AccountAccessRole,
    DatabaseAccessRole,
    DatabasePrivileges,
    ObjectPrivileges,
    SchemaPrivileges,
    SnowflakeDatabaseRole,
    WarehousePrivileges,
    access_roles,
)
from olist_platform.naming import Names
from olist_policies.rule import resource_rule
from olist_policies.snowflake_identifiers import SYSTEM_ROLES, parts
from olist_policies.snowflake_roles import PUBLIC, SqlGrant, sql_grants
from olist_policies.snowflake_types import (
    EXECUTE,
    GRANT_ACCOUNT_ROLE,
    GRANT_DATABASE_ROLE,
    GRANT_OWNERSHIP,
    GRANT_TO_ACCOUNT_ROLE,
    GRANT_TO_DATABASE_ROLE,
    GRANT_TO_SHARE,
)
from olist_policies.stack_view import environment_of, plain

# What a privilege is on: the kind of object, then the object's or the containing schema's name.
Target = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Allowed:
    """The access model in one environment's names.

    Attributes:
        privileges: By grantee and target.
        roles: Pairs of a role and who may hold it.
    """

    privileges: Mapping[tuple[Target, Target], frozenset[str]]
    roles: frozenset[tuple[Target, Target]]


@resource_rule(
    "privilege-in-access-model",
    EXECUTE,
    GRANT_OWNERSHIP,
    GRANT_TO_ACCOUNT_ROLE,
    GRANT_TO_DATABASE_ROLE,
    GRANT_TO_SHARE,
    reason="A privilege that the access model does not name is reviewed by nobody and stays for "
    "ever.",
    mend="add the privilege to an access role in olist_platform.access_model, or take it out",
)
def privilege_in_access_model(grant: ResourceValidationArgs) -> Iterator[str]:
    """The access model gives each privilege to this role on this target.

    It knows no ownership, no share and no SQL: whatever is granted by them is beyond it.
    """
    if grant.resource_type in (EXECUTE, GRANT_OWNERSHIP, GRANT_TO_SHARE):
        yield from _beyond_the_model(grant)
        return
    names = environment_of(grant.urn).names
    grantee = parts(grant.props.get("databaseRoleName") or grant.props.get("accountRoleName"))
    for target in _targets(plain(grant.props)):
        allowed = _model(names).privileges.get((grantee, target), frozenset())
        beyond = sorted(set(plain(grant.props.get("privileges") or [])) - allowed)
        if beyond:
            yield f"{'.'.join(grantee)} gets {', '.join(beyond)} on {' '.join(target)}"


@resource_rule(
    "role-in-access-model",
    EXECUTE,
    GRANT_ACCOUNT_ROLE,
    GRANT_DATABASE_ROLE,
    reason="Who holds which role is the access model's to say; a role held besides it is a "
    "backdoor.",
    mend="let the functional role hold it in olist_platform.access_model, or take the grant out",
)
def role_in_access_model(grant: ResourceValidationArgs) -> Iterator[str]:
    """The access model lets this grantee hold this role."""
    names = environment_of(grant.urn).names
    role = parts(grant.props.get("databaseRoleName") or grant.props.get("roleName"))
    holders = ("parentRoleName", "userName", "parentDatabaseRoleName", "shareName")
    for holder in filter(None, (parts(grant.props.get(key)) for key in holders)):
        if (role, holder) not in _model(names).roles:
            yield f"{'.'.join(holder)} gets {'.'.join(role)}"
    for sql in sql_grants(grant):
        # System roles and PUBLIC have rules of their own.
        if sql.role and sql.role[-1].upper() not in SYSTEM_ROLES and not _is_public(sql):
            yield f"{'.'.join(sql.grantee)} gets {'.'.join(sql.role)} by SQL"


def _beyond_the_model(grant: ResourceValidationArgs) -> Iterator[str]:
    """Yield the privileges of a grant that the access model cannot express."""
    if grant.resource_type == GRANT_OWNERSHIP:
        owner = grant.props.get("databaseRoleName") or grant.props.get("accountRoleName")
        yield f"{'.'.join(parts(owner))} gets OWNERSHIP"
    elif grant.resource_type == GRANT_TO_SHARE:
        yield f"the share {'.'.join(parts(grant.props.get('toShare')))} gets privileges"
    for sql in sql_grants(grant):
        if not sql.role and not _is_public(sql):
            yield f"{'.'.join(sql.grantee)} gets {sql.what} by SQL"


def _is_public(sql: SqlGrant) -> bool:
    return sql.grantee[-1].upper() == PUBLIC


@cache
def _model(names: Names) -> _Allowed:
    """Return the access model in the names of an environment."""
    privileges: dict[tuple[Target, Target], frozenset[str]] = {}
    roles: set[tuple[Target, Target]] = set()
    for access_role in access_roles(FUNCTIONAL_ROLES):
        grantee = _access_role_name(names, access_role)
        for grant in access_role.grants:
            match grant:
                case SnowflakeDatabaseRole(name=name):
                    roles.add((("SNOWFLAKE", name), grantee))
                    continue
                case DatabasePrivileges():
                    target: Target = ("DATABASE", names.database)
                case SchemaPrivileges(schema=schema):
                    target = ("SCHEMA", schema.upper())
                case ObjectPrivileges(schema=schema, object_type=object_type):
                    target = (object_type.value, schema.upper())
                case WarehousePrivileges(workload=workload):
                    target = ("WAREHOUSE", names.warehouse(workload))
            before = privileges.get((grantee, target), frozenset())
            privileges[grantee, target] = before | set(grant.privileges)
    for role in FUNCTIONAL_ROLES:
        job: Target = (names.functional_role(role.name),)
        roles |= {(_access_role_name(names, held), job) for held in role.holds}
        roles.add((job, ("SYSADMIN",)))
        if role.service:
            roles.add((job, (names.service_user(role.name),)))
    return _Allowed(privileges, frozenset(roles))


def _access_role_name(names: Names, role: DatabaseAccessRole | AccountAccessRole) -> Target:
    if isinstance(role, DatabaseAccessRole):
        return names.database, names.database_access_role(role.name)
    return (names.account_access_role(role.name),)


def _targets(props: Mapping[str, Any]) -> Iterator[Target]:
    """Yield what a grant is on; a target that the model cannot express equals none of it."""
    if props.get("onAccount"):
        yield ("ACCOUNT",)
    if props.get("onDatabase"):
        yield ("DATABASE", *parts(props["onDatabase"]))
    if account_object := props.get("onAccountObject"):
        yield (account_object["objectType"], *parts(account_object["objectName"]))
    if schema := props.get("onSchema"):
        yield ("SCHEMA", *(parts(schema.get("schemaName"))[-1:] or ("of the whole database",)))
    if schema_object := props.get("onSchemaObject"):
        yield _schema_object(schema_object)


def _schema_object(schema_object: Mapping[str, Any]) -> Target:
    if "objectName" in schema_object:
        return schema_object["objectType"], parts(schema_object["objectName"])[1]
    every = schema_object.get("all") or schema_object.get("future") or {}
    kind = str(every.get("objectTypePlural", "OBJECTS")).removesuffix("S")
    return kind, *(parts(every.get("inSchema"))[-1:] or ("of the whole database",))


RULES = (privilege_in_access_model, role_in_access_model)
