"""`olist generate`: a data set of any size, with the real one's shape and faults."""

import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from olist_platform.cli.console import out, path_named
from olist_platform.cli.progress import progress_bar
from olist_platform.errors import OlistError
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.source_catalog import dataset_named

_DEFAULTS = GeneratorSettings()


def generate(  # noqa: PLR0917 - Typer calls it by keyword
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder for the nine files; made if missing.", parser=path_named
        ),
    ],
    orders: Annotated[
        int, typer.Option("--orders", "-n", help="Exact number of orders.")
    ] = _DEFAULTS.orders,
    seed: Annotated[
        int, typer.Option(help="Equal settings and seed give byte-identical files.")
    ] = _DEFAULTS.seed,
    start: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of purchases.")
    ] = _DEFAULTS.start.isoformat(),
    end: Annotated[
        str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of purchases.")
    ] = _DEFAULTS.end.isoformat(),
    dirt: Annotated[
        bool, typer.Option("--dirt/--no-dirt", help="Reproduce the real files' faults.")
    ] = True,
    frauds: Annotated[
        float,
        typer.Option(
            min=0, max=0.5, help="Frauds and faults to add, as a share of the orders; 0 for none."
        ),
    ] = 0.0,
) -> None:
    """Generate the nine Olist files: the real data's shape, none of its rows.

    The parameters they were made with are written beside them, to true_parameters.json. With
    --frauds, injected_frauds.csv tells which orders were added as frauds, and of what kind.

    Example:  olist generate data/generated --orders 20000 --seed 7
    """
    # Polars takes a second to import, which `olist --help` need not wait for.
    from olist_platform.generator.dataset import generate_dataset  # noqa: PLC0415
    from olist_platform.generator.frauds import FRAUDS_FILE, inject_into_files  # noqa: PLC0415

    settings = GeneratorSettings(
        seed=seed,
        orders=orders,
        start=_day("--from", start),
        end=_day("--to", end),
        dirt=dirt,
    )
    began = time.perf_counter()
    added = 0

    def add_frauds() -> None:
        nonlocal added
        (folder / FRAUDS_FILE).unlink(missing_ok=True)
        if frauds:
            added = inject_into_files(folder, frauds, seed)

    with progress_bar("generating", "orders") as progress:
        rows = generate_dataset(settings, folder, progress, change=add_frauds)
    if frauds:
        out.print(f"{added:,} orders are frauds or faults: {folder / FRAUDS_FILE}", soft_wrap=True)
    _print_summary(folder, rows, time.perf_counter() - began)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OlistError(
            f"{option}: '{text}' is not a date", "write it as YYYY-MM-DD, like 2017-11-24"
        ) from None


def _print_summary(folder: Path, rows: dict[str, int], seconds: float) -> None:
    table = Table("file", "rows")
    table.columns[1].justify = "right"
    for name, count in rows.items():
        table.add_row(dataset_named(name).file_name, f"{count:,}")
    out.print(table)
    total = sum(rows.values())
    out.print(f"{total:,} rows in {seconds:.1f} s, in {folder}", soft_wrap=True)
