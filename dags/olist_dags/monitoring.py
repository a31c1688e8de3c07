"""The tasks of the monitoring DAG."""

from datetime import UTC, datetime

from airflow.sdk import TriggerRule, task
from airflow.sdk.exceptions import AirflowException

from olist_dags.dag_environment import current_environment


@task(task_id="run_checks")
def run_checks() -> dict[str, int]:
    """Run every check once; what fails is an alert and no failure of this task.

    Returns:
        How many figures were checked, fail and were kept, and alerts raised and resolved.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.monitoring.hourly import run_checks as run  # noqa: PLC0415

    done = run(current_environment(), _clock)
    return {
        "checked": len(done.results),
        "failing": len(done.failing),
        "raised": len(done.settlement.raised),
        "resolved": len(done.settlement.resolved),
        "recorded": done.recorded,
    }


@task(task_id="deliver_alerts", trigger_rule=TriggerRule.ALL_DONE)
def deliver_alerts() -> dict[str, int]:
    """Send every message that is due, also of alerts that the checks did not raise.

    What does not go waits in the outbox: a try that fails is no reason to try the whole task again.

    Raises:
        AirflowException: The checks did not run; what was due has gone nevertheless.
    """
    from airflow.sdk import get_current_context  # noqa: PLC0415

    from olist_platform.alerts.router import deliver_due  # noqa: PLC0415

    report = deliver_due(current_environment(), _clock)
    # The only leaf of the DAG decides how its run ends.
    if get_current_context()["ti"].xcom_pull(task_ids="run_checks") is None:
        raise AirflowException("the checks did not run; see the log of run_checks")
    return {"sent": len(report.sent), "not_sent": len(report.not_sent)}


def _clock() -> datetime:
    return datetime.now(UTC)
