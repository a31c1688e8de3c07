"""Whether two relations hold the same rows, and where they do not."""

import math
from dataclasses import dataclass
from typing import Any

import duckdb

RELATIVE_TOLERANCE = 1e-9
"""How far two doubles may be apart, relative to the larger; every other type must be equal."""

ABSOLUTE_TOLERANCE = 1e-12
"""The same around zero, where no relative tolerance can hold."""

_SHOWN = 3
# Snowflake has one integer type, NUMBER(38, 0); the emulator keeps it as BIGINT.
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}


@dataclass(frozen=True)
class Compared:
    """A relation and what of it is compared.

    Attributes:
        relation: Qualified name.
        expressions: What replaces a column, by its lower-case name; None leaves it out.
    """

    relation: str
    expressions: dict[str, str | None]

    def columns(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """Types by lower-case name."""
        described = connection.execute(f"describe {self.relation}").fetchall()
        return {
            name.lower(): "integer" if type_ in _INTEGERS else type_.lower()
            for name, type_, *_ in described
            if self.expressions.get(name.lower(), "") is not None
        }

    def rows(
        self, connection: duckdb.DuckDBPyConnection, columns: list[str]
    ) -> list[tuple[Any, ...]]:
        """All rows with the columns in that order, sorted by them."""
        selected = ", ".join(f"{self.expressions.get(name) or name} as {name}" for name in columns)
        return connection.execute(
            f"select {selected} from {self.relation} "
            f"order by {', '.join(str(position + 1) for position in range(len(columns)))}"
        ).fetchall()


def differences(
    connection: duckdb.DuckDBPyConnection, expected: Compared, actual: Compared
) -> list[str]:
    """Say how two relations differ: columns, types, number of rows, and the first rows."""
    types, actual_types = expected.columns(connection), actual.columns(connection)
    if types != actual_types:
        apart = sorted(dict(types.items() ^ actual_types.items()))
        return [f"{name}: {types.get(name)} <> {actual_types.get(name)}" for name in apart]
    # Sorted by what must be equal first, so that doubles a hair apart do not pair other rows.
    columns = sorted(types, key=lambda name: types[name] == "double")
    rows = expected.rows(connection, columns)
    actual_rows = actual.rows(connection, columns)
    if len(rows) != len(actual_rows):
        return [f"{len(rows)} rows <> {len(actual_rows)} rows"]
    found = []
    for row, actual_row in zip(rows, actual_rows, strict=True):
        cells = {
            name: (value, other)
            for name, value, other in zip(columns, row, actual_row, strict=True)
            if not _equal(value, other)
        }
        if cells:
            found.append(f"{row[:3]}: {dict(list(cells.items())[:_SHOWN])}")
    return [*found[:_SHOWN], f"{len(found)} of {len(rows)} rows differ"] if found else []


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, float) and isinstance(other, float):
        return (math.isnan(value) and math.isnan(other)) or math.isclose(
            value, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE
        )
    return bool(value == other)
