"""The tasks of the monitoring DAG."""

from datetime import UTC, datetime

from airflow.sdk import TriggerRule, task

from olist_dags.dag_environment import current_environment


# Not tried again: the checks wait for it, and the next pass does the same.
@task(task_id="reconcile_run_costs", retries=0)
def reconcile_run_costs() -> None:
    """Replace estimated credits of dbt's runs by what Snowflake attributes to them by now."""
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.cost.reconciliation import reconcile_run_costs as run  # noqa: PLC0415

    run(current_environment())


# Costs that could not be reconciled keep no check back.
@task(task_id="run_checks", trigger_rule=TriggerRule.ALL_DONE)
def run_checks() -> dict[str, int]:
    """Run every check once; what fails is an alert and no failure of this task.

    Returns:
        How many figures were checked, fail and were kept, and alerts raised and resolved.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.monitoring.hourly import run_checks as run  # noqa: PLC0415

    done = run(current_environment(), lambda: datetime.now(UTC))
    return {
        "checked": len(done.results),
        "failing": len(done.failing),
        "raised": len(done.settlement.raised),
        "resolved": len(done.settlement.resolved),
        "recorded": done.recorded,
    }
