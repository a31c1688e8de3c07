"""The task that fits the models of prediction when it is time to: behind staging."""

import logging
from datetime import UTC, datetime

from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from olist_dags.dag_environment import current_environment
from olist_dags.run_plan import plan_of_this_run
from olist_platform.errors import OlistError

_log = logging.getLogger(__name__)


@task(task_id="fit_models", owner="analytics_engineering", trigger_rule=TriggerRule.NONE_FAILED)
def fit_models() -> list[str]:
    """Fit churn, purchases and spend if the last fit is old enough, and return the verdicts.

    What may not score is an alert and no failure: the version before it goes on scoring, also
    where nothing can be fitted at all.

    Raises:
        AirflowSkipException: The run is a partial one or of a day of the past, or the fit could not
            be made.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.predictions.fit_alerts import tell_no_fit  # noqa: PLC0415
    from olist_platform.predictions.fit_schedule import fit_when_due  # noqa: PLC0415

    environment, now = current_environment(), datetime.now(UTC)
    plan = plan_of_this_run(get_current_context())
    if plan["nodes"] is not None or plan["as_of_date"]:
        raise AirflowSkipException("only a whole run of today fits")
    try:
        stored = fit_when_due(environment, now)
    except OlistError as error:
        tell_no_fit(environment, error, now)
        raise AirflowSkipException(f"nothing was fitted: {error.message}") from error
    verdicts = [
        f"{fit.model} {fit.version} {'' if fit.is_accepted else 'not '}accepted: {fit.reason}"
        for fit in stored
    ]
    for verdict in verdicts:
        _log.info(verdict)
    return verdicts
