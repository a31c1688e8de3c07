"""What each role may do in the end, read from the captured program and written as a table.

Roles inherit from the roles granted to them, so the privileges are followed over those grants. Run
as a script, it accepts what the program says today: make baseline.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from olist_platform.access_model import FUNCTIONAL_ROLES
from olist_platform.environment import load_environment
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.naming import EnvironmentName, Names

MATRIX = Path(__file__).parents[1] / "infra" / "access_matrix.md"

_SF = "snowflake:index/"
Privileges = dict[str, set[str]]


class GrantedAccess:
    """The roles and grants that a program registers."""

    def __init__(self, program: CapturedProgram) -> None:
        self.direct: dict[str, Privileges] = defaultdict(lambda: defaultdict(set))
        self.granted_roles: dict[str, set[str]] = defaultdict(set)
        self.users: dict[str, set[str]] = defaultdict(set)
        for kind in ("Database", "Account"):
            token = f"{_SF}grantPrivilegesTo{kind}Role:GrantPrivilegesTo{kind}Role"
            for grant in program.of_type(token):
                inputs = grant.plain_inputs
                grantee = inputs["databaseRoleName" if kind == "Database" else "accountRoleName"]
                self.direct[_bare(grantee)][_target(inputs)] |= set(inputs["privileges"])
        for grant in program.of_type(f"{_SF}grantDatabaseRole:GrantDatabaseRole"):
            inputs = grant.plain_inputs
            self.granted_roles[inputs["parentRoleName"]].add(_bare(inputs["databaseRoleName"]))
        for grant in program.of_type(f"{_SF}grantAccountRole:GrantAccountRole"):
            inputs = grant.plain_inputs
            if "userName" in inputs:
                self.users[inputs["userName"]].add(inputs["roleName"])
            else:
                self.granted_roles[inputs["parentRoleName"]].add(inputs["roleName"])

    def roles_of(self, role: str) -> set[str]:
        """The role and every role it inherits from."""
        found, waiting = set[str](), [role]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self.granted_roles.get(current, set())
        return found

    def privileges_of(self, role: str) -> Privileges:
        """What a session with this role alone may do, by the object."""
        effective: Privileges = defaultdict(set)
        for inherited in self.roles_of(role):
            for target, privileges in self.direct.get(inherited, {}).items():
                effective[target] |= privileges
        return dict(effective)


def matrix_text(program: CapturedProgram, names: Names, roles: list[str]) -> str:
    """Return the table: a row for each object, a column for each functional role."""
    access = GrantedAccess(program)
    privileges = {role: _shown(access, names.functional_role(role)) for role in roles}
    targets = sorted({target for shown in privileges.values() for target in shown}, key=_order)
    lines = [
        "# What each functional role may do",
        "",
        "Written by `make baseline` from the captured Pulumi program of dev. A role also owns what",
        "it makes. Grants on `all and future` hold for what there is and for what is to come.",
        "",
        "| on | " + " | ".join(roles) + " |",
        "| --- |" + " --- |" * len(roles),
    ]
    lines += [
        f"| {target} | "
        + " | ".join(", ".join(sorted(privileges[role].get(target, set()))) for role in roles)
        + " |"
        for target in targets
    ]
    return "\n".join(lines) + "\n"


def _shown(access: GrantedAccess, role: str) -> Mapping[str, set[str]]:
    shown: dict[str, set[str]] = defaultdict(set)
    for target, privileges in access.privileges_of(role).items():
        scope, _, rest = target.partition(" ")
        # A grant on all of today and one on all to come are one line; alone, each shows.
        counterpart = {"all": f"future {rest}", "future": f"all {rest}"}.get(scope, "")
        both = access.privileges_of(role).get(counterpart) == privileges
        shown[f"all and future {rest}" if both else target] |= privileges
    for inherited in access.roles_of(role):
        if inherited.startswith("SNOWFLAKE."):
            shown[f"database role {inherited}"].add("held")
        elif inherited.endswith("__PII__UNMASKED"):
            shown["personal columns, and rows of who objected"].add("unmasked")
    for user, held in access.users.items():
        if role in held:
            shown["service user"].add(user)
    return shown


def _target(inputs: Mapping[str, Any]) -> str:
    if "onDatabase" in inputs:
        return f"database {_bare(inputs['onDatabase'])}"
    if "onSchema" in inputs:
        return f"schema {_bare(inputs['onSchema']['schemaName'])}"
    if "onAccountObject" in inputs:
        on = inputs["onAccountObject"]
        return f"{on['objectType'].lower()} {on['objectName']}"
    on = inputs["onSchemaObject"]
    [(scope, objects)] = on.items()
    return f"{scope} {objects['objectTypePlural']} in {_bare(objects['inSchema'])}"


def _bare(name: str) -> str:
    return name.replace('"', "")


def _order(target: str) -> tuple[int, str]:
    first = ("service", "personal", "database OLIST", "schema", "all", "future", "warehouse")
    return next((i for i, word in enumerate(first) if target.startswith(word)), 9), target


def current_matrix() -> str:
    """The table of the program as it is here."""
    environment = load_environment(EnvironmentName.DEV)
    roles = [role.name for role in FUNCTIONAL_ROLES]
    return matrix_text(capture_program(environment), environment.names, roles)


if __name__ == "__main__":
    MATRIX.write_text(current_matrix(), encoding="utf-8")
