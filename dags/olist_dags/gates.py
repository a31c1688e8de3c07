"""The gate behind a stage: nothing of the next one begins before all of this one has passed."""

from typing import Any

from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from olist_dags.cosmos_config import nodes_of_stage
from olist_dags.dag_environment import current_environment
from olist_dags.run_plan import plan_of_this_run
from olist_platform.build_stages import BuildStage

_FAULTS_SHOWN = 5


def gate(stage: BuildStage) -> Any:
    """Return the task behind a stage; call it inside a DAG.

    A task that failed holds it by itself. It asks dbt's own results once more for what no task
    shows, such as a test of a source, and for a stage of which nothing was reported.
    """

    # What a partial run leaves out is skipped in front of it.
    @task(task_id=f"gate_{stage}", trigger_rule=TriggerRule.NONE_FAILED)
    def judge() -> str:
        # Imported when it runs: the scheduler parses this file again and again.
        from olist_platform.dbt_command import manifest_path, read_manifest  # noqa: PLC0415
        from olist_platform.dbt_run_results import dbt_runs_folder, last_results  # noqa: PLC0415
        from olist_platform.quality_gate import stage_faults  # noqa: PLC0415

        environment, context = current_environment(), get_current_context()
        chosen = plan_of_this_run(context)["nodes"]
        if chosen is not None and not nodes_of_stage(stage) & set(chosen):
            return f"the run selects nothing of the stage {stage}"
        results = last_results(dbt_runs_folder(environment, context["run_id"]))
        manifest = read_manifest(manifest_path(environment))
        if faults := stage_faults(stage, results, manifest):
            raise AirflowFailException(
                f"the stage {stage} is not passed: {'; '.join(faults[:_FAULTS_SHOWN])}"
            )
        return f"the stage {stage} is passed"

    return judge()
