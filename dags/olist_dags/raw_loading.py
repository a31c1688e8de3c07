"""The tasks that see to it that raw holds what has landed."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import PokeReturnValue, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags.dag_environment import current_environment
from olist_dags.run_plan import plan_of_this_run
from olist_platform.environment import DuckDBWarehouse, Environment

_log = logging.getLogger(__name__)

_REJECTED_SHOWN = 5
_WAITING_SHOWN = 5
_LOOK_EVERY_SECONDS = 30


class FilesRejectedError(AirflowFailException):
    """Landing files that cannot be loaded; another try would not help.

    Attributes:
        rejected: Reason by landing-relative path.
    """

    def __init__(self, rejected: dict[str, str]) -> None:
        shown = [f"{path}: {reason}" for path, reason in list(rejected.items())[:_REJECTED_SHOWN]]
        super().__init__(f"{len(rejected)} landing files cannot be loaded: {'; '.join(shown)}")
        self.rejected = rejected


def fill_raw(environment: Environment) -> Any:
    """Return the task that fills raw, or waits until Snowpipe has; call it inside a DAG."""
    if isinstance(environment.warehouse, DuckDBWarehouse):
        return load_raw()
    minutes = environment.production.snowpipe_wait_minutes or 1
    # A sensor's timeout ends it for good, whatever its retries.
    return wait_for_snowpipe.override(
        timeout=timedelta(minutes=minutes).total_seconds(),
        execution_timeout=timedelta(minutes=minutes + 1),
    )()


@task(task_id="load_raw", trigger_rule=TriggerRule.NONE_FAILED)
def load_raw() -> dict[str, int]:
    """Load every landing file that is not loaded yet into the embedded warehouse.

    Raises:
        AirflowSkipException: A partial run works on what is loaded already.
        FilesRejectedError: A file cannot be loaded. The others are loaded, but marts without it
            would show figures that are wrong, so yesterday's stay.
    """
    _require_whole_run()
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.raw_loading.loader import load_landing  # noqa: PLC0415

    result = load_landing(current_environment())
    if result.rejected:
        raise FilesRejectedError({file.path: file.reason for file in result.rejected})
    return dict(result.rows_by_dataset)


@task.sensor(
    task_id="wait_for_snowpipe",
    mode="reschedule",
    poke_interval=_LOOK_EVERY_SECONDS,
    trigger_rule=TriggerRule.NONE_FAILED,
)
def wait_for_snowpipe() -> PokeReturnValue:
    """Wait until Snowpipe has loaded every file that has landed.

    Raises:
        AirflowSkipException: A partial run works on what is loaded already.
        AirflowFailException: A pipe does not run.
        FilesRejectedError: Snowpipe could not load a file, or not all of it, or has loaded one that
            the local loader refuses.
    """
    _require_whole_run()
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.raw_loading.snowpipe import look_at_snowpipe  # noqa: PLC0415

    seen = look_at_snowpipe(current_environment(), datetime.now(UTC))
    if seen.stopped:
        raise AirflowFailException(f"pipes do not run: {', '.join(seen.stopped)}")
    if seen.rejected:
        raise FilesRejectedError(dict(seen.rejected))
    if seen.waiting:
        # A sensor that gives up says only that it did.
        _log.info("%d landing files are not loaded yet: %s", len(seen.waiting), _some(seen.waiting))
    return PokeReturnValue(is_done=not seen.waiting)


def _some(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:_WAITING_SHOWN])
    return shown if len(paths) <= _WAITING_SHOWN else f"{shown}, ..."


def _require_whole_run() -> None:
    if plan_of_this_run(get_current_context())["nodes"] is not None:
        raise AirflowSkipException("a partial run works on what is loaded")
