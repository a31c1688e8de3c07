"""The task that hands the marts to their readers, behind everything dbt built and tested."""

from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment
from olist_dags.preflight import at_once
from olist_dags.refresh_hooks import MARTS
from olist_dags.run_plan import plan_of_this_run

_FAULTS_SHOWN = 5


# What a partial run leaves out is skipped in front of it.
@task(task_id="publish_marts", outlets=[MARTS], trigger_rule=TriggerRule.NONE_FAILED)
def publish_marts() -> list[str]:
    """Publish the marts and tell consumers of the asset `olist_marts` that they are fresh.

    Its place behind the whole dbt group says that the tests passed. What dbt itself said of this
    run is asked once more where it is at hand: Cosmos shows no task for a test of a source, and
    such a fault would otherwise be passed over.

    Raises:
        AirflowSkipException: A partial run left marts that do not agree with each other.
        AirflowFailException: A node of dbt failed in this run and was not mended since; or another
            release was deployed since it began, whose marts readers have.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.dbt_run_results import (  # noqa: PLC0415
        count_run_results,
        dbt_runs_folder,
        last_invocation_id,
    )
    from olist_platform.preflight import check_release  # noqa: PLC0415
    from olist_platform.publication import publish  # noqa: PLC0415

    environment, context = current_environment(), get_current_context()
    run = dbt_runs_folder(environment, context["run_id"])
    if faults := count_run_results(run).faults:
        raise AirflowFailException(f"nothing is published: {'; '.join(faults[:_FAULTS_SHOWN])}")
    if reasons := plan_of_this_run(context)["unpublished_because"]:
        raise AirflowSkipException(f"built and tested, but not published: {'; '.join(reasons)}")
    at_once(check_release, environment)
    return list(publish(environment, last_invocation_id(run)))
