"""`olist bench`: ratios measured in one run."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from olist_platform.cli.console import err, out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from olist_platform.benchmarks import Ratio


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
    out.print(ratio_table(measured.ratios, f"{orders:,} and {large_orders:,} orders"))
    out.print(f"a full build of {large_orders:,} orders held {measured.peak_memory_gib:.1f} GiB")


def ratio_table(ratios: "Sequence[Ratio]", title: str) -> Table:
    """Return the ratios as a table, each with its aim, where it has one, and if it misses that."""
    table = Table("ratio", "of", "to", "value", "aim", title=title)
    for column in table.columns[3:]:
        column.justify = "right"
    for ratio in ratios:
        aim = "" if ratio.aim is None else f"{'missed: ' * ratio.misses_its_aim}{ratio.aim:g}"
        style = "red" if ratio.misses_its_aim else "green"
        table.add_row(
            ratio.what,
            ratio.numerator,
            ratio.denominator,
            f"{ratio.value:.2f}",
            Text(aim, style),
        )
    return table
