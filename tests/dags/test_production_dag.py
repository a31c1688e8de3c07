"""The production DAG as Airflow reads it: its settings, its tasks, its order, its import errors."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from olist_workspace import ROOT, Workspace

pytestmark = pytest.mark.slow

# Airflow reads its settings when it is imported, so each look at the DAG is a process of its own.
DESCRIBE = """
import json, os, sys
from airflow.dag_processing.dagbag import BundleDagBag

bag = BundleDagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"],
                   bundle_path=os.environ["AIRFLOW__CORE__DAGS_FOLDER"], bundle_name="test")
described = {"errors": [text for text in bag.import_errors.values()], "dags": {}}
for dag in bag.dags.values():
    dag.validate()
    described["dags"][dag.dag_id] = {
        "catchup": dag.catchup, "max_active_runs": dag.max_active_runs, "tags": sorted(dag.tags),
        "max_active_tasks": dag.max_active_tasks, "doc": dag.doc_md, "schedule": dag.schedule,
        "tasks": {task.task_id: {
            "upstream": sorted(task.upstream_task_ids), "owner": task.owner,
            "all_upstream": sorted(task.get_flat_relative_ids(upstream=True)),
            "retries": task.retries, "delay": task.retry_delay.total_seconds(),
            "backoff": bool(task.retry_exponential_backoff),
            "timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
            "rule": str(task.trigger_rule), "node": getattr(task, "model_unique_id", None),
            "tests": getattr(task, "is_test_sensor", False),
            "command": getattr(task, "base_cmd", None),
            "outlets": [outlet.name for outlet in task.outlets],
        } for task in dag.tasks},
    }
