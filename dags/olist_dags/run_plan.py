"""What a run was asked for: its parameters, its plan, and how its dbt tasks keep to the plan."""

import os
from dataclasses import asdict
from typing import Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment, give_dbt_its_variables
from olist_platform.build_stages import BuildStage
from olist_platform.dbt_command import AS_OF_DATE_VARIABLE
from olist_platform.errors import OlistError

PLAN_TASK = "preflight.plan_run"
# Airflow checks every parameter dozens of times for each task, and reads a schema of the current
# draft anew each time, for three times as long.
_DRAFT: dict[str, Any] = {"$schema": "http://json-schema.org/draft-07/schema#"}
# Plans by DAG and run: on one machine a process runs all tasks of a run, and each asks.
_plans: dict[tuple[str, str], dict[str, Any]] = {}


def run_params() -> dict[str, Param]:
    """Return the parameters that a person may start a run with; by default it builds everything."""
    return {
        "select": Param(
            None,
            description="Models to build and test again from what is loaded, such as stg_orders+;"
            " empty for all of them and for what has landed.",
            schema=_DRAFT
            | {
                "type": ["null", "string"],
                "title": "dbt selection",
                "pattern": r"^\s*$|^\s*[^-\s]\S*(\s+[^-\s]\S*)*\s*$",
            },
        ),
        "full_refresh": Param(
            False,
            description="Rebuild incremental models from everything that was ever loaded.",
            schema=_DRAFT | {"type": "boolean", "title": "Full refresh"},
        ),
        "as_of_date": Param(
            None,
            description="Day the figures are of, YYYY-MM-DD; empty for the latest purchase's.",
            schema=_DRAFT
            | {"type": ["null", "string"], "format": "date", "title": "Reference date"},
        ),
    }


@task(task_id="plan_run")
def plan_run() -> dict[str, Any]:
    """Check the run's parameters, and say what it builds and why it would not publish.

    Raises:
        AirflowFailException: A parameter makes no sense; another try would not help.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform import preflight, run_parameters  # noqa: PLC0415

    environment = current_environment()
    try:
        parameters = run_parameters.read_parameters(get_current_context()["params"])
        if parameters.as_of_date:
            latest = preflight.latest_purchase_date(environment)
            run_parameters.require_past_date(parameters.as_of_date, latest)
        return asdict(run_parameters.plan_run(environment, parameters))
    except OlistError as error:
        raise AirflowFailException(f"{error.message}; {error.mend}") from error


def plan_of_this_run(context: Any) -> dict[str, Any]:
    """Return the plan, for a task behind the one that made it."""
    run = context["ti"].dag_id, context["run_id"]
    if run not in _plans and (made := context["ti"].xcom_pull(task_ids=PLAN_TASK)):
        _plans[run] = made
    return _plans.get(run, {"nodes": None, "as_of_date": None, "unpublished_because": []})


def prepare_dbt(context: Any) -> None:
    """Give a dbt task what dbt reads, and let it keep to the plan; just before it runs.

    Raises:
        AirflowSkipException: The plan holds nothing for this task.
    """
    give_dbt_its_variables(context)
    plan = plan_of_this_run(context)
    # Not --vars: with other ones than the manifest's, each dbt would parse the whole project.
    os.environ[AS_OF_DATE_VARIABLE] = plan["as_of_date"] or ""
    this = context["task"]
    stage = this.task_id.split(".")[0]
    if plan["as_of_date"] and stage == BuildStage.SNAPSHOTS:
        raise AirflowSkipException("history is not written from a day of the past")
    node = getattr(this, "model_unique_id", None)
    if node and plan["nodes"] is not None and node not in plan["nodes"]:
        raise AirflowSkipException(f"the run does not select {node}")
    if hasattr(this, "tests_per_model"):
        _narrow(this, BuildStage(stage), plan["nodes"], context["run_id"])


def _narrow(producer: Any, stage: BuildStage, nodes: list[str] | None, run_id: str) -> None:
    """Let a stage's dbt build what the plan selects, and of that what has not passed already."""
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_dags.cosmos_config import nodes_of_stage  # noqa: PLC0415 - it imports this module
    from olist_platform.dbt_command import manifest_path, read_manifest  # noqa: PLC0415
    from olist_platform.dbt_run_results import dbt_runs_folder, last_results  # noqa: PLC0415
    from olist_platform.quality_gate import unfinished_nodes  # noqa: PLC0415

    of_stage = nodes_of_stage(stage)
    wanted = None if nodes is None else {node for node in nodes if node in of_stage}
    if wanted is not None and not wanted:
        raise AirflowSkipException(f"the run selects nothing of the stage {stage}")
    environment = current_environment()
    results = last_results(dbt_runs_folder(environment, run_id))
    if of_stage & set(results):
        # The run is resumed.
        manifest = read_manifest(manifest_path(environment))
        unfinished = unfinished_nodes(stage, results, manifest)
        wanted = (unfinished if wanted is None else unfinished & wanted) or wanted
    if wanted is not None:
        producer.select = " ".join(sorted(node.split(".")[2] for node in wanted))
