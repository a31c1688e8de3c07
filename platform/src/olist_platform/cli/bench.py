"""`olist bench`: ratios measured in one run."""

from typing import Annotated

import typer
from rich.table import Table

from olist_platform.cli.console import err, out


def bench(
    orders: Annotated[int, typer.Option(min=1000, help="Orders to measure on.")] = 99_441,
) -> None:
    """Print what orchestration, increments and loading cost, as ratios measured in one run.

    Example:  olist bench --orders 20000
    """
    # Airflow, Polars and Arrow take seconds to import, which `olist --help` need not wait for.
    from olist_platform.benchmarks import run_benchmarks  # noqa: PLC0415

    with err.status("starting") as status:
        ratios = run_benchmarks(orders, status.update)
    table = Table("ratio", "of", "to", "value", title=f"{orders:,} orders")
    table.columns[3].justify = "right"
    for ratio in ratios:
        table.add_row(ratio.what, ratio.numerator, ratio.denominator, f"{ratio.value:.2f}")
    out.print(table)
