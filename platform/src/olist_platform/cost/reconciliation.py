"""Estimated credits of models and DAG runs, replaced by what Snowflake attributes to them."""

from olist_platform.dbt_command import dbt_target_path, run_dbt
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.naming import Workload


def reconcile_run_costs(environment: Environment) -> None:
    """Run the macro `reconcile_run_costs` in an environment on Snowflake.

    It pays with the readers' warehouse, which the checks that follow keep awake anyway, and has
    dbt's artifacts in a folder of its own: a production run may be at work.

    Raises:
        OlistError: dbt could not run it; the message holds dbt's own.
    """
    result = run_dbt(
        environment,
        [
            *("run-operation", "reconcile_run_costs", "--quiet"),
            *("--target-path", str(dbt_target_path(environment) / "reconciliation")),
        ],
        quiet=True,
        variables={"OLIST_SNOWFLAKE_WAREHOUSE": environment.names.warehouse(Workload.REPORT)},
    )
    if result.returncode:
        raise OlistError(
            f"credits could not be reconciled:\n{result.stdout}{result.stderr}".rstrip(),
            "see platform/docs/runbooks/platform-health.md",
        )
