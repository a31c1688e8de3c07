"""The figures that passes of the hourly checks have appended to the history, read back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from olist_platform.environment import Environment
from olist_platform.moments import as_utc, without_zone
from olist_platform.monitoring.history import history_path

_COLUMNS = "checked_at, check_name, subject, state, value, unit, expected_low, expected_high"


@dataclass(frozen=True, slots=True)
class RecordedFigure:
    """A figure of the history."""

    checked_at: datetime
    check: str
    subject: str
    state: str
    value: float | None
    unit: str
    expected_low: float | None
    expected_high: float | None


def recorded_figures(environment: Environment, since: datetime) -> list[RecordedFigure]:
    """The figures of an environment on DuckDB since a moment, oldest first."""
    with duckdb.connect(history_path(environment), read_only=True) as connection:
        return figures_of(connection, environment.names.check_results_table, since)


def figures_of(connection: Any, table: str, since: datetime) -> list[RecordedFigure]:
    """The same of any table, over a connection of DuckDB."""
    rows = connection.execute(
        f"select {_COLUMNS} from {table} where checked_at >= ?"
        " order by checked_at, check_name, subject",
        [without_zone(since)],
    ).fetchall()
    return [RecordedFigure(as_utc(checked_at), *rest) for checked_at, *rest in rows]
