"""How far Snowpipe is with what has landed: a judgement over rows that Snowflake gives.

COPY compares neither a file's header nor, when it transforms, the number of its columns, so what it
has loaded is read again as the local loader reads it: both engines refuse the same files.

No live account could be reached from where this was written: names and values of columns are those
of Snowflake's documentation of SYSTEM$PIPE_STATUS and INFORMATION_SCHEMA.COPY_HISTORY.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from olist_platform.environment import Environment
from olist_platform.landing.layout import MisplacedFileError, parse_landing_path
from olist_platform.landing.store import LandingStore, landing_store
from olist_platform.landing.stored_file import StoredFile
from olist_platform.naming import Layer, Workload
from olist_platform.raw_loading.staged_file import FaultyFile, stage_file
from olist_platform.snowflake_connection import open_snowflake
from olist_platform.source_catalog import CATALOG

_RUNNING = "RUNNING"
_LOADED = "loaded"
# COPY_HISTORY keeps a fortnight: what failed is told of as long as it can be.
_LOOK_BACK = timedelta(days=13)


@dataclass(frozen=True, slots=True)
class SnowpipeProgress:
    """How far Snowpipe is.

    Attributes:
        waiting: Landing-relative paths of files that it has still to load.
        rejected: Reason by path, of files that it could not load, or not whole, or ought not to
            have loaded.
        stopped: Pipes that do not run, with the state they are in.
    """

    waiting: tuple[str, ...]
    rejected: Mapping[str, str]
    stopped: tuple[str, ...]


def look_at_snowpipe(environment: Environment, now: datetime) -> SnowpipeProgress:
    """Ask Snowflake how far its pipes are with the files that landed in the last days.

    When they are done with all of them, the files themselves are read and checked.

    Raises:
        OlistError: Snowflake or the landing is out of reach.
    """
    names = environment.names
    schema = f"{names.database}.{names.schema(Layer.RAW).upper()}"
    since = now - _LOOK_BACK
    statuses: dict[str, str] = {}
    history: list[dict[str, Any]] = []
    with open_snowflake(environment, Workload.REPORT) as connection:
        cursor = connection.cursor()
        for dataset in CATALOG:
            pipe = f"{schema}.{names.pipe(dataset)}"
            [(status,)] = cursor.execute(f"select system$pipe_status('{pipe}')").fetchall()
            statuses[names.pipe(dataset)] = str(status)
            table = f"{schema}.{names.raw_table(dataset).upper()}"
            rows = cursor.execute(
                "select file_name, status, first_error_message, last_load_time from table("  # noqa: S608 - our names
                f"{names.database}.information_schema.copy_history(table_name => '{table}',"
                f" start_time => to_timestamp_ltz('{since.isoformat()}')))"
            ).fetchall()
            folder = f"{dataset.name}/"
            history += [
                {
                    # A path is "relative"; Snowflake does not say whether to the stage or the pipe.
                    "file_name": folder + str(name).removeprefix(folder),
                    "status": state,
                    "first_error_message": error,
                    "last_load_time": loaded_at,
                }
                for name, state, error, loaded_at in rows
            ]
    store = landing_store(environment)
    landed = [file for file in store.list_files() if file.written_at >= since]
    progress = snowpipe_progress(landed, history, statuses)
    if progress.waiting or progress.rejected or progress.stopped:
        return progress
    return replace(progress, rejected=_faults(store, landed))


def snowpipe_progress(
    landed: Iterable[StoredFile], history: Iterable[Mapping[str, Any]], statuses: Mapping[str, str]
) -> SnowpipeProgress:
    """Judge what has landed by what Snowflake says of it.

    Args:
        landed: Files of the landing; those at its root are no part of it.
        history: Rows of COPY_HISTORY; a file that was tried again has several, the newest first.
        statuses: What SYSTEM$PIPE_STATUS answers, JSON, by pipe.
    """
    told: dict[str, tuple[str, str]] = {}
    loaded_at: dict[str, datetime] = {}
    for row in history:
        path, state = row["file_name"], str(row["status"]).lower()
        if told.get(path, ("", ""))[0] != _LOADED:
            told.setdefault(path, (state, str(row["first_error_message"] or state)))
            if state == _LOADED:
                told[path] = (_LOADED, "")
                loaded_at[path] = row["last_load_time"]
    waiting = []
    rejected = {}
    for file in sorted(_landing_files(landed), key=lambda file: file.path):
        state, error = told.get(file.path, ("load in progress", ""))
        misplaced = _misplaced(file.path)
        if misplaced:
            rejected[file.path] = misplaced
        elif state in ("load failed", "partially loaded", "load skipped"):
            rejected[file.path] = error
        elif state == _LOADED and file.written_at > loaded_at[file.path]:
            rejected[file.path] = (
                f"written again after Snowpipe loaded it at {loaded_at[file.path]:%F %T %Z}, and"
                " a pipe reads a name once: land the new content under another name"
            )
        elif state == "load in progress":
            waiting.append(file.path)
    states = {pipe: json.loads(status)["executionState"] for pipe, status in statuses.items()}
    return SnowpipeProgress(
        waiting=tuple(waiting),
        rejected=rejected,
        stopped=tuple(
            f"{pipe} ({state})" for pipe, state in sorted(states.items()) if state != _RUNNING
        ),
    )


def _landing_files(files: Iterable[StoredFile]) -> list[StoredFile]:
    return [file for file in files if "/" in file.path]


def _misplaced(path: str) -> str | None:
    try:
        parse_landing_path(path)
    except MisplacedFileError as error:
        return str(error)
    return None


def _faults(store: LandingStore, files: Sequence[StoredFile]) -> dict[str, str]:
    """Return what the local loader would refuse of files that COPY has loaded, by path."""
    scratch = Path(tempfile.gettempdir())

    def fault(file: StoredFile) -> str | None:
        outcome = stage_file(store, file, scratch)
        if isinstance(outcome, FaultyFile):
            return f"{outcome.reason}; Snowpipe did not see it, so its rows are in raw"
        outcome.content.close()
        return None

    checked = _landing_files(files)
    with ThreadPoolExecutor(store.parallelism) as pool:
        reasons = list(pool.map(fault, checked))
    return {file.path: reason for file, reason in zip(checked, reasons, strict=True) if reason}
