"""The history of figures: what every check found in every pass, appended and never changed.

On Snowflake it is a table of the monitoring schema. On DuckDB it is a file of monitoring's own: the
warehouse's file belongs to whoever builds (platform/docs/decisions/monitoring-reads-copies.md).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from olist_platform.duckdb_warehouse import explain_duckdb_error
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import os_errors_explained
from olist_platform.monitoring.check_result import CheckResult
from olist_platform.monitoring.freshness import as_utc
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


@dataclass(frozen=True, slots=True)
class RecordedFigure:
    """A figure of the history.

    Attributes:
        checked_at: The moment of the pass, UTC.
        check: Name of the check.
        subject: What was looked at.
        state: How it stood.
        value: The figure, in `unit`.
        unit: Its unit.
        expected_low: Smallest value that was fine; None for no bound.
        expected_high: Largest value that was fine; None for no bound.
    """

    checked_at: datetime
    check: str
    subject: str
    state: str
    value: float | None
    unit: str
    expected_low: float | None
    expected_high: float | None


def history_path(environment: Environment) -> Path:
    """File of the history of an environment on DuckDB."""
    return state_folder(environment.name) / "monitoring" / "history.duckdb"


def append_history(environment: Environment, results: Sequence[CheckResult], now: datetime) -> int:
    """Append the figures of a pass, all of them or none, and return how many.

    Raises:
        OlistError: The history cannot be written.
    """
    rows = [_row(result, now) for result in results if result.is_recorded]
    if isinstance(environment.warehouse, DuckDBWarehouse):
        path, table = history_path(environment), environment.names.check_results_table
        with os_errors_explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        with _open_file(path, read_only=False) as connection:
            connection.execute("begin")
            connection.execute(_create(table))
            columns = zip(_COLUMNS, zip(*rows, strict=True), strict=True)
            figures = pa.table({name: list(values) for name, values in columns})
            connection.register("figures", figures)
            connection.execute(f"insert into {table} by name from figures")
            connection.execute("commit")
    else:
        with open_snowflake(environment, Workload.REPORT) as connection:
            append_to_snowflake(connection, environment, rows)
    return len(rows)


def append_to_snowflake(
    connection: Any, environment: Environment, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Append rows to the table in Snowflake, which is made where it is missing."""
    names = environment.names
    table = f"{names.schema(Layer.MONITORING)}.{names.check_results_table}"
    with connection.cursor() as cursor:
        cursor.execute(_create(table))
        # One statement for all rows.
        cursor.executemany(_insert(table), rows)


def read_history(environment: Environment, since: datetime) -> list[RecordedFigure]:
    """Return the figures since a moment, oldest first; none where no pass was recorded.

    Raises:
        OlistError: The history cannot be read.
    """
    names = environment.names
    if isinstance(environment.warehouse, DuckDBWarehouse):
        path = history_path(environment)
        if not path.exists():
            return []
        with _open_file(path, read_only=True) as connection:
            rows = connection.execute(_select(names.check_results_table, since)).fetchall()
    else:
        table = f"{names.schema(Layer.MONITORING)}.{names.check_results_table}"
        with open_snowflake(environment, Workload.REPORT) as connection:
            rows = connection.cursor().execute(_select(table, since)).fetchall()
    return [RecordedFigure(as_utc(row[0]), *row[1:]) for row in rows]


@contextmanager
def _open_file(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(duckdb.IOException),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            reraise=True,
        ):
            with attempt:
                connection = duckdb.connect(path, read_only=read_only)
        with connection:
            yield connection
    except duckdb.Error as error:
        raise explain_duckdb_error(error, path, _BEGIN_AGAIN) from error


def _create(table: str) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    return f"create table if not exists {table} ({columns})"


def _select(table: str, since: datetime) -> str:
    columns = "checked_at, check_name, subject, state, value, unit, expected_low, expected_high"
    moment = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return (
        f"select {columns} from {table} where checked_at >= '{moment}'"  # noqa: S608 - our own
        " order by checked_at, check_name, subject"
    )


def _insert(table: str) -> str:
    values = ", ".join(["%s"] * len(_COLUMNS))
    return f"insert into {table} ({', '.join(_COLUMNS)}) values ({values})"  # noqa: S608 - our own


def _row(result: CheckResult, now: datetime) -> tuple[Any, ...]:
    return (
        now.astimezone(UTC).replace(tzinfo=None),
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
        result.observed_at.astimezone(UTC).replace(tzinfo=None),
    )
