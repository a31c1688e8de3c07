"""The callbacks themselves: an alert that cannot be recorded hides nothing and stops nothing."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup, chain
from airflow.sdk.exceptions import AirflowFailException

from monitored_place import MonitoredPlace
from monitored_place import environment as with_hours
from olist_dags.alerting import dashboards_late, raise_task_failure
from olist_dags.preflight import at_once
from olist_platform.alerts.kinds import Signal
from olist_platform.alerts.router import open_outbox
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import BudgetUsedUpError, OlistError
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for folder in ("environments", "dbt"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    monkeypatch.setenv("OLIST_ENV", "local")
    manifest = tmp_path / "data" / "local" / "dbt" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"nodes": {}, "sources": {}}), encoding="utf-8")
    return load_environment(EnvironmentName.LOCAL)


def pipeline() -> DAG:
    """Tasks in front of the publication and behind it, as the production DAG has them."""
    with DAG("olist_production", default_args={"owner": "data_platform"}) as dag:
        with TaskGroup("preflight"):
            check = EmptyOperator(task_id="check_budget")
        chain(
            check,
            EmptyOperator(task_id="load_raw"),
            EmptyOperator(task_id="publish_marts"),
            EmptyOperator(task_id="build_docs"),
        )
    return dag


def context(message: str = "disk full", **of_instance: Any) -> dict[str, Any]:
    instance = {
        "dag_id": "olist_production",
        "task_id": "build_docs",
        "log_url": "http://a.b/log",
    } | of_instance
    return {
        "task": pipeline().task_dict[instance["task_id"]],
        "ti": SimpleNamespace(**instance),
        "run_id": "manual__2018-09-03T07:00:00+00:00",
        "exception": RuntimeError(message),
    }


def test_a_failed_task_is_in_the_outbox_with_its_log(environment: Environment) -> None:
    raise_task_failure(context())
    [stored] = open_outbox(environment).alerts()
    assert stored.alert.signal is Signal.TASK_FAILURE
    assert stored.alert.subject == "olist_production.build_docs"
    assert stored.alert.details == ("disk full",)
    assert stored.alert.log == "http://a.b/log"
    raise_task_failure(context())
    [again] = open_outbox(environment).alerts()
    assert again.occurrences == 2


@pytest.mark.parametrize(
    ("task_id", "is_kept"), [("load_raw", True), ("publish_marts", True), ("build_docs", False)]
)
def test_what_stands_behind_the_publication_keeps_no_marts(
    environment: Environment, task_id: str, *, is_kept: bool
) -> None:
    raise_task_failure(context(task_id=task_id))
    [stored] = open_outbox(environment).alerts()
    assert ("the former marts stay" in stored.alert.summary) == is_kept


@pytest.mark.parametrize(
    ("error", "signal", "is_final"),
    [
        (
            BudgetUsedUpError("it is used up", "ask finance", "month 2018-09"),
            Signal.COST_BUDGET,
            True,
        ),
        (OlistError("Snowflake does not answer"), Signal.TASK_FAILURE, False),
    ],
)
def test_a_budget_that_nobody_could_ask_for_is_not_used_up_and_is_asked_again(
    environment: Environment, error: OlistError, signal: Signal, *, is_final: bool
) -> None:
    def check() -> None:
        raise error

    with pytest.raises(AirflowFailException if is_final else OlistError) as caught:
        at_once(check)
    raise_task_failure(
        context(task_id="preflight.check_budget") | {"exception": caught.value},
    )
    [stored] = open_outbox(environment).alerts()
    assert stored.alert.signal is signal
    assert error.message in stored.alert.details[0]


@pytest.mark.usefixtures("environment")
def test_an_outbox_that_cannot_be_written_hides_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data" / "local" / "alerts").write_text("in the way", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        raise_task_failure(context())
    assert "no alert could be raised for this failure" in caplog.text


def test_a_missed_deadline_without_a_run_is_told_all_the_same(environment: Environment) -> None:
    dashboards_late()
    [stored] = open_outbox(environment).alerts()
    assert stored.alert.signal is Signal.DASHBOARDS_LATE
    assert stored.sent == 2


@pytest.fixture
def place(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> MonitoredPlace:
    """The environment with an hour by which its dashboards are ready, and what was published."""
    del environment
    place = MonitoredPlace(with_hours())
    monkeypatch.setattr("olist_dags.alerting.current_environment", lambda: place.environment)
    return place


def test_a_run_that_failed_is_not_late_where_another_one_has_published(
    place: MonitoredPlace,
) -> None:
    place.published_at = datetime.now(UTC)
    place.leave()
    dashboards_late({"dag_run": {"dag_id": "olist_production", "logical_date": "2026-09-14"}})
    assert open_outbox(place.environment).alerts() == []


def test_figures_of_a_day_before_are_late(place: MonitoredPlace) -> None:
    place.published_at = datetime.now(UTC) - timedelta(days=2)
    place.leave()
    dashboards_late({"dag_run": {"dag_id": "olist_production", "logical_date": "2026-09-14"}})
    [stored] = open_outbox(place.environment).alerts()
    assert stored.alert.summary.startswith("Today's figures are not published by 06:30")
    assert stored.alert.details == ("olist_production of 2026-09-14 is not finished",)


def test_a_publication_that_cannot_be_read_is_late(place: MonitoredPlace) -> None:
    place.environment.serving_path.parent.mkdir(parents=True)
    place.environment.serving_path.write_text("no database", encoding="utf-8")
    dashboards_late()
    [stored] = open_outbox(place.environment).alerts()
    assert stored.alert.signal is Signal.DASHBOARDS_LATE
