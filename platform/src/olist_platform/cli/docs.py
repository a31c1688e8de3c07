"""`olist docs`: the documentation of the warehouse."""

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named, out

app = typer.Typer(help="Document the warehouse.", no_args_is_help=True)


@app.callback()
def docs() -> None:
    """Document the warehouse."""


@app.command()
def build(env: EnvironmentOption = "local") -> None:
    """Write one page with every model, column and the lineage graph; it opens without a network.

    Example:  xdg-open "$(olist docs build)"
    """
    # DuckDB takes a while to import, which `olist --help` need not wait for.
    from olist_platform.docs_site import build_docs_site  # noqa: PLC0415

    out.print(str(build_docs_site(environment_named(env))), soft_wrap=True, highlight=False)
