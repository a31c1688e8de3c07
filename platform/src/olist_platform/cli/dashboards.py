"""`olist dashboards`: the pages that people read, and what else is made from their descriptions."""

import typer

from olist_platform.cli.console import out

app = typer.Typer(help="Make the dashboards from their descriptions.", no_args_is_help=True)


@app.callback()
def dashboards() -> None:
    """Make the dashboards from their descriptions in platform/dashboards/."""


@app.command()
def exposures() -> None:
    """Write dbt/models/exposures.yml, dbt's record of who reads which mart.

    Example:  olist dashboards exposures
    """
    from olist_platform.dashboards.exposures import write_exposures  # noqa: PLC0415

    out.print(f"written: {write_exposures()}", soft_wrap=True, highlight=False)
