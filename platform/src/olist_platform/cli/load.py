"""`olist load`: landing files into the raw tables of the DuckDB warehouse."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.cli.progress import progress_bar

if TYPE_CHECKING:
    from olist_platform.raw_loading.results import LoadResult

_REJECTED_SHOWN = 20


def load(
    env: EnvironmentOption = "local",
    source: Annotated[
        str | None,
        typer.Option(
            "--from", help="Folder or s3://bucket/prefix. [default: the environment's landing]"
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            help="S3 endpoint other than AWS, such as http://localhost:9000.", show_default=False
        ),
    ] = None,
) -> None:
    """Load what has landed into the raw tables, every file exactly once.

    Files that cannot be loaded are named, the others load, and the command ends with 1.

    Examples:  olist load
      olist load --from s3://my-bucket/olist --endpoint-url http://localhost:9000
    """
    # Arrow and DuckDB take a second to import, which `olist --help` need not wait for.
    from olist_platform.landing.store import landing_store  # noqa: PLC0415
    from olist_platform.raw_loading.loader import load_landing  # noqa: PLC0415

    environment = environment_named(env)
    store = landing_store(environment, url=source, endpoint_url=endpoint_url)
    with progress_bar("loading", "files") as progress:
        result = load_landing(environment, store, progress=progress)
    _print_summary(result)
    if result.rejected:
        _print_rejected(result)
        raise typer.Exit(1)


def _print_summary(result: "LoadResult") -> None:
    out.print(
        f"[bold green]loaded[/] {result.loaded:,} files, {result.rows:,} rows; "
        f"{result.already_loaded:,} already loaded, {result.duplicates:,} duplicates, "
        f"{len(result.rejected):,} rejected",
        soft_wrap=True,
        highlight=False,
    )
    for name, rows in result.rows_by_dataset.items():
        if rows:
            out.print(f"  {name:<21}{rows:>12,}", highlight=False)
    for path in result.ignored:
        out.print(Text.assemble(("ignored: ", "yellow"), path, " (not in a dataset's folder)"))


def _print_rejected(result: "LoadResult") -> None:
    for file in result.rejected[:_REJECTED_SHOWN]:
        err.print(
            Text.assemble(("error: ", "bold red"), f"{file.path}: {file.reason}"), soft_wrap=True
        )
    hidden = len(result.rejected) - _REJECTED_SHOWN
    if hidden > 0:
        err.print(f"... and {hidden:,} more; see raw.load_history where status = 'rejected'")
    err.print(
        Text.assemble(
            ("mend:  ", "bold green"), "mend or remove these files, then run olist load again"
        ),
        soft_wrap=True,
    )
