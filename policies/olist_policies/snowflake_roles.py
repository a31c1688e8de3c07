"""Who may do what in Snowflake: least privilege, by named roles, under SYSADMIN."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule, stack_rule
from olist_policies.snowflake_identifiers import SYSTEM_ROLES, last_part, parts
from olist_policies.snowflake_types import (
    ACCOUNT_ROLE,
    DATABASE_ROLE,
    EXECUTE,
    GRANT_ACCOUNT_ROLE,
    GRANT_DATABASE_ROLE,
    GRANT_OWNERSHIP,
    GRANT_TO_ACCOUNT_ROLE,
    GRANT_TO_DATABASE_ROLE,
    SCHEMA,
    SERVICE_USER,
)
from olist_policies.stack_view import StackView

PUBLIC = "PUBLIC"
_GRANTEES = ("accountRoleName", "parentRoleName")
_GRANT_STATEMENT = re.compile(
    # The word ROLE may be left out before a role.
    r"\bgrant\s+(?P<what>.+?)\s+to\s+(?:(?:database\s+role|role|user|share)\s+)?"
    r"(?P<grantee>[\w\".]+)",
    re.IGNORECASE | re.DOTALL,
)
_GRANTED_ROLE = re.compile(r"^(?:database\s+)?role\s+([\w\".]+)$", re.IGNORECASE)


@resource_rule(
    "no-grant-to-public",
    GRANT_ACCOUNT_ROLE,
    GRANT_DATABASE_ROLE,
    GRANT_OWNERSHIP,
    GRANT_TO_ACCOUNT_ROLE,
    EXECUTE,
    reason="Everybody who can log in has PUBLIC, so a grant to it is a grant to all.",
    mend="grant to an access role of the access model",
)
def no_grant_to_public(grant: ResourceValidationArgs) -> Iterator[str]:
    """No grant names PUBLIC, in a resource or in SQL."""
    grantees = {last_part(grant.props.get(key)) for key in _GRANTEES}
    grantees |= {one.grantee[-1] for one in sql_grants(grant)}
    if PUBLIC in {grantee.upper() for grantee in grantees}:
        yield "it grants to PUBLIC"


@resource_rule(
    "no-system-role-granted",
    GRANT_ACCOUNT_ROLE,
    SERVICE_USER,
    EXECUTE,
    reason="ACCOUNTADMIN and its like bypass the access model; a service that holds one is the "
    "whole account to whoever steals its key.",
    mend="grant a functional role of the access model; people get system roles by hand, for an "
    "hour",
)
def no_system_role_granted(resource: ResourceValidationArgs) -> Iterator[str]:
    """No system role goes to a user or under another role, and none is a service's default."""
    granted = [
        last_part(resource.props.get("roleName")),
        last_part(resource.props.get("defaultRole")),
    ]
    granted += [one.role[-1] for one in sql_grants(resource) if one.role]
    for role in granted:
        if role.upper() in SYSTEM_ROLES:
            yield f"it hands out {role}"


@resource_rule(
    "grant-names-its-privileges",
    GRANT_TO_ACCOUNT_ROLE,
    GRANT_TO_DATABASE_ROLE,
    reason="ALL PRIVILEGES grows with each release of Snowflake, and WITH GRANT OPTION lets a "
    "grantee grant on behind the access model's back.",
    mend="list the privileges in the access model; leave with_grant_option and always_apply off",
)
def grant_names_its_privileges(grant: ResourceValidationArgs) -> Iterator[str]:
    """Grants list privileges and cannot be passed on."""
    if grant.props.get("allPrivileges"):
        yield "it grants all privileges"
    if not grant.props.get("privileges") and not grant.props.get("allPrivileges"):
        yield "it grants no privilege"
    if grant.props.get("withGrantOption"):
        yield "its grantee may grant it on"
    if grant.props.get("alwaysApply"):
        yield "always_apply differs at every preview, so drift cannot be told from it"


@stack_rule(
    "roles-roll-up",
    reason="What a role outside SYSADMIN's tree owns, no administrator can see or mend.",
    mend="grant the role to SYSADMIN, or to a role that is",
)
def roles_roll_up(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every role of the stack is under SYSADMIN, directly or by other roles."""
    parents: dict[str, set[str]] = {}
    for grant in stack.of_type(GRANT_ACCOUNT_ROLE):
        _add(parents, grant.props.get("roleName"), grant.props.get("parentRoleName"))
    for grant in stack.of_type(GRANT_DATABASE_ROLE):
        parent = grant.props.get("parentRoleName") or grant.props.get("parentDatabaseRoleName")
        _add(parents, grant.props.get("databaseRoleName"), parent)
    for role in stack.of_type(ACCOUNT_ROLE, DATABASE_ROLE):
        database = last_part(role.props.get("database"))
        name = ".".join(filter(None, (database, last_part(role.props.get("name")))))
        if not _reaches(name, "SYSADMIN", parents):
            yield role.urn, f"{name} does not reach SYSADMIN"


@resource_rule(
    "schema-access-managed",
    SCHEMA,
    reason="In a schema without managed access, whoever owns a table may grant it to anyone.",
    mend="set with_managed_access to 'true'",
)
def schema_access_managed(schema: ResourceValidationArgs) -> Iterator[str]:
    """Only the schema's owner grants."""
    if schema.props.get("withManagedAccess") != "true":
        yield "with_managed_access is not 'true'"


@dataclass(frozen=True, slots=True)
class SqlGrant:
    """A grant by a statement instead of by a resource.

    Attributes:
        what: What is granted, as written.
        role: The role that is granted; empty where it is a privilege.
        grantee: To whom, by the parts of its name.
    """

    what: str
    role: tuple[str, ...]
    grantee: tuple[str, ...]


def sql_grants(resource: ResourceValidationArgs) -> Iterator[SqlGrant]:
    """Yield what the statements of an Execute grant; nothing for other resources."""
    statement = resource.props.get("execute") if resource.resource_type == EXECUTE else None
    for what, grantee in _GRANT_STATEMENT.findall(statement or ""):
        role = _GRANTED_ROLE.match(what)
        yield SqlGrant(what, parts(role.group(1)) if role else (), parts(grantee))


def _add(parents: dict[str, set[str]], child: object, parent: object) -> None:
    if parts(child) and parts(parent):
        parents.setdefault(".".join(parts(child)), set()).add(".".join(parts(parent)))


def _reaches(role: str, target: str, parents: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = [role]
    while waiting:
        current = waiting.pop()
        if current == target:
            return True
        if current not in seen:
            seen.add(current)
            waiting.extend(parents.get(current, ()))
    return False


RULES = (
    no_grant_to_public,
    no_system_role_granted,
    grant_names_its_privileges,
    roles_roll_up,
    schema_access_managed,
)
