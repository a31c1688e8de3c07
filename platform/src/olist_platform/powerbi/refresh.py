"""Refreshing Power BI from the marts, by the trigger of Airflow's own provider.

The production DAG does it by the provider's operator, which defers to the same trigger. Outside of
Airflow nobody defers, so it is awaited here. The connection is Airflow's: a variable
`AIRFLOW_CONN_<ID>` holds it, as in every process of Airflow.
"""

import asyncio
import os
from typing import Any

from olist_platform.airflow_home import airflow_home
from olist_platform.dashboards.dashboard_settings import PowerBiRefresh
from olist_platform.environment import Environment
from olist_platform.errors import OlistError

_SECONDS_BETWEEN_LOOKS = 60
_SEE = "see platform/docs/powerbi.md"


def missing_refresh(environment: Environment) -> str:
    """Say why an environment has no semantic model to refresh; empty where it has one."""
    power_bi = environment.dashboards.power_bi
    if power_bi is None:
        return "dashboards.power_bi is null in this environment"
    if power_bi.refresh is None:
        return "dashboards.power_bi.refresh is null: the model is not deployed yet"
    return ""


def connection_variable(connection: str) -> str:
    """Return the variable from which Airflow takes a connection."""
    return f"AIRFLOW_CONN_{connection.upper()}"


def refresh_arguments(environment: Environment) -> dict[str, Any]:
    """Return what the provider's operator and its trigger are given alike.

    Raises:
        OlistError: The environment has no semantic model to refresh.
    """
    if reason := missing_refresh(environment):
        raise OlistError(f"environment '{environment.name}': {reason}", _SEE)
    refresh = _refresh_of(environment)
    return {
        "group_id": str(refresh.workspace_id),
        "dataset_id": str(refresh.semantic_model_id),
        "conn_id": refresh.airflow_connection,
        # Failures are told by the alerts of this platform.
        "request_body": {"notifyOption": "NoNotification"},
        "timeout": environment.airflow.task_timeout_minutes * 60,
        "check_interval": _SECONDS_BETWEEN_LOOKS,
    }


def refresh_semantic_model(environment: Environment) -> str:
    """Refresh the semantic model, and wait until Power BI has.

    Returns:
        Power BI's identifier of the refresh.

    Raises:
        OlistError: There is no model or no connection, or Power BI does not do it.
    """
    arguments = refresh_arguments(environment)
    variable = connection_variable(arguments["conn_id"])
    if not os.environ.get(variable):
        raise OlistError(
            f"Airflow's connection '{arguments['conn_id']}' of Power BI is not known here",
            f"export {variable}; {_SEE}",
        )
    # Airflow reads its settings as it is imported; a person's own are not to be changed.
    os.environ.setdefault("AIRFLOW_HOME", str(airflow_home(environment)))
    try:
        from airflow.providers.microsoft.azure.triggers.powerbi import (  # noqa: PLC0415
            PowerBITrigger,
        )
    except ImportError as error:
        raise OlistError(str(error), "install requirements/production.txt") from error
    try:
        event = asyncio.run(_last_event(PowerBITrigger(**arguments)))
    except Exception as error:
        # The provider and the libraries under it raise many kinds; each says what Power BI said.
        raise OlistError(f"Power BI does not refresh: {error}", _SEE) from error
    if event.get("status") != "success":
        raise OlistError(f"Power BI does not refresh: {event.get('message')}", _SEE)
    return str(event["dataset_refresh_id"])


async def _last_event(trigger: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"message": "it says nothing"}
    async for told in trigger.run():
        event = told.payload
        break
    return event


def _refresh_of(environment: Environment) -> PowerBiRefresh:
    power_bi = environment.dashboards.power_bi
    assert power_bi is not None  # noqa: S101 - `missing_refresh` says that it is there
    assert power_bi.refresh is not None  # noqa: S101 - likewise
    return power_bi.refresh
