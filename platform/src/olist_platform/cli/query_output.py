"""An answer of the warehouse as a table, CSV or JSON."""

import json
import math
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
from pyarrow import csv
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from olist_platform.cli.console import err, out

_NUMERIC_KINDS = (pa.types.is_decimal, pa.types.is_floating, pa.types.is_integer)
_CSV_KINDS = (
    *_NUMERIC_KINDS,
    pa.types.is_boolean,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
)


def print_table(answer: pa.Table, rows: int) -> None:
    """Print at most that many rows as a table, and say what was left out.

    What has more columns than the screen can show is printed record by record.
    """
    shown = answer.slice(0, rows)
    if _least_width(shown) <= out.width:
        out.print(_table(shown))
    else:
        for number, record in enumerate(shown.to_pylist(), start=1):
            out.rule(f"{number}", align="left", style="dim")
            out.print(_record(record))
    if answer.num_rows > rows:
        err.print(f"{rows} of {answer.num_rows} rows shown; --rows or --format csv shows more")


def print_csv(answer: pa.Table) -> None:
    """Write every row as CSV to standard output; lists and intervals as their text."""
    for position, field in enumerate(answer.schema):
        if not _is_any(field.type, _CSV_KINDS):
            values = answer.column(position).to_pylist()
            texts = [None if value is None else str(value) for value in values]
            answer = answer.set_column(position, field.name, pa.array(texts, pa.string()))
    csv.write_csv(answer, sys.stdout.buffer)


def print_json(answer: pa.Table) -> None:
    """Print every row as JSON; decimals stay exact as text, what is no number is null."""
    records = [_without_nan(record) for record in answer.to_pylist()]
    out.print_json(json.dumps(records, default=_json_value, allow_nan=False))


def _table(answer: pa.Table) -> Table:
    table = Table(*answer.column_names)
    for field, column in zip(answer.schema, table.columns, strict=True):
        if _is_any(field.type, _NUMERIC_KINDS):
            column.justify = "right"
    for record in answer.to_pylist():
        table.add_row(*(_text(value) for value in record.values()))
    return table


def _least_width(answer: pa.Table) -> int:
    """Return how wide a table is that breaks its cells between words only."""
    widths = [
        max(
            (
                cell_len(word)
                for text in (name, *(str(value) for value in column.to_pylist()))
                for word in text.split()
            ),
            default=0,
        )
        for name, column in zip(answer.column_names, answer.columns, strict=True)
    ]
    # A space on each side of a cell, and a line around each.
    return sum(widths) + 3 * len(widths) + 1


def _record(record: Mapping[str, object]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, value in record.items():
        grid.add_row(Text(name, style="bold"), _text(value))
    return grid


def _text(value: object) -> Text:
    # Text, because a value such as "[red]" is data here, not markup.
    return Text("" if value is None else str(value))


def _is_any(kind: pa.DataType, kinds: tuple[object, ...]) -> bool:
    return any(is_kind(kind) for is_kind in kinds)  # type: ignore[operator]


def _without_nan(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: _without_nan(each) for name, each in value.items()}
        case list():
            return [_without_nan(each) for each in value]
    return value


def _json_value(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return repr(value)
