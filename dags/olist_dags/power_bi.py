"""The task that lets Power BI read the marts that were just published."""

from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment

TASK_ID = "refresh_power_bi"
_SECONDS_BETWEEN_LOOKS = 60


def refresh_power_bi() -> Any:
    """Return the task that refreshes the semantic model by Airflow's own operator.

    Where the environment has no model to refresh the task is skipped and says so. The operator's
    package brings most of Azure: the embedded platform goes without it, production.txt has it.
    """
    environment = current_environment()
    power_bi = environment.dashboards.power_bi
    if power_bi is None:
        return _skipped("dashboards.power_bi is null in this environment")
    if power_bi.refresh is None:
        return _skipped("dashboards.power_bi.refresh is null: the model is not deployed yet")
    try:
        from airflow.providers.microsoft.azure.operators.powerbi import (  # noqa: PLC0415
            PowerBIDatasetRefreshOperator,
        )
    except ImportError as error:
        # The DAG has to be read all the same: only this task cannot run.
        return _impossible(f"{error}; install requirements/production.txt")
    return PowerBIDatasetRefreshOperator(
        task_id=TASK_ID,
        group_id=str(power_bi.refresh.workspace_id),
        dataset_id=str(power_bi.refresh.semantic_model_id),
        conn_id=power_bi.refresh.airflow_connection,
        # Failures are told by the alerts of this platform.
        request_body={"notifyOption": "NoNotification"},
        timeout=environment.airflow.task_timeout_minutes * 60,
        check_interval=_SECONDS_BETWEEN_LOOKS,
        deferrable=True,
    )


def _skipped(reason: str) -> Any:
    @task(task_id=TASK_ID)
    def skip_refresh() -> None:
        """Say why nothing is refreshed."""
        raise AirflowSkipException(reason)

    return skip_refresh()


def _impossible(reason: str) -> Any:
    @task(task_id=TASK_ID)
    def fail_refresh() -> None:
        """Say what is missing."""
        raise AirflowFailException(reason)

    return fail_refresh()
