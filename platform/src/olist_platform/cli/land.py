"""`olist land`: CSV files into the landing layout."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal as readable_size

from olist_platform.cli.console import EnvironmentOption, environment_named, out, path_named
from olist_platform.cli.progress import progress_bar
from olist_platform.errors import OlistError

if TYPE_CHECKING:
    from olist_platform.landing.land import LandResult
    from olist_platform.landing.store import LandingStore

_DATE_FORMATS = ["%Y-%m-%d"]


def land(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="Folder of the CSV files, or Kaggle's zip.", parser=path_named
        ),
    ],
    *,
    env: EnvironmentOption = "local",
    to: Annotated[
        str | None,
        typer.Option(help="Folder or s3://bucket/prefix. [default: the environment's landing]"),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            help="S3 endpoint other than AWS, such as http://localhost:9000.", show_default=False
        ),
    ] = None,
    daily: Annotated[
        bool, typer.Option("--daily", help="Replay day by day what a nightly extract wrote.")
    ] = False,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=_DATE_FORMATS, metavar="DATE", help="First day of the replay to land."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_DATE_FORMATS, metavar="DATE", help="Last day of the replay to land."),
    ] = None,
    extract_date: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=_DATE_FORMATS,
            metavar="DATE",
            help="Day of the backfill. [default: the latest event in the files]",
            show_default=False,
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Land what there is; datasets may be missing.")
    ] = False,
) -> None:
    """Land CSV files: everything as one backfill, or day by day. Landing twice changes nothing.

    Examples:  olist land archive.zip
      olist land data/generated --daily --until 2018-08-31
      olist land ../olist-sample --allow-missing --to s3://my-bucket/olist
    """
    # Polars and Arrow take a second to import, which `olist --help` need not wait for.
    from olist_platform.landing.land import land_backfill, land_daily  # noqa: PLC0415
    from olist_platform.landing.store import landing_store  # noqa: PLC0415

    if daily and extract_date:
        raise OlistError(
            "--date names the day of a backfill; a replay has a day per file",
            "use --from and --until with --daily",
        )
    if not daily and (first or until):
        raise OlistError("--from and --until need --daily", "add --daily, or leave them out")
    store = landing_store(environment_named(env), url=to, endpoint_url=endpoint_url)
    with progress_bar("landing", "files") as progress:
        if daily:
            result = land_daily(
                source,
                store,
                first=_day(first),
                until=_day(until),
                allow_missing=allow_missing,
                progress=progress,
            )
        else:
            result = land_backfill(
                source,
                store,
                extract_date=_day(extract_date),
                allow_missing=allow_missing,
                progress=progress,
            )
    _print_summary(result, store)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _print_summary(result: "LandResult", store: "LandingStore") -> None:
    if not result.days:
        out.print("[yellow]nothing to land:[/] no extract lies in those days")
        return
    days = f"{result.days[0]}"
    if len(result.days) > 1:
        days += f" to {result.days[-1]} ({len(result.days):,} days)"
    out.print(
        f"[bold green]landed[/] {result.written:,} files, {result.unchanged:,} unchanged, "
        f"{readable_size(result.size_bytes)}, {days}",
        soft_wrap=True,
        highlight=False,
    )
    out.print(f"  in {store.url}", soft_wrap=True, highlight=False, markup=False)
    if result.missing:
        out.print(f"[yellow]not in the input:[/] {', '.join(result.missing)}", highlight=False)
