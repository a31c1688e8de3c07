"""The production DAG run for real: right figures, a gate that holds, runs that were killed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

RUN = """
import dataclasses, json, sys
from olist_platform.dag_run import run_production_dag
from olist_platform.environment import EnvironmentName, load_environment
from olist_platform.errors import OlistError

told = []
try:
    summary = run_production_dag(
        load_environment(EnvironmentName.LOCAL), lambda *change: told.append(change),
        check="check" in sys.argv)
except OlistError as error:
    print(json.dumps({"error": error.message}))
else:
    print(json.dumps(dataclasses.asdict(summary) | {"told": told}, default=str))
"""


def start(workspace: Workspace, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        env=workspace.environment_variables(),
        stdout=subprocess.PIPE,
        text=True,
    )


def run(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    output, _ = start(workspace, *arguments).communicate(timeout=300)
    summary: dict[str, Any] = json.loads(output)
    return summary


def states(summary: dict[str, Any]) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in summary["tasks"]}


def processes_of(workspace: Workspace) -> list[int]:
    home = str(workspace.home / "data" / "local" / "airflow")
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("OLIST_DAG_RUN_HOME") == home:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="module")
def landed(make_workspace: Callable[[str], Workspace], olist_sample: Path) -> Workspace:
    workspace = make_workspace("dag_run")
    workspace.olist("land", olist_sample, "--allow-missing")
    return workspace


def stop_while_dbt_works(workspace: Workspace, signal_number: int) -> subprocess.Popen[str]:
    command = start(workspace)
    # The process of Airflow, and then dbt, which has a session of its own.
    wait_until(lambda: len(processes_of(workspace)) > 1, 120)
    command.send_signal(signal_number)
    command.communicate(timeout=30)
    return command


@pytest.fixture(scope="module")
def first_run(landed: Workspace) -> dict[str, Any]:
    """A whole run on the home of one whose command was killed while dbt worked."""
    stop_while_dbt_works(landed, signal.SIGKILL)
    return run(landed, "check")


def test_it_runs_on_the_home_of_a_killed_run(first_run: dict[str, Any]) -> None:
    assert "error" not in first_run, first_run
    assert first_run["state"] == "success"
    assert set(states(first_run).values()) == {"success"}
    assert first_run["dbt"]["tests_failed"] == 0
    assert first_run["dbt"]["tests_passed"] > 100
    assert dict(first_run["told"])["marts.mart_executive_kpis.run"] == "success"


def test_the_figures_are_those_of_the_sample(landed: Workspace, first_run: dict[str, Any]) -> None:
    assert first_run["state"] == "success"
    [(gmv,)] = landed.rows("select sum(gmv) from mart_executive_kpis where period_type = 'month'")
    assert str(gmv) == "547666.75"


def published(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(workspace.serving), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_what_passed_is_published_with_the_build_that_tested_it(
    landed: Workspace, first_run: dict[str, Any]
) -> None:
    assert states(first_run)["publish_marts"] == "success"
    kpis = "select * from mart_executive_kpis order by all"
    assert published(landed, kpis) == landed.rows(kpis)
    manifest = json.loads(
        (landed.home / "data" / "local" / "dbt" / "manifest.json").read_text(encoding="utf-8")
    )
    marts = {
        name
        for _, _, name in (
            unique_id.split(".")
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] == "model" and node["schema"] == "marts"
        )
    }
    rows = published(
        landed, "select relation_name, dbt_invocation_id, as_of_date::varchar from publication"
    )
    assert {name for name, *_ in rows} == marts
    kept = (landed.home / "data" / "local" / "dbt" / "runs").rglob("*.json")
    invocations = {
        json.loads(path.read_text(encoding="utf-8"))["metadata"]["invocation_id"] for path in kept
    }
    assert {invocation for _, invocation, _ in rows} <= invocations
    assert {day for _, _, day in rows if day} == {"2018-08-29"}


def test_snapshots_are_taken_in_the_same_run(landed: Workspace, first_run: dict[str, Any]) -> None:
    of_snapshots = {
        task: state for task, state in states(first_run).items() if ".snapshot_" in task
    }
    assert len(of_snapshots) == 6
    assert set(of_snapshots.values()) == {"success"}
    assert landed.rows("select count(*), count(dbt_valid_to) from snapshots.snapshot_sellers") == [
        (3095, 0)
    ]


def test_dbt_leaves_nothing_in_the_project(landed: Workspace, first_run: dict[str, Any]) -> None:
    assert first_run["state"] == "success"
    assert not (landed.home / "dbt" / "target").exists()
    assert not (landed.home / "dbt" / "logs").exists()
    kept = landed.home / "data" / "local" / "dbt" / "runs"
    assert [path.name for path in kept.rglob("*.json")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_leaves_no_process(
    landed: Workspace, first_run: dict[str, Any], number: int
) -> None:
    assert first_run["state"] == "success"
    command = stop_while_dbt_works(landed, number)
    assert command.returncode not in (0, None)
    assert processes_of(landed) == []


def test_a_landing_file_that_cannot_be_loaded_stops_the_run(
    landed: Workspace, first_run: dict[str, Any]
) -> None:
    assert first_run["state"] == "success"
    before = landed.rows("select * from mart_executive_kpis order by all")
    serving = landed.serving.read_bytes()
    broken = landed.landing / "orders" / "dt=2018-09-01" / "olist_orders_dataset.csv.gz"
    broken.parent.mkdir()
    broken.write_bytes(b"cut off")

    summary = run(landed, "check")

    assert "orders/dt=2018-09-01/olist_orders_dataset.csv.gz" in summary["error"]
    assert "load_raw" in summary["error"]
    assert landed.rows("select * from mart_executive_kpis order by all") == before
    assert landed.serving.read_bytes() == serving
