"""An answer of the warehouse as a table, CSV or JSON."""

import json
import sys
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
from pyarrow import csv
from rich.table import Table
from rich.text import Text

from olist_platform.cli.console import err, out

_NUMERIC_KINDS = (pa.types.is_decimal, pa.types.is_floating, pa.types.is_integer)


def print_table(answer: pa.Table, rows: int) -> None:
    """Print at most that many rows as a table, and say what was left out."""
    out.print(_table(answer.slice(0, rows)))
    if answer.num_rows > rows:
        err.print(f"{rows} of {answer.num_rows} rows shown; --rows or --format csv shows more")


def print_csv(answer: pa.Table) -> None:
    """Write every row as CSV to standard output."""
    csv.write_csv(answer, sys.stdout.buffer)


def print_json(answer: pa.Table) -> None:
    """Print every row as JSON; decimals stay exact as text."""
    out.print_json(json.dumps(answer.to_pylist(), default=_json_value))


def _table(answer: pa.Table) -> Table:
    table = Table(*answer.column_names)
    for field, column in zip(answer.schema, table.columns, strict=True):
        if any(is_kind(field.type) for is_kind in _NUMERIC_KINDS):
            column.justify = "right"
    for record in answer.to_pylist():
        # Text, because a value such as "[red]" is data here, not markup.
        table.add_row(*(Text("" if value is None else str(value)) for value in record.values()))
    return table


def _json_value(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return repr(value)
