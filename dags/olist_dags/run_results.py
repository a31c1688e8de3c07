"""Keeps what dbt says of each of its runs; its temporary project folder goes when a task ends."""

import logging
import shutil
from pathlib import Path
from typing import Any

from olist_dags.dag_environment import current_environment
from olist_platform.dbt_run_results import dbt_runs_folder, run_results_name

_log = logging.getLogger(__name__)


def keep_run_results(project_dir: str, context: Any, **_: Any) -> None:
    """Copy run_results.json of a dbt run that just ended, well or badly.

    Cosmos calls it before it raises dbt's error, and an exception here would take that error's
    place: what cannot be kept is only logged.
    """
    source = Path(project_dir) / "target" / "run_results.json"
    task_instance = context["ti"]
    folder = dbt_runs_folder(current_environment(), context["run_id"])
    name = run_results_name(task_instance.task_id, task_instance.try_number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
    except OSError as error:
        _log.warning("run_results.json of this dbt run is not kept: %s", error)
