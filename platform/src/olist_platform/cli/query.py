"""`olist query`: ask what is published, or the working warehouse."""

from enum import StrEnum
from typing import Annotated

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named


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
    working: Annotated[
        bool,
        typer.Option("--working", help="Ask the working warehouse: every layer, unpublished too."),
    ] = False,
    rows: Annotated[
        int, typer.Option(min=1, help="Rows a table shows; csv and json show all.")
    ] = 50,
) -> None:
    """Ask the published marts, as consumers see them; nothing can be changed through it.

    Example:  olist query "select period_start, gmv from mart_executive_kpis
    where period_type = 'month' order by 1"
      olist query --working "select count(*) from stg_orders"
    """
    # Arrow and DuckDB take a second to import, which `olist --help` need not wait for.
    from olist_platform.cli import query_output  # noqa: PLC0415
    from olist_platform.publication import published_copy  # noqa: PLC0415
    from olist_platform.warehouse_query import query_warehouse  # noqa: PLC0415

    environment = environment_named(env)
    path = environment.duckdb_path if working else published_copy(environment)
    answer = query_warehouse(path, sql, is_published=not working)
    match output_format:
        case OutputFormat.CSV:
            query_output.print_csv(answer)
        case OutputFormat.JSON:
            query_output.print_json(answer)
        case OutputFormat.TABLE:
            query_output.print_table(answer, rows)
