"""`olist dashboards`: the pages that people read, and what else is made from their descriptions."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out

if TYPE_CHECKING:
    from olist_platform.dashboards.site import Site
    from olist_platform.errors import OlistError

app = typer.Typer(help="Make the dashboards from their descriptions.", no_args_is_help=True)

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Where the site lies. [default: data/<env>/dashboards]"),
]


@app.callback()
def dashboards() -> None:
    """Make the dashboards from their descriptions in platform/dashboards/."""


@app.command()
def build(env: EnvironmentOption = "local", output: OutputOption = None) -> None:
    """Write the pages from the published marts; they open without a server or a network.

    Example:  xdg-open "$(olist dashboards build)"
    """
    # Vega, DuckDB and Jinja take a moment to import, which `olist --help` need not wait for.
    from olist_platform.dashboards.site import build_site  # noqa: PLC0415

    site = build_site(environment_named(env), output)
    out.print(str(site.first_page), soft_wrap=True, highlight=False)


@app.command()
def serve(
    env: EnvironmentOption = "local",
    output: OutputOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0: any.")] = 8050,
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between looks for newly published marts.")
    ] = 5,
) -> None:
    """Serve the pages to this machine, and rebuild them when marts are published.

    Open pages load the new ones by themselves. Control-C ends it.

    Example:  olist dashboards serve --port 9000
    """
    from olist_platform.dashboards.site import build_site  # noqa: PLC0415
    from olist_platform.dashboards.site_server import (  # noqa: PLC0415
        rebuild_when_published,
        served,
    )

    environment = environment_named(env)
    site = build_site(environment, output)
    with served(site.folder, port) as address:
        out.print(f"{address}  (Control-C ends it)", soft_wrap=True, highlight=False)
        with suppress(KeyboardInterrupt):
            rebuild_when_published(environment, site.folder, every, _tell)


@app.command("refresh-powerbi")
def refresh_powerbi(env: EnvironmentOption = "prod") -> None:
    """Refresh Power BI from the published marts, and wait until it has.

    Airflow's connection of Power BI is taken from a variable, such as AIRFLOW_CONN_POWERBI_DEFAULT.

    Example:  olist dashboards refresh-powerbi --env prod
    """
    from olist_platform.powerbi.refresh import refresh_semantic_model  # noqa: PLC0415

    done = refresh_semantic_model(environment_named(env))
    out.print(f"[green]refreshed[/] {done}", soft_wrap=True, highlight=False)


@app.command()
def exposures() -> None:
    """Write dbt/models/exposures.yml, dbt's record of who reads which mart.

    Example:  olist dashboards exposures
    """
    from olist_platform.dashboards.exposures import write_exposures  # noqa: PLC0415

    out.print(f"written: {write_exposures()}", soft_wrap=True, highlight=False)


@app.command()
def screenshots(
    env: EnvironmentOption = "local",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where they go. [default: platform/docs/pictures]"),
    ] = None,
) -> None:
    """Build the pages and take the three pictures of the README with this machine's Chromium.

    Example:  olist dashboards screenshots
    """
    from olist_platform.dashboards.screenshots import (  # noqa: PLC0415
        pictures_folder,
        take_screenshots,
    )
    from olist_platform.dashboards.site import build_site  # noqa: PLC0415

    site = build_site(environment_named(env))
    for path in take_screenshots(site.folder, folder or pictures_folder()):
        out.print(f"written: {path}", soft_wrap=True, highlight=False)


@app.command()
def powerbi() -> None:
    """Write the Power BI project in platform/powerbi; a second run changes nothing.

    Example:  olist dashboards powerbi
    """
    from olist_platform.powerbi.project import write_project  # noqa: PLC0415

    folder, changed = write_project()
    out.print(f"{changed} files changed in {folder}", soft_wrap=True, highlight=False)


@app.command()
def email(
    env: Annotated[str, typer.Argument(help="local, dev or prod.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write: .eml as it is sent, .html to look at."),
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="As if the figures were of this day. [default: that of what is published]",
        ),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it to the executives; once a day it goes.")
    ] = False,
) -> None:
    """Show the executives' e-mail of what is published, write it to a file, or send it.

    It is a report of the month or week that ends on the figures' reference date, else of the day.

    Example:  olist dashboards email local --output report.html
      olist dashboards email local --output report.eml --day 2018-08-31
      olist dashboards email prod --send
    """
    from olist_platform.errors import OlistError  # noqa: PLC0415
    from olist_platform.executive_report import report_delivery  # noqa: PLC0415
    from olist_platform.executive_report.report_message import report_text  # noqa: PLC0415

    environment = environment_named(env)
    if send:
        if output or day:
            raise OlistError(
                "--send goes with neither --output nor --day", "what is sent is what is published"
            )
        delivered = report_delivery.deliver_report(environment, lambda: datetime.now(UTC))
        out.print(
            f"{delivered.outcome}: {delivered.title}, {delivered.where}",
            soft_wrap=True,
            highlight=False,
        )
        return
    now = datetime.now(UTC)
    report = report_delivery.current_report(environment, now, day.date() if day else None)
    if output:
        report_delivery.write_report(environment, report, output, now)
        out.print(f"written: {output}", soft_wrap=True, highlight=False)
    else:
        out.print(report_text(report), soft_wrap=True, highlight=False, markup=False)


def _tell(news: "Site | OlistError") -> None:
    from olist_platform.errors import OlistError  # noqa: PLC0415

    if isinstance(news, OlistError):
        err.print(f"the former pages stay: {news.message}", soft_wrap=True)
    else:
        out.print(f"rebuilt: build {news.build}", soft_wrap=True, highlight=False)
