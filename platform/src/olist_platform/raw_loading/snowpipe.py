"""How far Snowpipe is with what has landed: a judgement over rows that Snowflake gives.

No live account could be reached from where this was written: names and values of columns are those
of Snowflake's documentation of SYSTEM$PIPE_STATUS and INFORMATION_SCHEMA.COPY_HISTORY.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from olist_platform.environment import Environment
from olist_platform.landing.layout import MisplacedFileError, parse_landing_path
from olist_platform.landing.store import landing_store
from olist_platform.naming import Layer, Workload
from olist_platform.snowflake_connection import open_snowflake
from olist_platform.source_catalog import CATALOG

_RUNNING = "RUNNING"
_LOADED = "loaded"
# COPY_HISTORY keeps a fortnight; older files have been judged by earlier runs.
_LOOK_BACK = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SnowpipeProgress:
    """How far Snowpipe is.

    Attributes:
        waiting: Landing-relative paths of files that it has still to load.
        rejected: Reason by path, of files that it could not load, or not whole.
        stopped: Pipes that do not run, with the state they are in.
    """

    waiting: tuple[str, ...]
    rejected: Mapping[str, str]
    stopped: tuple[str, ...]


def look_at_snowpipe(environment: Environment, now: datetime) -> SnowpipeProgress:
    """Ask Snowflake how far its pipes are with the landing files of the last days.

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
                "select file_name, status, first_error_message from table("  # noqa: S608 - our names
                f"{names.database}.information_schema.copy_history(table_name => '{table}',"
                f" start_time => to_timestamp_ltz('{since.isoformat()}')))"
            ).fetchall()
            history += [
                {"file_name": f"{name}", "status": state, "first_error_message": error}
                for name, state, error in rows
            ]
    landed = [file.path for file in landing_store(environment).list_files()]
    return snowpipe_progress(_recent(landed, since), history, statuses)


def snowpipe_progress(
    landed: Iterable[str], history: Iterable[Mapping[str, Any]], statuses: Mapping[str, str]
) -> SnowpipeProgress:
    """Judge what has landed by what Snowflake says of it.

    Args:
        landed: Landing-relative paths.
        history: Rows of COPY_HISTORY; a file that was tried again has several, the newest first.
        statuses: What SYSTEM$PIPE_STATUS answers, JSON, by pipe.
    """
    told: dict[str, tuple[str, str]] = {}
    for row in history:
        state = str(row["status"]).lower()
        if told.get(row["file_name"], ("", ""))[0] != _LOADED:
            told.setdefault(row["file_name"], (state, str(row["first_error_message"] or state)))
            if state == _LOADED:
                told[row["file_name"]] = (_LOADED, "")
    states = {pipe: json.loads(status)["executionState"] for pipe, status in statuses.items()}
    paths = sorted(landed)
    return SnowpipeProgress(
        waiting=tuple(
            path for path in paths if path not in told or told[path][0] == "load in progress"
        ),
        rejected={
            path: told[path][1]
            for path in paths
            if path in told and told[path][0] in ("load failed", "partially loaded", "load skipped")
        },
        stopped=tuple(
            f"{pipe} ({state})" for pipe, state in sorted(states.items()) if state != _RUNNING
        ),
    )


def _recent(paths: Iterable[str], since: datetime) -> list[str]:
    """Leave out files whose day is older than what is asked of COPY_HISTORY."""
    recent = []
    for path in paths:
        try:
            if parse_landing_path(path).extract_date >= since.date():
                recent.append(path)
        except MisplacedFileError:
            continue
    return recent
