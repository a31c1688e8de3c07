"""Keeps what dbt says of each of its runs; its temporary project folder goes when a task ends."""

import logging
import shutil
from pathlib import Path
from typing import Any

from olist_dags.dag_environment import current_environment
from olist_platform.dbt_run_results import dbt_runs_folder, next_run_results

_log = logging.getLogger(__name__)


def keep_run_results(project_dir: str, context: Any, **_: Any) -> None:
    """Copy run_results.json of a dbt run that just ended, well or badly.

    Cosmos calls it before it raises dbt's error, and an exception here would take that error's
    place: what cannot be kept is only logged.
    """
    source = Path(project_dir) / "target" / "run_results.json"
    task_instance = context["ti"]
    folder = dbt_runs_folder(current_environment(), context["run_id"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A resumed run counts its tries anew, and what it had built before still counts.
        place = next_run_results(folder, task_instance.task_id, task_instance.try_number)
        shutil.copyfile(source, place)
    except OSError as error:
        _log.warning("run_results.json of this dbt run is not kept: %s", error)
