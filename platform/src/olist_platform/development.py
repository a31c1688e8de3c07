"""A development build: a sample of the data, in a schema or a file that is nobody else's."""

import re

from olist_platform.dbt_command import dbt_variables
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError

DEFAULT_SCHEMA = "development"
# Where the environment itself holds everything; a tenth shows every path and takes seconds.
_SAMPLE_SHARE = 0.1
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")
# The layers' own schemas have no prefix; a build of this name would write into them.
_RESERVED = "olist"


def require_schema(schema: str) -> None:
    """Check that a development build may have this schema; raises OlistError."""
    if not _SCHEMA.fullmatch(schema) or schema == _RESERVED:
        raise OlistError(
            f"'{schema}' cannot be the schema of a development build",
            "use lower-case letters, digits and underscores, such as pr_12",
        )


def development_environment(environment: Environment, schema: str) -> Environment:
    """Return the environment with a warehouse file of the schema's own, and with a sample.

    On Snowflake the schema is a prefix of the layers', which `development_variables` tells dbt.

    Raises:
        OlistError: The schema's name cannot be one.
    """
    require_schema(schema)
    changes: dict[str, object] = {
        "dbt": environment.dbt.model_copy(
            update={"sample_share": min(environment.dbt.sample_share, _SAMPLE_SHARE)}
        )
    }
    if isinstance(environment.warehouse, DuckDBWarehouse):
        folder = environment.warehouse.folder / "development" / schema
        changes["warehouse"] = environment.warehouse.model_copy(update={"folder": folder})
    return environment.model_copy(update=changes)


def development_variables(environment: Environment, schema: str) -> dict[str, str]:
    """Return what dbt reads in a development build.

    Raises:
        OlistError: The schema's name cannot be one, or a secret is not set.
    """
    variables = dbt_variables(development_environment(environment, schema))
    if not isinstance(environment.warehouse, DuckDBWarehouse):
        variables["OLIST_DBT_SCHEMA"] = schema
    return variables
