"""What the development DAG does otherwise than production: a sample, and a place of its own."""

import os
from typing import Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from olist_dags.dag_environment import current_environment, give_dbt_its_variables
from olist_platform.development import DEFAULT_SCHEMA
from olist_platform.errors import OlistError


def development_params() -> dict[str, Param]:
    """Return the parameters that a person, or a pull request, starts a build with."""
    return {
        "schema": Param(
            DEFAULT_SCHEMA,
            type="string",
            pattern=r"^[a-z][a-z0-9_]{0,39}$",
            title="Schema",
            description="Prefix of the schemas on Snowflake, folder of the file on DuckDB; a pull"
            " request has its own, such as pr_12.",
        )
    }


@task(task_id="load_sample_source")
def load_sample_source() -> dict[str, int]:
    """Load what has landed into the build's own file; on Snowflake raw is shared.

    Raises:
        AirflowFailException: A file cannot be loaded, or the schema's name cannot be one.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.development import development_environment  # noqa: PLC0415
    from olist_platform.raw_loading.loader import load_landing  # noqa: PLC0415

    schema = get_current_context()["params"]["schema"]
    try:
        result = load_landing(development_environment(current_environment(), schema))
    except OlistError as error:
        raise AirflowFailException(f"{error.message}; {error.mend}") from error
    if result.rejected:
        first = result.rejected[0]
        raise AirflowFailException(f"{first.path}: {first.reason}")
    return dict(result.rows_by_dataset)


def prepare_development_dbt(context: Any) -> None:
    """Give a dbt task of the development DAG what dbt reads; just before it runs."""
    from olist_platform.development import development_variables  # noqa: PLC0415 - as above

    give_dbt_its_variables(context)
    schema = context["params"]["schema"]
    os.environ.update(development_variables(current_environment(), schema))
