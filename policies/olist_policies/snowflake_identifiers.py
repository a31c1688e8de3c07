"""Snowflake identifiers as resources refer to them: quoted or not, qualified or not."""

import re
from typing import Any

_PART = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')
# Roles that Snowflake makes itself and that may do more than any workload needs.
SYSTEM_ROLES = frozenset(
    {"ACCOUNTADMIN", "GLOBALORGADMIN", "ORGADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN"}
)


def parts(identifier: Any) -> tuple[str, ...]:
    """Return the parts of an identifier without their quotes; nothing for what is no text."""
    if not isinstance(identifier, str):
        return ()
    return tuple(quoted or bare for quoted, bare in _PART.findall(identifier))


def last_part(identifier: Any) -> str:
    """Return an object's own name, or an empty text."""
    return (parts(identifier) or ("",))[-1]
