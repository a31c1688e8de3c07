"""Power BI is told of new marts outside of Airflow, by the trigger of Airflow's own provider."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.powerbi.refresh import refresh_semantic_model
from olist_workspace import ROOT

pytestmark = pytest.mark.slow

PROD = load_environment(EnvironmentName.PROD, ROOT / "environments")
VARIABLE = "AIRFLOW_CONN_POWERBI_DEFAULT"
Answer = Callable[..., Any]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Power BI: it holds a refresh for each that was asked for, with the status of its list."""
    hooks = pytest.importorskip(
        "airflow.providers.microsoft.azure.hooks.powerbi",
        reason="Airflow's provider of Power BI is not installed: requirements/production.txt",
    )
    asked: list[dict[str, Any]] = []

    async def run(hook: Any, **request: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        asked.append(request | {"connection": hook.conn_id})
        if request.get("method") == "POST":
            return {"requestid": "r-1"}
        status, error = ("Failed", "no rights") if BROKEN in asked else ("Completed", None)
        return {"value": [{"requestId": "r-1", "status": status, "serviceExceptionJson": error}]}

    monkeypatch.setattr(hooks.PowerBIHook, "run", run)
    monkeypatch.setenv(VARIABLE, "powerbi://client:secret@?tenantId=t")
    return asked


BROKEN: dict[str, Any] = {"method": "out of order"}


def test_the_model_is_refreshed_and_waited_for(service: list[dict[str, Any]]) -> None:
    assert PROD.dashboards.power_bi is not None
    assert PROD.dashboards.power_bi.refresh is not None
    assert refresh_semantic_model(PROD) == "r-1"
    post, *looks = service
    refresh = PROD.dashboards.power_bi.refresh
    place = {
        "group_id": str(refresh.workspace_id),
        "dataset_id": str(refresh.semantic_model_id),
    }
    assert looks
    assert all(request["path_parameters"] == place for request in service)
    assert post["data"] == {"notifyOption": "NoNotification"}
    assert post["connection"] == refresh.airflow_connection


def test_a_refresh_that_fails_is_the_users_error(service: list[dict[str, Any]]) -> None:
    service.append(BROKEN)
    with pytest.raises(OlistError, match=r"Power BI does not refresh: .*no rights"):
        refresh_semantic_model(PROD)


def test_what_is_not_configured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(OlistError, match="connection 'powerbi_default' of Power BI is not known"):
        refresh_semantic_model(PROD)
    dev = load_environment(EnvironmentName.DEV, ROOT / "environments")
    with pytest.raises(OlistError, match="the model is not deployed yet"):
        refresh_semantic_model(dev)
