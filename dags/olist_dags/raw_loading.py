"""The task that fills the raw schema where no Snowpipe does."""

import logging

from airflow.sdk import task

from olist_dags.dag_environment import current_environment

_log = logging.getLogger(__name__)


@task(task_id="load_raw")
def load_raw() -> dict[str, int]:
    """Load every landing file that is not loaded yet into the embedded warehouse."""
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.raw_loading.loader import load_landing  # noqa: PLC0415

    result = load_landing(current_environment())
    for rejected in result.rejected:
        _log.warning("rejected %s: %s", rejected.path, rejected.reason)
    return dict(result.rows_by_dataset)
