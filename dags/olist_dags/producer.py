"""The task that runs dbt, able to begin again when its process was killed."""

from importlib.util import find_spec
from typing import Any

from cosmos.operators.watcher import DbtProducerWatcherOperator

from olist_dags.dag_environment import current_environment
from olist_platform.dbt_run_results import dbt_runs_folder, kept_run_results


class RestartableProducer(DbtProducerWatcherOperator):  # type: ignore[misc] # Cosmos has no types
    """Cosmos' producer, which runs dbt again unless dbt itself has ended in a former try.

    Cosmos never runs dbt twice: after a failure of dbt, each model mends itself by its own tries.
    But when the process was killed, and dbt with it, there is no failure to mend, and hundreds of
    models would each start a dbt of their own, with tests of several models before all of those
    are built. dbt's build is idempotent, so it is run again for all of them at once.
    """

    def execute(self, context: Any, **kwargs: Any) -> Any:
        """Run dbt, or hand over to the models' own tries where dbt has ended before."""
        if context["ti"].try_number > 1 and not dbt_has_ended(context):
            context = context.copy()
            context["ti"] = _FirstTry(context["ti"])
        return super().execute(context, **kwargs)

    def calculate_openlineage_events_completes(self, *arguments: Any, **options: Any) -> bool:
        """Work out events of lineage only where somebody is told of them: it takes seconds."""
        told = find_spec("airflow.providers.openlineage") is not None
        return told and super().calculate_openlineage_events_completes(*arguments, **options)


def dbt_has_ended(context: Any) -> bool:
    """Whether dbt has left its results in a former try of this task; a killed dbt leaves none."""
    task_instance = context["ti"]
    folder = dbt_runs_folder(current_environment(), context["run_id"])
    return any(
        kept_run_results(folder, task_instance.task_id, former)
        for former in range(1, task_instance.try_number)
    )


class _FirstTry:
    """A task instance that says it is in its first try; Cosmos notes on it what a retry needs."""

    def __init__(self, task_instance: Any) -> None:
        object.__setattr__(self, "_task_instance", task_instance)

    def __getattribute__(self, name: str) -> Any:
        if name == "try_number":
            return 1
        return getattr(object.__getattribute__(self, "_task_instance"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_task_instance"), name, value)
