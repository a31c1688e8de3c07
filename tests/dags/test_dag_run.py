"""The demo and its production DAG run for real, on one home, because a whole run takes a minute.

First as a newcomer runs it; again after a run that was killed; runs that are stopped, a gate that
holds. The order of the tests is that of the runs.
"""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from olist_workspace import Workspace
from waiting import wait_until

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
# `olist demo`, and what it was told of its DAG run beside what it prints.
DEMO = """
import dataclasses, json, sys
from pathlib import Path
from olist_platform import demo as demo_run
from olist_platform.cli.demo import demo

told, run_demo = [], demo_run.run_demo

def watched(environment, steps, *arguments, **options):
    show = steps.task
    def task(*change):
        told.append(change)
        show(*change)
    steps.task = task
    result = run_demo(environment, steps, *arguments, **options)
    summary = dataclasses.asdict(result.dag) | {"told": told}
    Path(sys.argv[2]).write_text(json.dumps(summary, default=str), encoding="utf-8")
    return result

demo_run.run_demo = watched
demo(Path(sys.argv[1]), allow_missing=True)
"""


def start(workspace: Workspace, script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=workspace.environment_variables(),
        stdout=subprocess.PIPE,
        text=True,
    )


def run(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    output, _ = start(workspace, RUN, *arguments).communicate(timeout=300)
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


KPIS = "select * from mart_executive_kpis order by all"


@dataclass(frozen=True)
class FirstDemo:
    """A home after its first demo, and what that printed and built."""

    workspace: Workspace
    printed: str
    gmv: str
    publication: str
    kpis: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def first_demo(make_workspace: Callable[[str], Workspace], olist_sample: Path) -> FirstDemo:
    workspace = make_workspace("demo")
    return FirstDemo(
        workspace,
        workspace.olist("demo", "--from", olist_sample, "--allow-missing"),
        workspace.olist(
            "query", "-f", "csv",
            "select sum(gmv) as gmv from mart_executive_kpis where period_type = 'month'",
        ),
        workspace.olist("query", "--format", "csv", "from publication"),
        workspace.rows(KPIS),
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(first_demo: FirstDemo) -> Workspace:
    return first_demo.workspace


def test_the_demo_runs(first_demo: FirstDemo) -> None:
    printed = first_demo.printed
    assert "incremental run" not in printed
    assert "geolocation" in printed
    assert "56,783 rows" in printed
    assert "2018-07" in printed
    assert "33,211.76" in printed
    assert "0 failed" in printed
    assert first_demo.gmv == '"gmv"\n547666.75\n'
    assert "mart_executive_kpis" in first_demo.publication
    page = first_demo.workspace.home / "data" / "local" / "dashboards" / "index.html"
    assert printed.splitlines()[-1].split() == ["dashboards", page.as_uri()]
    assert "<title>Executive performance" in page.read_text(encoding="utf-8")


def test_its_dags_start_once_they_are_triggered(first_demo: FirstDemo) -> None:
    database = first_demo.workspace.home / "data" / "local" / "airflow" / "airflow.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        dags = connection.execute("select dag_id, is_paused from dag order by 1").fetchall()
    assert ("olist_production", 0) in dags
    assert {is_paused for _, is_paused in dags} == {0}


def stop_while_dbt_works(workspace: Workspace, signal_number: int) -> subprocess.Popen[str]:
    command = start(workspace, RUN)
    # The process of Airflow, and then dbt, which has a session of its own.
    wait_until(lambda: len(processes_of(workspace)) > 1, seconds=120)
    command.send_signal(signal_number)
    command.communicate(timeout=30)
    return command


@dataclass(frozen=True)
class Repetition:
    """What the second demo printed, and the summary of its DAG run."""

    printed: str
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def repetition(home: Workspace, olist_sample: Path) -> Repetition:
    """A whole demo on the home of a run whose command was killed while dbt worked."""
    # So that the killed run has to build, as a first one has.
    home.change(*(f"drop schema {layer} cascade" for layer in ("marts", "intermediate")))
    stop_while_dbt_works(home, signal.SIGKILL)
    summary = home.home / "summary.json"
    command = start(home, DEMO, olist_sample, summary)
    printed, _ = command.communicate(timeout=500)
    assert command.returncode == 0, printed
    return Repetition(printed, json.loads(summary.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def second_run(repetition: Repetition) -> dict[str, Any]:
    return repetition.summary


def test_it_runs_on_the_home_of_a_killed_run(second_run: dict[str, Any]) -> None:
    assert second_run["state"] == "success"
    tasks = states(second_run)
    # No workspace of Power BI is configured here.
    assert tasks.pop("refresh_power_bi") == "skipped"
    assert set(tasks.values()) == {"success"}
    assert second_run["dbt"]["tests_failed"] == 0
    assert second_run["dbt"]["tests_passed"] > 100
    assert dict(second_run["told"])["marts.mart_executive_kpis.run"] == "success"


def test_the_repetition_of_the_demo_is_incremental(
    first_demo: FirstDemo, repetition: Repetition
) -> None:
    assert "incremental run: 0 new files, 8 already loaded" in repetition.printed
    home = first_demo.workspace
    assert home.rows(KPIS) == first_demo.kpis
    assert home.rows("select sum(gmv) from int_sales_analysis") == [(Decimal("547666.75"),)]
    [(gmv,)] = home.rows("select sum(gmv) from mart_executive_kpis where period_type = 'month'")
    assert str(gmv) == "547666.75"


def published(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(workspace.serving), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_what_passed_is_published_with_the_build_that_tested_it(
    home: Workspace, second_run: dict[str, Any]
) -> None:
    assert states(second_run)["publish_marts"] == "success"
    assert published(home, KPIS) == home.rows(KPIS)
    manifest = json.loads(
        (home.home / "data" / "local" / "dbt" / "manifest.json").read_text(encoding="utf-8")
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
        home, "select relation_name, dbt_invocation_id, as_of_date::varchar from publication"
    )
    assert {name for name, *_ in rows} == marts
    kept = (home.home / "data" / "local" / "dbt" / "runs").rglob("*.json")
    invocations = {
        json.loads(path.read_text(encoding="utf-8"))["metadata"]["invocation_id"] for path in kept
    }
    assert {invocation for _, invocation, _ in rows} <= invocations
    assert {day for _, _, day in rows if day} == {"2018-08-29"}


def test_snapshots_are_taken_in_the_same_run(home: Workspace, second_run: dict[str, Any]) -> None:
    of_snapshots = {
        task: state for task, state in states(second_run).items() if ".snapshot_" in task
    }
    assert len(of_snapshots) == 6
    assert set(of_snapshots.values()) == {"success"}
    assert home.rows("select count(*), count(dbt_valid_to) from snapshots.snapshot_sellers") == [
        (3095, 0)
    ]


def test_dbt_leaves_nothing_in_the_project(home: Workspace, second_run: dict[str, Any]) -> None:
    assert second_run["state"] == "success"
    assert not (home.home / "dbt" / "target").exists()
    assert not (home.home / "dbt" / "logs").exists()
    kept = home.home / "data" / "local" / "dbt" / "runs"
    assert [path.name for path in kept.rglob("*.json")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_leaves_no_process(
    home: Workspace, second_run: dict[str, Any], number: int
) -> None:
    assert second_run["state"] == "success"
    command = stop_while_dbt_works(home, number)
    assert command.returncode not in (0, None)
    assert processes_of(home) == []


def test_a_landing_file_that_cannot_be_loaded_stops_the_run(
    home: Workspace, second_run: dict[str, Any]
) -> None:
    assert second_run["state"] == "success"
    before = home.rows(KPIS)
    serving = home.serving.read_bytes()
    broken = home.landing / "orders" / "dt=2018-09-01" / "olist_orders_dataset.csv.gz"
    broken.parent.mkdir()
    broken.write_bytes(b"cut off")

    summary = run(home, "check")

    assert "orders/dt=2018-09-01/olist_orders_dataset.csv.gz" in summary["error"]
    assert "load_raw" in summary["error"]
    assert home.rows(KPIS) == before
    assert home.serving.read_bytes() == serving
