"""The access model, rendered: access roles with privileges, functional roles that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.access_model import (
    AccountAccessRole,
    DatabaseAccessRole,
    DatabasePrivileges,
    FunctionalRole,
    InAccount,
    InDatabase,
    ObjectPrivileges,
    SchemaPrivileges,
    SnowflakeDatabaseRole,
    WarehousePrivileges,
    access_roles,
)
from olist_platform.naming import Names, Workload, snowflake_identifier

_ROLL_UP = "SYSADMIN"
_SNOWFLAKE_DATABASE = "SNOWFLAKE"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessControlArgs:
    """The model, and the objects its privileges are on.

    Attributes:
        names: Names of the environment.
        roles: The functional roles.
        database: The database.
        schemas: The schemas, by layer or governance.
        warehouses: The warehouses, by workload.
        objects: Objects of the schemas that this program makes; grants on all objects wait for
            them, so that none is missed.
        administration: The provider that may grant roles of the database SNOWFLAKE.
    """

    names: Names
    roles: Sequence[FunctionalRole]
    database: pulumi.Input[str]
    schemas: Mapping[str, pulumi.Output[str]]
    warehouses: Mapping[Workload, pulumi.Input[str]]
    objects: Sequence[pulumi.Resource]
    administration: pulumi.ProviderResource


class AccessControl(pulumi.ComponentResource):
    """Every role of the access model and every grant of it.

    Attributes:
        functional_roles: Output of each one's name, by the model's name.
        account_access_roles: Output of each one's name, by the model's name.
    """

    def __init__(
        self, name: str, args: AccessControlArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:AccessControl", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._schema_names = {
            schema: pulumi.Output.format('"{0}"."{1}"', args.database, output)
            for schema, output in args.schemas.items()
        }
        self._database_access_roles: dict[str, pulumi.Output[str]] = {}
        self.account_access_roles: dict[str, pulumi.Output[str]] = {}
        self.functional_roles: dict[str, pulumi.Output[str]] = {}
        for access in access_roles(args.roles):
            if isinstance(access, DatabaseAccessRole):
                self._make_database_access_role(access)
            else:
                self._make_account_access_role(access)
        for functional in args.roles:
            self._make_functional_role(functional)
        self.register_outputs({"functionalRoles": self.functional_roles})

    def _make_database_access_role(self, access: DatabaseAccessRole) -> None:
        role = snowflake.DatabaseRole(
            access.name,
            name=self._args.names.database_access_role(access.name),
            database=self._args.database,
            opts=self._child,
        ).fully_qualified_name
        self._database_access_roles[access.name] = role
        for grant in access.grants:
            self._grant_in_database(access.name, role, grant)

    def _grant_in_database(self, name: str, role: pulumi.Output[str], grant: InDatabase) -> None:
        grants_to = snowflake.GrantPrivilegesToDatabaseRole
        match grant:
            case DatabasePrivileges(privileges):
                grants_to(
                    f"{name}-database",
                    database_role_name=role,
                    privileges=list(privileges),
                    on_database=self._args.database,
                    opts=self._child,
                )
            case SchemaPrivileges(schema, privileges):
                grants_to(
                    f"{name}-schema-{schema}",
                    database_role_name=role,
                    privileges=list(privileges),
                    on_schema=snowflake.GrantPrivilegesToDatabaseRoleOnSchemaArgs(
                        schema_name=self._schema_names[schema]
                    ),
                    opts=self._child,
                )
            case ObjectPrivileges():
                self._grant_on_objects(name, role, grant)

    def _grant_on_objects(
        self, name: str, role: pulumi.Output[str], grant: ObjectPrivileges
    ) -> None:
        """Grant on the objects to come, then on those there are, so that none falls between."""
        on = snowflake.GrantPrivilegesToDatabaseRoleOnSchemaObjectArgs
        logical = f"{name}-{grant.schema}-{grant.object_type.plural.lower().replace(' ', '-')}"
        schema = self._schema_names[grant.schema]
        future = snowflake.GrantPrivilegesToDatabaseRole(
            f"{logical}-future",
            database_role_name=role,
            privileges=list(grant.privileges),
            on_schema_object=on(
                future=snowflake.GrantPrivilegesToDatabaseRoleOnSchemaObjectFutureArgs(
                    object_type_plural=grant.object_type.plural, in_schema=schema
                )
            ),
            opts=self._child,
        )
        snowflake.GrantPrivilegesToDatabaseRole(
            f"{logical}-all",
            database_role_name=role,
            privileges=list(grant.privileges),
            on_schema_object=on(
                all=snowflake.GrantPrivilegesToDatabaseRoleOnSchemaObjectAllArgs(
                    object_type_plural=grant.object_type.plural, in_schema=schema
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[future, *self._args.objects]),
        )

    def _make_account_access_role(self, access: AccountAccessRole) -> None:
        role = snowflake.AccountRole(
            access.name,
            name=self._args.names.account_access_role(access.name),
            opts=self._child,
        ).name
        self.account_access_roles[access.name] = role
        for grant in access.grants:
            self._grant_in_account(access.name, role, grant)

    def _grant_in_account(self, name: str, role: pulumi.Output[str], grant: InAccount) -> None:
        match grant:
            case WarehousePrivileges(workload, privileges):
                snowflake.GrantPrivilegesToAccountRole(
                    f"{name}-{workload}",
                    account_role_name=role,
                    privileges=list(privileges),
                    on_account_object=snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgs(
                        object_type="WAREHOUSE", object_name=self._args.warehouses[workload]
                    ),
                    opts=self._child,
                )
            case SnowflakeDatabaseRole(view_role):
                snowflake.GrantDatabaseRole(
                    f"{name}-{view_role.lower()}",
                    database_role_name=snowflake_identifier(_SNOWFLAKE_DATABASE, view_role),
                    parent_role_name=role,
                    opts=pulumi.ResourceOptions(parent=self, provider=self._args.administration),
                )

    def _make_functional_role(self, functional: FunctionalRole) -> None:
        role = snowflake.AccountRole(
            functional.name,
            name=self._args.names.functional_role(functional.name),
            comment=functional.purpose,
            opts=self._child,
        ).name
        self.functional_roles[functional.name] = role
        snowflake.GrantAccountRole(
            f"{functional.name}-rolls-up",
            role_name=role,
            parent_role_name=_ROLL_UP,
            opts=self._child,
        )
        for access in functional.holds:
            logical = f"{functional.name}-holds-{access.name}"
            if isinstance(access, DatabaseAccessRole):
                snowflake.GrantDatabaseRole(
                    logical,
                    database_role_name=self._database_access_roles[access.name],
                    parent_role_name=role,
                    opts=self._child,
                )
            else:
                snowflake.GrantAccountRole(
                    logical,
                    role_name=self.account_access_roles[access.name],
                    parent_role_name=role,
                    opts=self._child,
                )
