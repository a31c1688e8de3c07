"""The history of figures: what every check found in every pass, appended and never changed.

On Snowflake it is a table of the monitoring schema. On DuckDB it is a file of monitoring's own: the
warehouse's file belongs to whoever builds (platform/docs/decisions/monitoring-reads-copies.md).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from olist_platform.duckdb_warehouse import explain_duckdb_error
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import os_errors_explained
from olist_platform.moments import without_zone
from olist_platform.monitoring.check_result import CheckResult
from olist_platform.naming import Layer, Workload
from olist_platform.repository import state_folder
from olist_platform.snowflake_connection import open_snowflake

_COLUMNS = {
    "checked_at": "timestamp",
    "check_name": "varchar",
    "subject": "varchar",
    "state": "varchar",
    "value": "double",
    "unit": "varchar",
    "expected_low": "double",
    "expected_high": "double",
    "severity": "varchar",
    "owner": "varchar",
    "summary": "varchar",
    "observed_at": "timestamp",
}
# A reader or another pass has the file open for moments only.
_PATIENCE_SECONDS = 20
_BEGIN_AGAIN = "move that file away: the next pass begins a new history, without former figures"


def history_path(environment: Environment) -> Path:
    """File of the history of an environment on DuckDB."""
    return state_folder(environment.name) / "monitoring" / "history.duckdb"


def append_history(environment: Environment, results: Sequence[CheckResult], now: datetime) -> int:
    """Append the figures of a pass, all of them or none, and return how many.

    Raises:
        OlistError: The history cannot be written.
    """
    rows = [_row(result, now) for result in results if result.is_recorded]
    append = (
        _append_to_file
        if isinstance(environment.warehouse, DuckDBWarehouse)
        else _append_to_snowflake
    )
    append(environment, rows)
    return len(rows)


def _append_to_file(environment: Environment, rows: Sequence[tuple[Any, ...]]) -> None:
    path, table = history_path(environment), environment.names.check_results_table
    with os_errors_explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _open_file(path) as connection:
        connection.execute("begin")
        connection.execute(_create(table))
        columns = zip(_COLUMNS, zip(*rows, strict=True), strict=True)
        figures = pa.table({name: list(values) for name, values in columns})
        connection.register("figures", figures)
        connection.execute(f"insert into {table} by name from figures")
        connection.execute("commit")


def _append_to_snowflake(environment: Environment, rows: Sequence[tuple[Any, ...]]) -> None:
    names = environment.names
    table = f"{names.schema(Layer.MONITORING)}.{names.check_results_table}"
    with (
        open_snowflake(environment, Workload.REPORT) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(_create(table))
        # One statement for all rows.
        cursor.executemany(_insert(table), rows)


@contextmanager
def _open_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(duckdb.IOException),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            reraise=True,
        ):
            with attempt:
                connection = duckdb.connect(path)
        with connection:
            yield connection
    except duckdb.Error as error:
        raise explain_duckdb_error(error, path, _BEGIN_AGAIN) from error


def _create(table: str) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    return f"create table if not exists {table} ({columns})"


def _insert(table: str) -> str:
    values = ", ".join(["%s"] * len(_COLUMNS))
    return f"insert into {table} ({', '.join(_COLUMNS)}) values ({values})"  # noqa: S608 - our own


def _row(result: CheckResult, now: datetime) -> tuple[Any, ...]:
    return (
        without_zone(now),
        result.check.value,
        result.subject,
        result.state.value,
        result.value,
        result.unit,
        result.at_least,
        result.at_most,
        result.severity.value if result.severity else None,
        result.owner,
        result.summary,
        without_zone(result.observed_at),
    )
