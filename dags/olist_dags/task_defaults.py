"""Retries, delays and time limits of every task, from the environment's `airflow` section."""

from datetime import timedelta
from typing import Any

from olist_platform.alerts.kinds import DATA_PLATFORM
from olist_platform.environment import DuckDBWarehouse, Environment

_TASKS_AT_ONCE = 16


def task_defaults(environment: Environment) -> dict[str, Any]:
    """Return the `default_args` of a DAG."""
    settings = environment.airflow
    return {
        "owner": DATA_PLATFORM,
        "retries": settings.retries,
        "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(minutes=settings.task_timeout_minutes),
    }


def max_active_tasks(environment: Environment) -> int:
    """Return how many tasks of a DAG may run at once.

    A DuckDB file has one writer: one task at a time needs no pool that somebody must create
    first. The tasks of a model only watch dbt and defer while they wait, so they never hold the
    one place against the task that runs dbt.
    """
    return 1 if isinstance(environment.warehouse, DuckDBWarehouse) else _TASKS_AT_ONCE
