"""The tasks in front of a production run: what has to hold before anything is loaded or built."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import chain, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment
from olist_dags.run_plan import plan_of_this_run, plan_run
from olist_platform.errors import FinalError

_log = logging.getLogger(__name__)


@task_group(group_id="preflight")
def preflight() -> None:
    """Check environment and warehouse, the run's parameters, then the landing and the budget."""
    chain(check_environment(), plan_run(), [check_landing(), check_budget()])


@task(task_id="check_environment")
def check_environment() -> str:
    """Check the release, that secrets are set, and that the warehouse opens.

    A lock of the warehouse may pass, so it is tried again.

    Returns:
        The release that this run is of.
    """
    from olist_platform import preflight as checks  # noqa: PLC0415 - the scheduler parses this

    release: str = at_once(checks.check_release, current_environment())
    _log.info("this run is of %s", release)
    checks.check_environment(current_environment())
    return release


@task(task_id="check_landing")
def check_landing() -> None:
    """Check that fresh extracts have landed; they may come yet, so it is tried again.

    Raises:
        AirflowSkipException: A partial run works on what is loaded already.
    """
    from olist_platform import preflight as checks  # noqa: PLC0415 - the scheduler parses this

    if plan_of_this_run(get_current_context())["nodes"] is not None:
        raise AirflowSkipException("a partial run works on what is loaded")

    checks.check_landing(current_environment(), datetime.now(UTC))


@task(task_id="check_budget", owner="finance_reporting")
def check_budget() -> None:
    """Check that the month's budget is not used up; a warehouse out of reach is tried again."""
    from olist_platform import preflight as checks  # noqa: PLC0415 - the scheduler parses this

    at_once(checks.check_budget, current_environment(), datetime.now(UTC))


def at_once(check: Callable[..., Any], *arguments: Any) -> Any:
    """Fail without another try where the check says so; what is out of reach may come back."""
    try:
        return check(*arguments)
    except FinalError as error:
        raise AirflowFailException(f"{error.message}; {error.mend}") from error
