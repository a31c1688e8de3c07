"""The task that lets Power BI read the marts that were just published."""

from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment
from olist_platform.powerbi.refresh import missing_refresh, refresh_arguments

TASK_ID = "refresh_power_bi"


def refresh_power_bi() -> Any:
    """Return the task that refreshes the semantic model by Airflow's own operator.

    Where the environment has no model to refresh the task is skipped and says so. The operator's
    package brings most of Azure: the embedded platform goes without it, production.txt has it.
    """
    environment = current_environment()
    if reason := missing_refresh(environment):
        return _skipped(reason)
    try:
        from airflow.providers.microsoft.azure.operators.powerbi import (  # noqa: PLC0415
            PowerBIDatasetRefreshOperator,
        )
    except ImportError as error:
        # The DAG has to be read all the same: only this task cannot run.
        return _impossible(f"{error}; install requirements/production.txt")
    return PowerBIDatasetRefreshOperator(
        task_id=TASK_ID,
        **refresh_arguments(environment),
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
