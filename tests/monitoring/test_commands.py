"""`olist status`, `olist monitor` and `olist cost` as a person runs them."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from monitored_place import MonitoredPlace, environment, node_run, quality
from olist_workspace import OLIST, Workspace
from recorded_figures import recorded_figures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("monitoring_commands")


@pytest.fixture(scope="module")
def here(workspace: Workspace) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        yield patch


@pytest.fixture(scope="module")
def place(here: Any) -> MonitoredPlace:
    """What was built in the last hour, by the clock of whoever runs the tests."""
    del here
    place = MonitoredPlace(environment(dashboards_ready_by=None))
    place.now = datetime.now(UTC).replace(microsecond=0)
    place.rebuild()
    shift = place.now.replace(tzinfo=None) - timedelta(hours=1)
    newest = max(row["run_started_at"] for row in place.tables["dbt_run_costs"])
    for row in place.tables["dbt_run_costs"]:
        row["run_started_at"] += shift - newest
        row["captured_at"] += shift - newest
    began = place.now - timedelta(hours=1)
    place.airflow_runs = [
        ("olist_production", None, "success", began, began + timedelta(seconds=95))
    ]
    return place


def status(workspace: Workspace, expect: int, *arguments: str) -> str:
    return workspace.olist("status", *arguments, expect=expect)


def test_before_anything_ran_there_is_nothing_to_tell(workspace: Workspace, here: Any) -> None:
    del here
    printed = status(workspace, 0)
    assert "all is well" in printed
    assert "no run yet" in printed
    assert "nothing is published yet" in printed


def test_a_quiet_environment_is_green(workspace: Workspace, place: MonitoredPlace) -> None:
    place.leave()
    printed = status(workspace, 0)
    assert "pipeline    ok" in printed
    assert "took 95 s" in printed
    assert "2 published 0 min ago, as of 2018-08-31" in printed
    assert "1 passed, 0 failed" in printed
    assert "2 datasets, lowest orders 0.990, at least 0.9" in printed
    assert "of 50 BRL notional" in printed
    assert "none open" in printed
    assert "what fails" not in printed


def test_faults_are_told_by_state_and_exit_code(
    workspace: Workspace, place: MonitoredPlace
) -> None:
    place.tables["monitoring_data_quality"] = [quality("orders"), quality("reviews", 0.7)]
    place.leave()
    printed = status(workspace, 3)
    assert "worst: medium" in printed
    expected = r"medium +reviews +The quality score .* 0\.70 points, expected at least 0\.90 points"
    assert re.search(rf"{expected} +not told yet", printed)
    place.airflow_runs[0] = (*place.airflow_runs[0][:2], "failed", *place.airflow_runs[0][3:])
    place.leave()
    found = json.loads(status(workspace, 4, "--json"))
    assert found["worst"] == "high"
    assert {line["area"]: line["state"] for line in found["lines"]} | {"pipeline": "high"} == {
        "pipeline": "high", "dashboards": "unknown", "sources": "ok", "marts": "ok", "tests": "ok",
        "quality": "medium", "anomalies": "ok", "durations": "ok", "business": "ok", "cost": "ok",
        "alerts": "ok", "outbox": "ok",
    }  # fmt: skip
    [finding] = found["findings"]
    assert (finding["subject"], finding["value"], finding["at_least"]) == ("reviews", 0.7, 0.9)
    assert finding["runbook"] == "quality-score.md"
    assert found["budgets"][0]["unit"] == "BRL notional"


@pytest.mark.parametrize("columns", [80, 120])
def test_no_screen_is_wider_than_its_terminal(
    workspace: Workspace, place: MonitoredPlace, columns: int
) -> None:
    place.leave()
    lines = subprocess.run(
        [OLIST, "status"],
        env=workspace.environment_variables() | {"COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    assert 12 < len(lines) <= 24
    assert max(len(line) for line in lines) <= columns


def test_monitor_raises_keeps_and_resolves(workspace: Workspace, place: MonitoredPlace) -> None:
    place.tables["monitoring_data_quality"] = [quality("orders"), quality("reviews", 0.7)]
    place.leave()
    printed = workspace.olist("monitor")
    assert "reviews: The quality score of a dataset fell below its threshold." in printed
    assert "1 alerts raised" in printed
    assert "0 alerts raised, 1 known already" in workspace.olist("monitor")
    assert "under a minute" in status(workspace, 4)
    place.tables["monitoring_data_quality"] = [quality("orders"), quality("reviews", 0.99)]
    place.leave()
    assert "1 resolved" in workspace.olist("monitor")
    passes = {each.checked_at for each in recorded_figures(place.environment, place.now)}
    assert len(passes) == 3


def test_costs_by_everything_one_pays_for(workspace: Workspace, place: MonitoredPlace) -> None:
    runs = place.tables["dbt_run_costs"]
    began = runs[-1]["run_started_at"].replace(tzinfo=UTC)
    runs.append(node_run("model.olist.dear", started_at=began, seconds=8000, relation_rows=500_000))
    place.leave()
    printed = workspace.olist("cost")
    assert "of 50 BRL notional" in printed
    assert "model.olist.dear" in printed
    assert "It writes 500,000 rows anew in each of 1 runs" in printed
    by_run = json.loads(workspace.olist("cost", "--by", "dag-run", "--json"))
    assert by_run["columns"][0] == "DAG run"
    total = sum(row["notional_cost"] for row in runs)
    assert sum(row[1] for row in by_run["rows"]) == pytest.approx(total)
    for by in ("model", "warehouse", "day"):
        answer = json.loads(workspace.olist("cost", "--by", by, "--json"))
        assert sum(row[1] for row in answer["rows"]) == pytest.approx(total)


def test_a_warehouse_that_somebody_builds_is_no_obstacle(
    workspace: Workspace, place: MonitoredPlace
) -> None:
    """DuckDB gives its file to one writer: monitoring does not ask for it."""
    place.leave()
    with duckdb.connect(workspace.warehouse) as writer:
        writer.execute("create or replace table being_built as select 1 as number")
        assert "figures checked" in workspace.olist("monitor")
