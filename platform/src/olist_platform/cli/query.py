"""`olist query`: ask the embedded warehouse."""

import json
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import pyarrow as pa
import typer
from pyarrow import csv
from rich.table import Table

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.warehouse_query import query_warehouse

_NUMERIC_KINDS = (pa.types.is_decimal, pa.types.is_floating, pa.types.is_integer)


class OutputFormat(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement; marts need no schema.")],
    env: EnvironmentOption = "local",
    output_format: Annotated[
        OutputFormat, typer.Option("--format", "-f", help="table, csv or json.")
    ] = OutputFormat.TABLE,
    rows: Annotated[
        int, typer.Option(min=1, help="Rows a table shows; csv and json show all.")
    ] = 50,
) -> None:
    """Ask the local warehouse; nothing can be changed through it.

    Example:  olist query "select period_start, gmv from mart_executive_kpis
    where period_type = 'month' order by 1"
    """
    answer = query_warehouse(environment_named(env).duckdb_path, sql)
    match output_format:
        case OutputFormat.CSV:
            csv.write_csv(answer, sys.stdout.buffer)
        case OutputFormat.JSON:
            out.print_json(json.dumps(answer.to_pylist(), default=_json_value))
        case OutputFormat.TABLE:
            out.print(_table(answer.slice(0, rows)))
            if answer.num_rows > rows:
                err.print(
                    f"{rows} of {answer.num_rows} rows shown; --rows or --format csv shows more"
                )


def _table(answer: pa.Table) -> Table:
    table = Table(*answer.column_names)
    for field, column in zip(answer.schema, table.columns, strict=True):
        if any(is_kind(field.type) for is_kind in _NUMERIC_KINDS):
            column.justify = "right"
    for record in answer.to_pylist():
        table.add_row(*("" if value is None else str(value) for value in record.values()))
    return table


def _json_value(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return repr(value)
