"""The task of the monitoring DAG."""

from datetime import UTC, datetime

from airflow.sdk import task

from olist_dags.dag_environment import current_environment


@task(task_id="run_checks")
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
