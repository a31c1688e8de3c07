"""Monitoring and delivery: what Airflow reads of their DAGs, and a run beside a build."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from alert_scenario import failure
from monitored_place import MonitoredPlace, environment, quality
from olist_platform.airflow_home import airflow_home, airflow_variables, prepare_airflow_home
from olist_platform.alerts.router import delivered_folder, open_outbox, raise_alert
from olist_workspace import ROOT, Workspace
from recorded_figures import recorded_figures
from yaml_files import read_yaml

pytestmark = pytest.mark.slow

DESCRIBE = """
import json, os, sys, time
began = time.perf_counter()
from airflow.dag_processing.dagbag import BundleDagBag
loaded = time.perf_counter()
folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
bag = BundleDagBag(
    dag_folder=f"{folder}/{sys.argv[2]}.py", bundle_path=folder, bundle_name="test"
)
(dag,) = bag.dags.values()
json.dump({
    "errors": list(bag.import_errors.values()), "id": dag.dag_id, "schedule": dag.schedule,
    "catchup": dag.catchup, "runs": dag.max_active_runs, "tags": sorted(dag.tags),
    "seconds": time.perf_counter() - loaded, "heavy": sorted({"duckdb", "snowflake", "pyarrow",
    "polars"} & set(sys.modules)),
    "tasks": {task.task_id: {
        "upstream": sorted(task.upstream_task_ids), "owner": task.owner,
        "retries": task.retries, "timeout": task.execution_timeout.total_seconds(),
        "rule": task.trigger_rule.value,
        "teardown": task.is_teardown, "alerts": bool(task.on_failure_callback),
    } for task in dag.tasks},
}, open(sys.argv[1], "w"))
"""


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("monitoring_dag")


@pytest.mark.parametrize("name", ["local", "prod"])
def test_settings_come_from_the_environment(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    dag, settings = described(workspace, tmp_path, name, "olist_monitoring")
    assert dag["schedule"] == settings["monitoring"]["schedule"]
    assert dag["tags"] == sorted(["olist", "monitoring", name])
    assert dag["tasks"]["run_checks"]["retries"] == settings["airflow"]["retries"]
    assert dag["tasks"]["settle_alerts"]["upstream"] == ["run_checks"]
    # Credits are Snowflake's; what could not be reconciled keeps no check back.
    reconciled = ["reconcile_run_costs"] if name == "prod" else []
    assert dag["tasks"].keys() == {"run_checks", "settle_alerts", *reconciled}
    assert dag["tasks"]["run_checks"]["upstream"] == reconciled
    assert dag["tasks"]["run_checks"]["rule"] == "all_done"
    assert dag["tasks"]["settle_alerts"]["teardown"]


@pytest.mark.parametrize(("name", "schedule"), [("local", None), ("prod", "*/5 * * * *")])
def test_alerts_are_delivered_every_few_minutes(
    workspace: Workspace, tmp_path: Path, name: str, schedule: str | None
) -> None:
    dag, _ = described(workspace, tmp_path, name, "olist_alert_delivery")
    assert dag["schedule"] == schedule
    assert dag["tags"] == sorted(["olist", "alerts", name])
    assert list(dag["tasks"]) == ["settle_alerts"]
    # What fails is tried in five minutes anyway.
    assert dag["tasks"]["settle_alerts"]["retries"] == 0
    assert not dag["tasks"]["settle_alerts"]["teardown"]


def described(
    workspace: Workspace, tmp_path: Path, name: str, dag_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Airflow reads of a DAG that needs no manifest, and its environment's settings."""
    output = tmp_path / "described.json"
    subprocess.run(
        [sys.executable, "-c", DESCRIBE, str(output), dag_id],
        env=workspace.environment_variables()
        | {
            "OLIST_ENV": name,
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(workspace.home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        check=True,
        capture_output=True,
    )
    dag: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    settings = read_yaml(ROOT / "environments" / f"{name}.yaml")
    assert dag["errors"] == []
    assert (dag["id"], dag["catchup"], dag["runs"]) == (dag_id, False, 1)
    # No manifest is needed, and nothing that is only used in a task.
    assert dag["heavy"] == []
    for task in dag["tasks"].values():
        assert task["alerts"]
        assert task["timeout"] == settings["airflow"]["task_timeout_minutes"] * 60
        assert task["owner"] == "data_platform"
    return dag, settings


def run_dag(workspace: Workspace, dag_id: str) -> int:
    """Run a DAG through Airflow, as `olist airflow` would; return how it ended."""
    settings = environment()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        home = prepare_airflow_home(settings)
        variables = airflow_variables(settings, home)
    order, report = workspace.home / "order.json", workspace.home / "report.json"
    order.write_text(json.dumps({"dag_id": dag_id, "resume": False, "conf": {}}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "olist_platform.dag_run_process", str(order), str(report)],
        env=os.environ | {"OLIST_HOME": str(workspace.home)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode


def test_a_run_through_airflow_beside_a_build(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_HOME", str(workspace.home))
    place = MonitoredPlace(environment())
    place.tables["monitoring_data_quality"] = [quality("orders", 0.4)]
    place.leave()
    (airflow_home(place.environment) / "airflow.db").unlink()
    workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(workspace.warehouse) as writer:
        writer.execute("create table being_built as select 1 as number")
        assert run_dag(workspace, "olist_monitoring") == 0
        raise_alert(place.environment, failure(environment=place.environment.name), place.now)
        assert run_dag(workspace, "olist_alert_delivery") == 0
    alerts = {each.alert.subject: each.sent for each in open_outbox(place.environment).alerts()}
    # What another DAG raised is told by the delivery's run.
    assert alerts["olist_production.int_orders"] == 1
    # Told by the same run, by the channels of an environment that has files for them.
    assert alerts["orders"] == 1
    assert any(
        "orders" in path.read_text() for path in delivered_folder(place.environment).iterdir()
    )
    assert {each.check for each in recorded_figures(place.environment, place.now)} >= {
        "quality_score",
        "budget",
        "mart_freshness",
    }


def test_an_outbox_that_cannot_be_used_fails_the_delivery(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_HOME", str(workspace.home))
    outbox = workspace.home / "data" / "local" / "alerts"
    shutil.rmtree(outbox, ignore_errors=True)
    outbox.parent.mkdir(parents=True, exist_ok=True)
    outbox.write_text("in the way", encoding="utf-8")
    assert run_dag(workspace, "olist_alert_delivery") == 1
