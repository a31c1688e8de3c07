"""The production DAG as Airflow reads it: its settings, its tasks, its order, its import errors."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from olist_workspace import ROOT, Workspace
from yaml_files import read_yaml

pytestmark = pytest.mark.slow

# Airflow reads its settings when it is imported, so each look at the DAG is a process of its own.
DESCRIBE = """
import cProfile, json, os, pstats, sys
from airflow.dag_processing.dagbag import BundleDagBag

folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
parse = lambda: BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="test")
parse()  # A process that parses DAGs has imported what they import.
profile = cProfile.Profile()
bag = profile.runcall(parse)
as_list = lambda it: it if isinstance(it, list) else [it] if it else []
described = {"errors": [text for text in bag.import_errors.values()], "dags": {},
             "calls": pstats.Stats(profile).total_calls,
             "files": {name: os.path.basename(dag.fileloc) for name, dag in bag.dags.items()}}
for dag in bag.dags.values():
    dag.validate()
    described["dags"][dag.dag_id] = {
        "catchup": dag.catchup, "max_active_runs": dag.max_active_runs, "tags": sorted(dag.tags),
        "max_active_tasks": dag.max_active_tasks, "doc": dag.doc_md, "schedule": dag.schedule,
        "deadlines": [alert.interval.total_seconds() for alert in as_list(dag.deadline)],
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: {
            "upstream": sorted(task.upstream_task_ids), "owner": task.owner,
            "all_upstream": sorted(task.get_flat_relative_ids(upstream=True)),
            "retries": task.retries, "delay": task.retry_delay.total_seconds(),
            "backoff": bool(task.retry_exponential_backoff),
            "timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
            "rule": str(task.trigger_rule), "node": getattr(task, "model_unique_id", None),
            "tests": getattr(task, "is_test_sensor", False),
            "command": getattr(task, "base_cmd", None), "exclude": getattr(task, "exclude", None),
            "teardown": task.is_teardown, "flags": getattr(task, "dbt_cmd_flags", None),
            "tests_counted": sum(map(len, getattr(task, "tests_per_model", {}).values())),
            "alerts": bool(task.on_failure_callback),
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
    dag: dict[str, Any] = described["dags"]["olist_production"]
    others = {"development": described["dags"]["olist_development"]}
    return dag | others | {key: described[key] for key in ("calls", "files")}


def test_each_dag_has_a_file_of_its_name(dag: dict[str, Any]) -> None:
    """A run on one machine reads that file alone."""
    assert dag["files"] == {path.stem: path.name for path in (ROOT / "dags").glob("*.py")}
    assert "olist_monitoring" in dag["files"]


@pytest.fixture(scope="module")
def development(dag: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dag["development"]
    return found


def test_settings_come_from_the_environment(dag: dict[str, Any], environment_name: str) -> None:
    path = ROOT / "environments" / f"{environment_name}.yaml"
    settings = read_yaml(path)["airflow"]
    assert dag["schedule"] == settings["schedule"]
    assert dag["catchup"] is False
    assert dag["max_active_runs"] == 1
    assert dag["tags"] == sorted(["olist", "production", environment_name])
    assert "marts keep their previous content" in " ".join(dag["doc"].split())
    for task_id, task in dag["tasks"].items():
        assert task["alerts"], task_id
        if task_id == "wait_for_snowpipe":
            assert task["timeout"] == 61 * 60
            continue
        assert task["timeout"] == settings["task_timeout_minutes"] * 60, task_id
        # The second try of the task that runs dbt only hands over to the models' own tries, and
        # what is not delivered stays in the outbox.
        if not task_id.endswith(("dbt_producer_watcher", "settle_alerts")):
            assert task["retries"] == settings["retries"], task_id
            assert task["delay"] == settings["retry_delay_seconds"], task_id
            assert task["backoff"], task_id


def test_the_dags_are_parsed_with_a_bounded_number_of_calls(dag: dict[str, Any]) -> None:
    # Seconds are the machine's, calls are the code's: so many take about a second on the machines
    # this was written on, so all files together stay below what is expected of each.
    assert dag["calls"] < 3_800_000


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
        # What a partial run skips must not skip what stands behind it.
        assert task["rule"] == "TriggerRule.NONE_FAILED"
    assert checked > 20
    layers = {
        uid: node["config"]["schema"]
        for uid, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    mart = next(task for task in tasks.values() if layers.get(task["node"]) == "marts")
    above = {layers.get(tasks[task_id]["node"]) for task_id in mart["all_upstream"]}
    assert {"staging", "intermediate"} <= above


def test_unit_tests_judge_code_and_are_run_by_the_development_dag_alone(
    dag: dict[str, Any], development: dict[str, Any]
) -> None:
    tasks = dag["tasks"]
    producers = {task_id for task_id in tasks if task_id.endswith("dbt_producer_watcher")}
    assert len(producers) == 3
    for task_id, task in tasks.items():
        if task_id in producers:
            assert "resource_type:unit_test" in task["exclude"]
        elif task["tests"]:
            # On a retry it runs dbt itself.
            assert task["command"] == ["test"]
            assert "resource_type:unit_test" in task["flags"]
        elif task["node"]:
            assert task["command"] in (["run"], ["seed"], ["snapshot"])
    of_development = development["tasks"]["dbt.dbt_producer_watcher"]
    assert "unit_test" not in str(of_development["exclude"])


def test_owners_are_dbt_groups(dag: dict[str, Any], manifest: dict[str, Any]) -> None:
    groups = {group["name"] for group in manifest["groups"].values()}
    assert {task["owner"] for task in dag["tasks"].values()} <= groups


def test_raw_is_filled_behind_the_preflight(dag: dict[str, Any], environment_name: str) -> None:
    tasks = dag["tasks"]
    filling = {"load_raw", "wait_for_snowpipe"} & set(tasks)
    assert filling == {"load_raw" if environment_name == "local" else "wait_for_snowpipe"}
    preflight = {task for task in tasks if task.startswith("preflight.")}
    assert len(preflight) == 4
    [fill] = filling
    assert set(tasks[fill]["all_upstream"]) == preflight
    for task_id, task in tasks.items():
        if task_id not in preflight | filling:
            assert fill in task["all_upstream"], task_id
    assert dag["max_active_tasks"] == (1 if environment_name == "local" else 16)


def test_a_gate_stands_behind_all_of_a_stage_and_in_front_of_the_next(
    dag: dict[str, Any],
) -> None:
    tasks = dag["tasks"]
    for stage, next_stage in (("staging", "marts"), ("marts", "snapshots")):
        of_stage = {task for task in tasks if task.startswith(f"{stage}.")}
        assert len(of_stage) >= 8
        gate = f"gate_{stage}"
        assert of_stage <= set(tasks[gate]["all_upstream"])
        behind = [task for task in tasks if task.startswith(f"{next_stage}.")]
        assert behind
        assert all(gate in tasks[task]["all_upstream"] for task in behind)
        assert tasks[gate]["rule"] == "TriggerRule.NONE_FAILED"


def test_marts_are_published_behind_everything_and_docs_behind_them(dag: dict[str, Any]) -> None:
    tasks = dag["tasks"]
    assert tasks["publish_marts"]["outlets"] == ["olist_marts"]
    after = {"build_docs", "build_dashboards", "email_executives", "refresh_power_bi"}
    behind = {"publish_marts", "settle_alerts"} | after
    assert set(tasks["publish_marts"]["all_upstream"]) == set(tasks) - behind
    assert all(tasks[task]["upstream"] == ["publish_marts"] for task in after)
    assert tasks["publish_marts"]["rule"] == "TriggerRule.NONE_FAILED"


def test_alerts_are_settled_whatever_happened_and_decide_nothing(dag: dict[str, Any]) -> None:
    settling = [task_id for task_id, task in dag["tasks"].items() if task["teardown"]]
    assert settling == ["settle_alerts"]
    assert set(dag["tasks"]["settle_alerts"]["all_upstream"]) == set(dag["tasks"]) - {
        "settle_alerts"
    }


def test_every_test_is_counted_by_the_stage_that_runs_it(
    dag: dict[str, Any], manifest: dict[str, Any]
) -> None:
    counted = sum(task["tests_counted"] for task in dag["tasks"].values())
    kinds = ("model", "seed", "snapshot")
    # Of a test of two stages only the parents of the later one have tasks in its group.
    at_most = sum(
        len([each for each in node["depends_on"]["nodes"] if each.split(".")[0] in kinds])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    )
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(tests) * 0.95 < counted <= at_most


def test_the_deadline_is_the_environments_hour(dag: dict[str, Any], environment_name: str) -> None:
    # 07:00 UTC to 06:30 in Sao Paulo; nobody waits for a local run.
    assert dag["deadlines"] == ([] if environment_name == "local" else [2.5 * 3600])


def test_a_run_takes_a_selection_a_full_refresh_and_a_date(dag: dict[str, Any]) -> None:
    assert dag["params"]["full_refresh"]["type"] == "boolean"
    assert dag["params"]["as_of_date"]["format"] == "date"
    assert set(dag["params"]) == {"select", "full_refresh", "as_of_date"}


def test_the_development_dag_is_by_hand_fast_to_fail_and_cheap(
    development: dict[str, Any], manifest: dict[str, Any], environment_name: str
) -> None:
    assert development["schedule"] is None
    assert development["max_active_runs"] == 1
    assert development["tags"] == sorted(["olist", "development", environment_name])
    tasks = development["tasks"]
    assert tasks["dbt.dbt_producer_watcher"]["flags"] == ["--fail-fast"]
    built = {task["node"] for task in tasks.values() if task["node"]}
    assert built == {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
    }
    others = set(tasks) - {task_id for task_id in tasks if task_id.startswith("dbt.")}
    assert others == ({"load_sample_source"} if environment_name == "local" else set())
    assert all(
        task["retries"] == 0
        for task_id, task in tasks.items()
        if not task_id.endswith("dbt_producer_watcher")
    )


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
    # Monitoring and delivery need no manifest.
    assert set(described["dags"]) <= {"olist_monitoring", "olist_alert_delivery"}
    # One for each DAG's file that needs what is missing.
    assert len(described["errors"]) >= 2
    assert all(told in error for error in described["errors"])
