"""How Cosmos renders the dbt project: from the manifest, one task for each model and its tests.

The execution mode and its measurements: platform/docs/decisions/cosmos-execution-mode.md.
"""

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

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

from olist_dags.dag_environment import give_dbt_its_variables, require_manifest
from olist_dags.producer import RestartableProducer
from olist_dags.run_results import keep_run_results
from olist_platform.dbt_command import dbt_project_folder, manifest_path
from olist_platform.environment import Environment

_PROFILE = "olist"
_POKE_SECONDS = 3


def dbt_task_group(environment: Environment, group_id: str = "dbt") -> Any:
    """Return the task group of the whole dbt project; call it inside a DAG.

    Raises:
        OlistError: The environment's manifest is missing.
    """
    require_manifest(environment)
    group = DbtTaskGroup(
        group_id=group_id,
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
            # Where dbt has failed, the second try ends at once and the models' own tries take over.
            # A long delay would only hold them up (astronomer-cosmos issue 3001).
            setup_operator_args={"retries": 1, "retry_delay": timedelta(seconds=1)},
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
            exclude=["resource_type:exposure"],
        ),
        operator_args={
            "callback": keep_run_results,
            "pre_execute": give_dbt_its_variables,
            "poke_interval": _POKE_SECONDS,
            "should_store_compiled_sql": False,
        },
    )
    for task in group.iter_tasks():
        _retry_behind_its_tests(task)
        if isinstance(task, DbtProducerWatcherOperator):
            # Cosmos makes the task itself, and has no setting for another class.
            task.__class__ = RestartableProducer
    _give_owners(group, manifest_path(environment))
    return group


def _dbt_executable() -> str:
    """Return dbt beside this interpreter, whatever PATH says; else the one on PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else shutil.which("dbt") or "dbt"


def _retry_behind_its_tests(task: Any) -> None:
    """Make a model's own retry a `dbt build`, as its first try is.

    Cosmos would retry with `dbt run`, and a model that dbt had held back because of a failing
    unit test would then be built after all. Tests that other models are part of stay with the
    task of its tests: on a retry those models may not be built yet.
    """
    if getattr(task, "is_test_sensor", None) is False:
        task.base_cmd = ["build"]
        task.indirect_selection = "cautious"


def _give_owners(group: Any, manifest: Path) -> None:
    """Make the dbt group of a node the owner of its tasks."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    for task in group.iter_tasks():
        context = getattr(task, "extra_context", None) or {}
        unique_id = context.get("dbt_node_config", {}).get("unique_id")
        owner = nodes.get(unique_id, {}).get("config", {}).get("group")
        if owner:
            task.owner = owner