json.dump(described, open(sys.argv[1], "w"))
"""


def describe(workspace: Workspace, scratch: Path, environment_name: str | None) -> dict[str, Any]:
    airflow_settings = {
        "AIRFLOW_HOME": str(scratch / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(workspace.home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    variables = workspace.environment_variables() | airflow_settings
    variables.pop("OLIST_ENV", None)
    if environment_name is not None:
        variables["OLIST_ENV"] = environment_name
    output = scratch / "described.json"
    command = [sys.executable, "-c", DESCRIBE, str(output)]
    subprocess.run(command, env=variables, check=True, capture_output=True)
    described: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return described


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = make_workspace("dag_integrity")
    workspace.olist("dbt", "--", "parse", "--quiet")
    # Rendering needs no connection, so one manifest serves to look at both engines' DAGs.
    local = workspace.home / "data" / "local" / "dbt" / "manifest.json"
    prod = workspace.home / "data" / "prod" / "dbt" / "manifest.json"
    prod.parent.mkdir(parents=True)
    prod.write_bytes(local.read_bytes())
    return workspace


@pytest.fixture(scope="module")
def manifest(workspace: Workspace) -> dict[str, Any]:
    path = workspace.home / "data" / "local" / "dbt" / "manifest.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module", params=["local", "prod"])
def environment_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def dag(
    workspace: Workspace, environment_name: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    described = describe(workspace, tmp_path_factory.mktemp("described"), environment_name)
    assert described["errors"] == []
    assert {"olist_monitoring", "olist_production"} <= set(described["dags"])
    dag: dict[str, Any] = described["dags"]["olist_production"]
    return dag


def test_settings_come_from_the_environment(dag: dict[str, Any], environment_name: str) -> None:
    path = ROOT / "environments" / f"{environment_name}.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))["airflow"]
    assert dag["schedule"] == settings["schedule"]
    assert dag["catchup"] is False
    assert dag["max_active_runs"] == 1
    assert dag["tags"] == sorted(["olist", "production", environment_name])
    assert "marts keep their previous content" in " ".join(dag["doc"].split())
    for task_id, task in dag["tasks"].items():
        assert task["timeout"] == settings["task_timeout_minutes"] * 60, task_id
        # The second try of the task that runs dbt only hands over to the models' own tries.
        if not task_id.endswith("dbt_producer_watcher"):
            assert task["retries"] == settings["retries"], task_id
            assert task["delay"] == settings["retry_delay_seconds"], task_id
            assert task["backoff"], task_id


def test_every_model_seed_and_snapshot_has_one_task_and_one_for_its_tests(
    dag: dict[str, Any], manifest: dict[str, Any]
) -> None:
    nodes = manifest["nodes"]
    kinds = ("model", "seed", "snapshot")
    built = {uid for uid, node in nodes.items() if node["resource_type"] in kinds}
    snapshots = {uid.split(".")[2] for uid in built if uid.startswith("snapshot.")}
    assert snapshots == {"snapshot_customers", "snapshot_products", "snapshot_sellers"}
    tested = {
        parent
        for node in nodes.values()
        if node["resource_type"] == "test"
        for parent in node["depends_on"]["nodes"]
    }
    tasks = [task for task in dag["tasks"].values() if task["node"]]
    assert sorted(task["node"] for task in tasks if not task["tests"]) == sorted(built)
    assert sorted(task["node"] for task in tasks if task["tests"]) == sorted(tested & built)


def test_a_model_comes_behind_the_tests_of_what_it_reads(
    dag: dict[str, Any], manifest: dict[str, Any]
) -> None:
    tasks = dag["tasks"]
    by_node = {(task["node"], task["tests"]): task_id for task_id, task in tasks.items()}
    checked = 0
    for task in tasks.values():
        if task["node"] is None or task["tests"]:
            continue
        for parent in manifest["nodes"][task["node"]]["depends_on"].get("nodes", []):
            for gate in ((parent, False), (parent, True)):
                if gate in by_node:
                    assert by_node[gate] in task["all_upstream"]
                    checked += 1
        assert task["rule"] == "TriggerRule.ALL_SUCCESS"
    assert checked > 20
    layers = {
        uid: node["config"]["schema"]
        for uid, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    mart = next(task for task in tasks.values() if layers.get(task["node"]) == "marts")
    above = {layers.get(tasks[task_id]["node"]) for task_id in mart["all_upstream"]}
    assert {"staging", "intermediate"} <= above


def test_a_retry_of_a_model_builds_it_behind_its_tests(dag: dict[str, Any]) -> None:
    for task in dag["tasks"].values():
        if task["node"]:
            assert task["command"] == (["test"] if task["tests"] else ["build"])


def test_owners_are_dbt_groups(dag: dict[str, Any], manifest: dict[str, Any]) -> None:
    groups = {group["name"] for group in manifest["groups"].values()}
    assert {task["owner"] for task in dag["tasks"].values()} <= groups


def test_raw_is_loaded_first_where_no_snowpipe_does(
    dag: dict[str, Any], environment_name: str
) -> None:
    tasks = dag["tasks"]
    assert ("load_raw" in tasks) == (environment_name == "local")
    if environment_name == "local":
        assert dag["max_active_tasks"] == 1
        others = [task for task_id, task in tasks.items() if task_id != "load_raw"]
        assert all("load_raw" in task["all_upstream"] for task in others)


def test_marts_are_published_behind_everything_and_docs_behind_them(dag: dict[str, Any]) -> None:
    tasks = dag["tasks"]
    assert tasks["publish_marts"]["outlets"] == ["olist_marts"]
    behind = {"publish_marts", "build_docs"}
    assert set(tasks["publish_marts"]["all_upstream"]) == set(tasks) - behind
    assert tasks["build_docs"]["upstream"] == ["publish_marts"]
    assert tasks["publish_marts"]["rule"] == "TriggerRule.ALL_SUCCESS"


@pytest.mark.parametrize(
    ("environment_name", "told"),
    [
        (None, "OLIST_ENV is not set"),
        ("staging", "OLIST_ENV=staging: unknown environment 'staging'; use one of: local, dev"),
        ("dev", "manifest.json: the dbt manifest is missing; run: olist dbt --env dev -- parse"),
    ],
)
def test_what_is_missing_is_an_import_error_that_names_it(
    workspace: Workspace, tmp_path: Path, environment_name: str | None, told: str
) -> None:
    described = describe(workspace, tmp_path, environment_name)
    assert described["dags"] == {}
    assert len(described["errors"]) == 1
    assert told in described["errors"][0]
