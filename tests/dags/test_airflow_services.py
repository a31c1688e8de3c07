"""Airflow as people operate it: started by a command, killed in the middle, stopped cleanly."""

import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from free_port import free_port
from olist_platform.airflow_home import airflow_database
from olist_workspace import ROOT, Workspace
from prepared_workspaces import GENERATED_ORDERS
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_PATIENCE_SECONDS = 600
COMPONENTS = {"api-server", "dag-processor", "scheduler", "triggerer"}


def airflow_folder(workspace: Workspace) -> Path:
    return workspace.home / "data" / "local" / "airflow"


def components(workspace: Workspace) -> dict[str, int]:
    path = airflow_folder(workspace) / "services.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    return {name: entry["pid"] for name, entry in state["components"].items()}


def processes_of(workspace: Workspace) -> list[psutil.Process]:
    home = str(airflow_folder(workspace))
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("OLIST_AIRFLOW_SERVICES") == home:
                found.append(process)
        except psutil.Error:
            continue
    return found


def is_building(workspace: Workspace) -> bool:
    for process in processes_of(workspace):
        try:
            if {"dbt", "build"} <= {part.rsplit("/", 1)[-1] for part in process.cmdline()}:
                return True
        except psutil.Error:
            continue
    return False


def ask(workspace: Workspace, sql: str) -> list[tuple[object, ...]]:
    path = airflow_database(airflow_folder(workspace))
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def log_of(workspace: Workspace, component: str) -> str:
    path = airflow_folder(workspace) / "logs" / "services" / f"{component}.log"
    return path.read_text(encoding="utf-8", errors="replace")


def wait_for(condition: Callable[[], object]) -> None:
    wait_until(condition, seconds=_PATIENCE_SECONDS, every=0.5)


# Every task that waits is a process of some seconds here, so not all stages of production's DAG.
SMALL_DAG = """
from airflow.sdk import DAG, chain

from olist_dags.cosmos_config import stage_task_group
from olist_dags.dag_environment import current_environment
from olist_dags.raw_loading import fill_raw
from olist_dags.run_plan import run_params
from olist_dags.task_defaults import max_active_tasks, task_defaults
from olist_platform.build_stages import BuildStage

_environment = current_environment()

with DAG(
    dag_id="olist_small",
    schedule=None,
    max_active_tasks=max_active_tasks(_environment),
    default_args=task_defaults(_environment),
    params=run_params(),
) as dag:
    chain(fill_raw(_environment), stage_task_group(_environment, BuildStage.SNAPSHOTS))
"""
ORDERS = "select count(*), count(distinct _source_row) from raw.orders"
HISTORIES = "select count(*), count(distinct dbt_scd_id) from snapshots.snapshot_customers"


@pytest.fixture(scope="module")
def workspace(copy_of_generated: Callable[[str], Workspace]) -> Iterator[Workspace]:
    """A built warehouse, and a DAG that loads and builds on."""
    made = copy_of_generated("services")
    (made.home / "dags").unlink()
    (made.home / "dags").mkdir()
    (made.home / "dags" / "olist_dags").symlink_to(ROOT / "dags" / "olist_dags")
    (made.home / "dags" / "olist_small.py").write_text(SMALL_DAG, encoding="utf-8")
    yield made
    made.olist("down")


def test_a_run_killed_in_the_middle_ends_green_with_no_doubled_rows(workspace: Workspace) -> None:
    port = free_port()
    orders, histories = workspace.rows(ORDERS), workspace.rows(HISTORIES)
    workspace.change(
        "delete from raw.orders", "delete from raw.load_history where dataset = 'orders'"
    )
    printed = workspace.olist("up", "--port", str(port))
    assert f"Airflow runs at http://127.0.0.1:{port}" in printed
    assert set(components(workspace)) == COMPONENTS
    wait_for(lambda: ask(workspace, "select dag_id from dag") == [("olist_small",)])
    workspace.olist("airflow", "--", "dags", "trigger", "olist_small")
    wait_for(lambda: is_building(workspace))
    # What it had begun goes on without it: Airflow's tasks are processes of their own.
    os.kill(components(workspace)["scheduler"], signal.SIGKILL)
    assert is_building(workspace)

    assert "Airflow runs at" in workspace.olist("up", "--port", str(port))
    # Those that were killed are known as dead, so that the new scheduler takes over at once.
    assert ask(workspace, "select job_type from job where state = 'running' order by job_type") == [
        ("DagProcessorJob",),
        ("SchedulerJob",),
        ("TriggererJob",),
    ]

    wait_for(lambda: ask(workspace, "select state from dag_run") != [("running",)])
    assert ask(workspace, "select state from dag_run") == [("success",)]
    # dbt ran for all snapshots at once again, and none had to start a dbt of its own.
    assert ask(
        workspace,
        "select task_id, try_number, state from task_instance where try_number > 1",
    ) == [("snapshots.dbt_producer_watcher", 2, "success")], log_of(workspace, "scheduler")
    assert workspace.rows(ORDERS) == orders
    assert orders[0][0] == orders[0][1] >= GENERATED_ORDERS
    assert workspace.rows(HISTORIES) == histories
    assert histories[0][0] == histories[0][1] > 0


def test_starting_what_runs_changes_nothing(workspace: Workspace) -> None:
    before = components(workspace)
    assert "Airflow already runs at" in workspace.olist("up", "--port", str(free_port()))
    assert components(workspace) == before


def test_a_run_of_the_demo_is_refused_meanwhile(workspace: Workspace) -> None:
    printed = workspace.olist("demo", expect=1)
    assert "Airflow is running on this warehouse" in printed
    assert "make down" in printed


def test_stopping_leaves_no_process(workspace: Workspace) -> None:
    assert "stopped 4 of Airflow's parts" in workspace.olist("down")
    assert processes_of(workspace) == []
    assert "Airflow was not running" in workspace.olist("down")


def test_a_taken_port_is_a_clear_error(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        printed = workspace.olist("up", "--port", str(port), expect=1)
    assert f"port {port} of this machine is taken" in printed
    assert "olist up --port" in printed
    assert processes_of(workspace) == []


def test_a_part_that_does_not_start_is_named_with_its_log(workspace: Workspace) -> None:
    database = airflow_database(airflow_folder(workspace))
    database.write_bytes(b"this is no database" * 1000)
    # A part that had to be killed leaves its log of changes, of which SQLite would take pages.
    for log_of_changes in database.parent.glob(f"{database.name}-*"):
        log_of_changes.unlink()

    printed = workspace.olist("up", "--port", str(free_port()), expect=1)

    assert "ended as it started" in printed
    assert "file is not a database" in printed
    assert str(database.parent / "logs" / "services") in printed
    assert processes_of(workspace) == []
