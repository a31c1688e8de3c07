"""Faults of the production DAG: who is told, what stops, and how a run goes on from there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dag_scenario import DagScenario, built, states
from olist_platform.alerts.kinds import AlertKind, Signal
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

BROKEN_MODEL = "mart_unit_economics"
BEHIND_IT = ["monitoring_freshness"]
FAULT = "where cast('broken on purpose' as integer) = 1\n"


@dataclass(frozen=True)
class Told:
    signal: Signal
    subject: str
    owner: str


def told(scenario: DagScenario) -> list[Told]:
    return [
        Told(each.alert.signal, each.alert.subject, each.alert.owner) for each in scenario.alerts()
    ]


@pytest.fixture(scope="module")
def scenario(make_workspace: Callable[[str], Workspace]) -> DagScenario:
    workspace = make_workspace("recovery")
    workspace.olist("generate", workspace.home / "files", "--orders", "2500")
    workspace.olist("land", workspace.home / "files")
    scenario = DagScenario(workspace)
    scenario.set(airflow__retries=0)
    return scenario


@dataclass(frozen=True)
class Recovery:
    """A run that failed on a broken model, and the same run continued with the model mended."""

    failed: dict[str, Any]
    told: list[Told]
    details: tuple[str, ...]
    was_published: bool
    first_results: list[Path]
    resumed: dict[str, Any]
    second_results: list[Path]


@pytest.fixture(scope="module")
def recovery(scenario: DagScenario) -> Recovery:
    scenario.edit(BROKEN_MODEL, lambda sql: sql + FAULT)
    failed = scenario.run()
    assert "error" not in failed, failed["error"]
    first = scenario.results(failed["run_id"])
    first_told, details = told(scenario), scenario.alerts()[0].alert.details
    was_published = scenario.workspace.serving.exists()
    scenario.edit(BROKEN_MODEL, lambda sql: sql.removesuffix(FAULT))
    resumed = scenario.run(resume=True)
    second = [path for path in scenario.results(failed["run_id"]) if path not in first]
    return Recovery(failed, first_told, details, was_published, first, resumed, second)


def test_a_model_that_fails_raises_one_alert_in_dbts_words(recovery: Recovery) -> None:
    assert recovery.failed["state"] == "failed"
    assert recovery.told == [
        Told(Signal.TASK_FAILURE, f"olist_production.{BROKEN_MODEL}", "finance_reporting")
    ]
    assert "Conversion Error" in " ".join(recovery.details)


def test_nothing_behind_the_gate_runs_on_what_it_refuses(recovery: Recovery) -> None:
    tasks = states(recovery.failed)
    assert tasks["gate_staging"] == "success"
    assert tasks["gate_marts"] == "upstream_failed"
    behind = {task: state for task, state in tasks.items() if task.startswith("snapshots.")}
    assert len(behind) == 8
    assert set(behind.values()) == {"upstream_failed"}
    assert tasks["publish_marts"] == tasks["build_docs"] == "upstream_failed"
    assert not recovery.was_published
    assert not [name for name in built(recovery.first_results) if name.startswith("snapshot_")]


def test_a_resumed_run_is_the_same_run_and_ends_green(
    scenario: DagScenario, recovery: Recovery
) -> None:
    assert recovery.resumed["run_id"] == recovery.failed["run_id"]
    assert recovery.resumed["state"] == "success"
    tasks = states(recovery.resumed)
    # No workspace of Power BI is configured here.
    assert tasks.pop("refresh_power_bi") == "skipped"
    assert set(tasks.values()) == {"success"}
    assert scenario.workspace.serving.exists()


def test_models_that_succeeded_do_not_run_again(recovery: Recovery) -> None:
    again = built(recovery.second_results)
    # What stands behind the broken model had not run at all.
    rebuilt = sorted(name for name in again if not name.startswith("snapshot_"))
    assert rebuilt == sorted([BROKEN_MODEL, *BEHIND_IT])
    assert sorted(name for name in again if name.startswith("snapshot_")) == [
        "snapshot_customers",
        "snapshot_products",
        "snapshot_sellers",
    ]
    first = built(recovery.first_results)
    assert not {BROKEN_MODEL, *BEHIND_IT} & set(first)
    assert len(first) == len(set(first)) > 60
    assert recovery.resumed["dbt"]["models_built"] == len(first) + len(again)


def test_the_alert_is_resolved_by_the_success(scenario: DagScenario, recovery: Recovery) -> None:
    assert recovery.resumed["state"] == "success"
    of_model = [
        each
        for each in scenario.alerts(also_resolved=True)
        if each.alert.subject == f"olist_production.{BROKEN_MODEL}"
    ]
    assert [each.resolved_at is not None for each in of_model] == [True]


def test_a_run_that_succeeded_cannot_be_resumed(scenario: DagScenario, recovery: Recovery) -> None:
    assert recovery.resumed["state"] == "success"
    assert "nothing to resume" in scenario.run(resume=True)["error"]


def test_a_late_source_and_a_used_up_budget_are_told_apart_and_stop_the_run(
    scenario: DagScenario, recovery: Recovery
) -> None:
    assert recovery.resumed["state"] == "success"
    scenario.set(production__landing_within_hours=24, monitoring__notional_budget_brl=0.000001)
    try:
        summary = scenario.run()
    finally:
        scenario.set(production__landing_within_hours=None, monitoring__notional_budget_brl=50)
    tasks = states(summary)
    assert tasks["preflight.check_landing"] == tasks["preflight.check_budget"] == "failed"
    assert tasks["load_raw"] == "upstream_failed"
    # What has failed reaches every task behind it in one look: DAG.test waits behind an empty one.
    assert "No tasks to run" not in Path(summary["log"]).read_text(encoding="utf-8")
    alerts = {each.alert.signal: each for each in scenario.alerts()}
    assert set(alerts) == {Signal.FRESHNESS, Signal.COST_BUDGET}
    assert alerts[Signal.FRESHNESS].alert.kind is AlertKind.DATA_QUALITY
    assert "the newest extract is of 2018" in alerts[Signal.FRESHNESS].alert.details[0]
    assert alerts[Signal.COST_BUDGET].alert.kind is AlertKind.COST_OVERRUN
    assert alerts[Signal.COST_BUDGET].alert.owner == "finance_reporting"
    assert [each.occurrences for each in alerts.values()] == [1, 1]


def test_a_failing_staging_test_stops_everything_and_is_told_once(
    scenario: DagScenario, recovery: Recovery
) -> None:
    assert recovery.resumed["state"] == "success"
    workspace = scenario.workspace
    serving = workspace.serving.read_bytes()
    # A later version of every order, of an unknown status.
    columns = [name for (name, *_) in workspace.rows("describe raw.orders")]
    changed = {
        "order_status": "'teleported'",
        "_loaded_at": "_loaded_at + interval 1 day",
        "_source_file": "replace(_source_file, 'dt=20', 'dt=21')",
    }
    selected = ", ".join(changed.get(column, column) for column in columns)
    workspace.change(f"insert into raw.orders select {selected} from raw.orders")

    summary = scenario.run()

    tasks = states(summary)
    assert tasks["gate_staging"] == "upstream_failed"
    # Also what is made of sellers and products alone.
    assert {state for task, state in tasks.items() if task.startswith("marts.")} == {
        "upstream_failed"
    }
    only_staging = {"staging.dbt_producer_watcher"}
    producers = {path.name.split(".try")[0] for path in scenario.results(summary["run_id"])}
    assert producers == only_staging
    assert workspace.serving.read_bytes() == serving
    failed_tests = {
        result["unique_id"].split(".")[2]
        for path in scenario.results(summary["run_id"])
        for result in json.loads(path.read_text(encoding="utf-8"))["results"]
        if result["status"] == "fail"
    }
    assert failed_tests
    of_tests = [each for each in scenario.alerts() if each.alert.signal is Signal.TEST_FAILURE]
    assert {each.alert.subject for each in of_tests} == failed_tests
    assert len(of_tests) == len(failed_tests)
    assert not [each for each in scenario.alerts() if each.alert.signal is Signal.TASK_FAILURE]


def test_a_development_build_stops_at_the_first_fault_in_a_file_of_its_own(
    scenario: DagScenario, recovery: Recovery
) -> None:
    assert recovery.resumed["state"] == "success"
    warehouse = scenario.workspace.warehouse
    before = warehouse.read_bytes()
    scenario.edit("base_sellers", lambda sql: sql + "\nwhere no_such_column = 1")

    summary = scenario.run("olist_development", parameters={"schema": "pr_12"})

    tasks = states(summary)
    assert summary["state"] == "failed"
    assert tasks["load_sample_source"] == "success"
    assert tasks["dbt.mart_seller_management.run"] in ("failed", "upstream_failed")
    # One dbt and no other: what it did not come to is not built after all.
    assert len(scenario.results(summary["run_id"])) == 1
    assert not [task for task in tasks if "snapshot" in task or "publish" in task]
    of_all = built(scenario.results(summary["run_id"]))
    assert not [name for name in of_all if name.startswith("mart_")]
    own = warehouse.parent / "development" / "pr_12" / warehouse.name
    assert own.is_file()
    assert warehouse.read_bytes() == before
