"""`olist bench`: ratios measured in one run."""

from typing import Annotated

import typer
from rich.table import Table

from olist_platform.cli.console import err, out


def bench(
    orders: Annotated[int, typer.Option(min=1000, help="Orders to measure on.")] = 99_441,
    large_orders: Annotated[
        int, typer.Option(min=1000, help="Orders to measure growth, memory and increments on.")
    ] = 1_000_000,
) -> None:
    """Print what orchestration, increments and loading cost, as ratios measured in one run.

    Example:  olist bench --orders 20000 --large-orders 200000
    """
    # Airflow, Polars and Arrow take seconds to import, which `olist --help` need not wait for.
    from olist_platform.benchmarks import run_benchmarks  # noqa: PLC0415

    with err.status("starting") as status:
        measured = run_benchmarks(orders, large_orders, status.update)
    table = Table("ratio", "of", "to", "value", title=f"{orders:,} and {large_orders:,} orders")
    table.columns[3].justify = "right"
    for ratio in measured.ratios:
        table.add_row(ratio.what, ratio.numerator, ratio.denominator, f"{ratio.value:.2f}")
    out.print(table)
    out.print(f"a full build of {large_orders:,} orders held {measured.peak_memory_gib:.1f} GiB")
