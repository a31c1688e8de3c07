"""`olist cost`: what the platform costs, by whatever one pays for, and what to do about it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from olist_platform.cli.console import EnvironmentOption, environment_named, out

if TYPE_CHECKING:
    from olist_platform.cost.report import CostReport, CostTable


class By(StrEnum):
    """What costs are told by."""

    MODEL = "model"
    DAG_RUN = "dag-run"
    WAREHOUSE = "warehouse"
    DAY = "day"


def cost(
    env: EnvironmentOption = "local",
    by: Annotated[By, typer.Option(help="model, dag-run, warehouse or day.")] = By.MODEL,
    days: Annotated[int, typer.Option(min=1, max=62, help="Days up to now.")] = 30,
    rows: Annotated[int, typer.Option(min=1, help="Rows that the table shows.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Show costs against the budget, by model, DAG run, warehouse or day, with recommendations.

    On Snowflake they are credits, attributed and idle apart; on DuckDB notional money. The two are
    never summed. Snowflake's own views lag by hours.

    Example:  olist cost --by day
      olist cost --env prod --by warehouse
    """
    # DuckDB and SQLAlchemy take a second to import, which `olist --help` need not wait for.
    from olist_platform.cost.report import read_cost_report  # noqa: PLC0415

    environment = environment_named(env)
    now = datetime.now(UTC)
    report = read_cost_report(environment, now, now - timedelta(days=days))
    table = report.table(by.value)
    if as_json:
        out.print_json(json.dumps(_as_json(report, table), default=str))
        return
    for month in report.months:
        out.print(
            f"[bold]{month.subject}[/]: {month.spent:,.2f} of {month.budget:,.0f} {month.unit}"
            f" ({month.spent_share:.0%}), forecast {month.forecast:,.2f}"
            f" ({month.forecast_share:.0%}), {_variance(month.forecast - month.budget)}",
            soft_wrap=True,
            highlight=False,
        )
    _print_table(table, rows)
    for item in report.dearest:
        out.print(
            f"[bold]{escape(item.name)}[/] {item.cost:,.4f} {item.unit} ({item.share:.0%}):"
            f" {escape(item.recommendation)}",
            highlight=False,
        )


def _variance(difference: float) -> str:
    return f"{abs(difference):,.2f} {'over' if difference > 0 else 'under'} budget"


def _print_table(table: "CostTable", rows: int) -> None:
    if not table.rows:
        out.print("no cost is known of that time")
        return
    shown = Table(*table.columns, box=None, pad_edge=False)
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in table.rows[:rows]:
        shown.add_row(*(escape(_text(value)) for value in row))
    out.print(shown, highlight=False)
    if len(table.rows) > rows:
        out.print(f"[dim]{rows} of {len(table.rows)} rows; --rows shows more[/]", highlight=False)


def _text(value: Any) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else str(value)


def _as_json(report: "CostReport", table: "CostTable") -> dict[str, Any]:
    return {
        "months": [asdict(month) for month in report.months],
        "columns": table.columns,
        "rows": table.rows,
        "dearest": [asdict(item) for item in report.dearest],
    }
