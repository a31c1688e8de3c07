"""`olist deployment`: what the Airflow that operates an environment is told, and its secrets."""

from typing import Annotated

import typer
import yaml
from rich.table import Table

from olist_platform.cli.console import environment_named, out

app = typer.Typer(help="Show what a production Airflow is told.", no_args_is_help=True)

_EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", help="dev or prod.", show_default=False)
]


@app.command()
def settings(env: _EnvironmentArgument) -> None:
    """Print the settings that the image gives to Airflow, as variables; no secrets.

    Example:  olist deployment settings prod
    """
    from olist_platform.airflow_settings import production_settings  # noqa: PLC0415

    for name, value in sorted(production_settings(environment_named(env)).items()):
        typer.echo(f"{name}={value}")


@app.command()
def values(env: _EnvironmentArgument) -> None:
    """Print the chart's values of an environment, to be laid over those in platform/deploy/chart.

    Example:  olist deployment values prod > prod-values.yaml
    """
    from olist_platform.helm_values import helm_values  # noqa: PLC0415

    typer.echo(yaml.safe_dump(helm_values(environment_named(env)), sort_keys=False), nl=False)


@app.command()
def secrets(env: _EnvironmentArgument) -> None:
    """List the secrets that have to have a value in AWS Secrets Manager; it reads none of them.

    Example:  olist deployment secrets prod
    """
    from olist_platform.runtime_secrets import airflow_secrets, platform_secrets  # noqa: PLC0415

    environment = environment_named(env)
    table = Table()
    # Names are copied from here: they are never cut.
    table.add_column("secret", overflow="fold")
    table.add_column("holds")
    table.add_column("taken as", overflow="fold")
    for secret in (*airflow_secrets(environment), *platform_secrets(environment)):
        table.add_row(secret.name, secret.purpose, secret.variable)
    out.print(table)
