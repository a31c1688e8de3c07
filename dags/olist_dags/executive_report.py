"""The task that sends the executives the figures that were just published."""

from datetime import UTC, datetime

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from olist_dags.dag_environment import current_environment


@task(task_id="email_executives")
def email_executives() -> str:
    """Send the executives' report, once a day; without a mail server it becomes a file.

    Returns:
        What became of it, and where it went.

    Raises:
        AirflowSkipException: The environment sends none.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.executive_report.report_delivery import deliver_report  # noqa: PLC0415

    environment = current_environment()
    if environment.dashboards.executive_report is None:
        raise AirflowSkipException("dashboards.executive_report is null in this environment")
    delivered = deliver_report(environment, lambda: datetime.now(UTC))
    return f"{delivered.outcome}: {delivered.title}, {delivered.where}"
