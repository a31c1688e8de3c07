"""How Cosmos renders the dbt project: from the manifest, one task for each model and its tests.

A stage of the project is a task group with a dbt build of its own. The execution mode, the stages
and their measurements: platform/docs/decisions/cosmos-execution-mode.md.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException
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
from cosmos.operators.watcher import DbtProducerWatcherOperator

from olist_dags.dag_environment import current_environment, require_manifest
from olist_dags.producer import RestartableProducer
from olist_dags.run_plan import prepare_dbt
from olist_dags.run_results import keep_run_results
from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.dbt_command import DBT_PROFILE, dbt_project_folder, manifest_path
from olist_platform.environment import Environment

_POKE_SECONDS = 3
# They judge the code, not the data: checks and a release's side build have run them.
_UNIT_TESTS = "resource_type:unit_test"


def stage_task_group(environment: Environment, stage: BuildStage) -> Any:
    """Return the task group of a stage of the dbt project; call it inside a DAG.

    Raises:
        OlistError: The environment's manifest is missing.
    """
    group = _task_group(
        environment,
        stage.value,
        select=stage.selection,
        exclude=[*stage.later_stages, _UNIT_TESTS],
        full_refresh="{{ params.full_refresh }}",
    )
    nodes, stages = _nodes_and_stages(manifest_path(environment))
    for task in group.iter_tasks():
        # A partial run skips what it does not select; what stands behind that goes on.
        task.trigger_rule = TriggerRule.NONE_FAILED
        if getattr(task, "is_test_sensor", False):
            # On a retry it runs dbt itself, and then only what its stage runs.
            task.dbt_cmd_flags = ["--exclude", *stage.later_stages, _UNIT_TESTS]
        _count_tests(task, {test for test, its_stage in stages.items() if its_stage is stage})
        _give_owner(task, nodes)
    return group


def whole_task_group(
    environment: Environment,
    *,
    exclude: list[str],
    flags: list[str],
    prepare: Callable[[Any], None],
) -> Any:
    """Return one task group of the whole project, without gates; call it inside a DAG.

    Its one dbt is all that runs: a task of which that dbt told nothing fails.

    Args:
        environment: Where dbt runs.
        exclude: What of the project is left out, as dbt's --exclude names it.
        flags: Further flags of its `dbt build`.
        prepare: Called in a task's process just before it runs, with its context.

    Raises:
        OlistError: The environment's manifest is missing.
    """
    group = _task_group(
        environment, "dbt", select=[], exclude=exclude, flags=flags, prepare=prepare
    )
    nodes, stages = _nodes_and_stages(manifest_path(environment))
    for task in group.iter_tasks():
        task.trigger_rule = TriggerRule.NONE_FAILED
        if hasattr(task, "model_unique_id"):
            # Cosmos would build it by a dbt of its own, one after the other.
            task._fallback_to_non_watcher_run = _fail_unreported  # noqa: SLF001
        _count_tests(
            task, {test for test, stage in stages.items() if stage is not BuildStage.SNAPSHOTS}
        )
        _give_owner(task, nodes)
    return group


def _task_group(
    environment: Environment,
    group_id: str,
    *,
    select: list[str],
    exclude: list[str],
    flags: Sequence[str] = (),
    full_refresh: str | bool = False,
    prepare: Callable[[Any], None] = prepare_dbt,
) -> Any:
    require_manifest(environment)
    group = DbtTaskGroup(
        group_id=group_id,
        project_config=ProjectConfig(
            dbt_project_path=dbt_project_folder(),
            manifest_path=manifest_path(environment),
            install_dbt_deps=False,
        ),
        profile_config=_KnownProfile(
            profile_name=DBT_PROFILE,
            target_name=environment.name.value,
            profiles_yml_filepath=dbt_project_folder() / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=_dbt_executable(),
            # Where dbt has failed, the second try ends at once and the models' own tries take over.
            # A long delay would only hold them up (astronomer-cosmos issue 3001). The further tries
            # are for processes that are killed.
            setup_operator_args={
                "retries": 3,
                "retry_delay": timedelta(seconds=1),
                "dbt_cmd_flags": list(flags),
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
            select=select,
            exclude=["resource_type:exposure", *exclude],
        ),
        operator_args={
            "callback": keep_run_results,
            "pre_execute": prepare,
            "poke_interval": _POKE_SECONDS,
            "should_store_compiled_sql": False,
            "full_refresh": full_refresh,
        },
    )
    for task in group.iter_tasks():
        if isinstance(task, DbtProducerWatcherOperator):
            # Cosmos makes the task itself, and has no setting for another class.
            task.__class__ = RestartableProducer
        elif hasattr(task, "model_unique_id"):
            # Cosmos names a dozen: to render and store them takes longer than to look at dbt.
            task.template_fields = ("full_refresh",)
    return group


class _KnownProfile(ProfileConfig):  # type: ignore[misc] # Cosmos has no types
    """A profile that need not be read again at the end of each task, for Cosmos to log its type."""

    def get_profile_type(self) -> str:
        """Return dbt's name of the adapter."""
        return current_environment().warehouse.engine


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


def _fail_unreported(*_: Any, **__: Any) -> bool:
    raise AirflowFailException("dbt stopped before it")


def _count_tests(task: Any, tests: set[str]) -> None:
    """Let the tests' tasks wait for the tests that their group runs.

    Cosmos counts every test of a model, and would wait for those that a later stage runs.
    """
    if hasattr(task, "tests_per_model"):
        task.tests_per_model = {
            node: [test for test in its_tests if test in tests]
            for node, its_tests in task.tests_per_model.items()
        }


def _give_owner(task: Any, nodes: dict[str, Any]) -> None:
    """Make the dbt group of a node the owner of its tasks."""
    context = getattr(task, "extra_context", None) or {}
    unique_id = context.get("dbt_node_config", {}).get("unique_id")
    owner = nodes.get(unique_id, {}).get("config", {}).get("group")
    if owner:
        task.owner = owner
