"""The schemas of an environment's database, listed and dropped by dbt, which can log in."""

import json
from collections.abc import Sequence

from olist_platform.dbt_command import run_dbt
from olist_platform.environment import Environment
from olist_platform.errors import OlistError

# Before the one line of JSON that the macro answers with.
_ANSWER = "olist-schemas:"


def list_schemas(environment: Environment) -> tuple[str, ...]:
    """Return every schema of the database, lower case.

    Raises:
        OlistError: The warehouse is out of reach.
    """
    printed = _operate(environment, "print_schemas", {})
    for line in printed.splitlines():
        _, mark, answer = line.partition(_ANSWER)
        if mark:
            return tuple(sorted(name.lower() for name in json.loads(answer)))
    raise OlistError("dbt's macro print_schemas did not answer")


def drop_schemas(environment: Environment, schemas: Sequence[str]) -> None:
    """Drop schemas with everything in them.

    Raises:
        OlistError: One cannot be dropped.
    """
    if schemas:
        _operate(environment, "drop_schemas", {"schemas": list(schemas)})


def _operate(environment: Environment, macro: str, arguments: dict[str, object]) -> str:
    run = run_dbt(
        environment,
        ["run-operation", macro, "--quiet", "--args", json.dumps(arguments)],
        quiet=True,
    )
    if run.returncode:
        raise OlistError(f"dbt run-operation {macro} fails:\n{run.stdout}{run.stderr}")
    return run.stdout
