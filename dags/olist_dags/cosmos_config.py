"""How Cosmos renders the dbt project: from the manifest, one task for each model and its tests.

A stage of the project is a task group with a dbt build of its own. The execution mode, the stages
and their measurements: platform/docs/decisions/cosmos-execution-mode.md.
"""

import json
import shutil
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from airflow.sdk import TriggerRule
from cosmos import (
    DbtTaskGroup,
    ExecutionConfig,
    ExecutionMode,
    InvocationMode,
    LoadMode,
    ProfileConfig,
    ProjectConfig,
    RenderConfig,
    TestBehavior,
)

from olist_dags.dag_environment import current_environment, require_manifest
from olist_dags.run_results import keep_run_results
from olist_dags.run_plan import prepare_dbt
from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.dbt_command import dbt_project_folder, manifest_path
from olist_platform.environment import Environment

_PROFILE = "olist"
_POKE_SECONDS = 3


def stage_task_group(environment: Environment, stage: BuildStage, *flags: str) -> Any:
    """Return the task group of a stage of the dbt project; call it inside a DAG.

    Args:
        environment: Where dbt runs.
        stage: Which part of the project.
        flags: Further flags of the stage's `dbt build`.

    Raises:
        OlistError: The environment's manifest is missing.
    """
    require_manifest(environment)
    group = DbtTaskGroup(
        group_id=stage.value,
        project_config=ProjectConfig(
            dbt_project_path=dbt_project_folder(),
            manifest_path=manifest_path(environment),
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name=_PROFILE,
            target_name=environment.name.value,
            profiles_yml_filepath=dbt_project_folder() / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=_dbt_executable(),
            # The task that runs dbt never runs it twice: its second try ends at once, and the
            # models' own tries take over. A long delay would only hold them up
            # (astronomer-cosmos issue 3001).
            setup_operator_args={
                "retries": 1,
                "retry_delay": timedelta(seconds=1),
                "dbt_cmd_flags": list(flags),
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
            select=stage.selection,
            exclude=["resource_type:exposure", *stage.later_stages],
        ),
        operator_args={
            "callback": keep_run_results,
            "pre_execute": prepare_dbt,
            "poke_interval": _POKE_SECONDS,
            "should_store_compiled_sql": False,
            "full_refresh": "{{ params.full_refresh }}",
        },
    )
    nodes, stages = _nodes_and_stages(manifest_path(environment))
    for task in group.iter_tasks():
        # A partial run skips what it does not select; what stands behind that goes on.
        task.trigger_rule = TriggerRule.NONE_FAILED
        _retry_behind_its_tests(task, stage)
        _count_tests_of_the_stage(task, stage, stages)
        _give_owner(task, nodes)
    return group


def nodes_of_stage(stage: BuildStage) -> set[str]:
    """Return the unique ids of the nodes that a stage builds or tests."""
    _, stages = _nodes_and_stages(manifest_path(current_environment()))
    return {node for node, its_stage in stages.items() if its_stage is stage}


def _dbt_executable() -> str:
    """Return dbt beside this interpreter, whatever PATH says; else the one on PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else shutil.which("dbt") or "dbt"


# Every stage asks for it, and it takes half of the time in which the DAG is parsed.
@cache
def _nodes_and_stages(manifest: Path) -> tuple[dict[str, Any], dict[str, BuildStage]]:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    return content["nodes"], stages_of_nodes(content)


def _retry_behind_its_tests(task: Any, stage: BuildStage) -> None:
    """Make a model's own retry a `dbt build`, as its first try is.

    Cosmos would retry with `dbt run`, and a model that dbt had held back because of a failing
    unit test would then be built after all. Tests that other models are part of stay with the
    task of its tests: on a retry those models may not be built yet. That task runs all tests of
    its model but those that belong to a later stage.
    """
    is_of_tests = getattr(task, "is_test_sensor", None)
    if is_of_tests is False:
        task.base_cmd = ["build"]
        task.indirect_selection = "cautious"
    elif is_of_tests and stage.later_stages:
        task.dbt_cmd_flags = ["--exclude", *stage.later_stages]


def _count_tests_of_the_stage(task: Any, stage: BuildStage, stages: dict[str, BuildStage]) -> None:
    """Let the tests' tasks wait for the tests that this stage runs.

    Cosmos counts every test of a model, and would wait for those that a later stage runs.
    """
    if hasattr(task, "tests_per_model"):
        task.tests_per_model = {
            node: [test for test in tests if stages.get(test) is stage]
            for node, tests in task.tests_per_model.items()
        }


def _give_owner(task: Any, nodes: dict[str, Any]) -> None:
    """Make the dbt group of a node the owner of its tasks."""
    context = getattr(task, "extra_context", None) or {}
    unique_id = context.get("dbt_node_config", {}).get("unique_id")
    owner = nodes.get(unique_id, {}).get("config", {}).get("group")
    if owner:
        task.owner = owner
