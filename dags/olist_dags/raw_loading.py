"""The task that fills the raw schema where no Snowpipe does."""

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from olist_dags.dag_environment import current_environment

_REJECTED_SHOWN = 5


@task(task_id="load_raw")
def load_raw() -> dict[str, int]:
    """Load every landing file that is not loaded yet into the embedded warehouse.

    Raises:
        AirflowFailException: A file cannot be loaded. The others are loaded, but marts without it
            would show figures that are wrong, so yesterday's stay; another try would not help.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.raw_loading.loader import load_landing  # noqa: PLC0415

    result = load_landing(current_environment())
    if result.rejected:
        shown = [f"{file.path}: {file.reason}" for file in result.rejected[:_REJECTED_SHOWN]]
        raise AirflowFailException(
            f"{len(result.rejected)} landing files cannot be loaded: {'; '.join(shown)}"
        )
    return dict(result.rows_by_dataset)
