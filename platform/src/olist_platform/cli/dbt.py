"""`olist dbt`: dbt itself, with the environment's settings."""

import sys
from typing import Annotated

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named
from olist_platform.dbt_command import run_dbt_on_free_warehouse


def dbt(
    arguments: Annotated[list[str], typer.Argument(help="Arguments of dbt.")],
    env: EnvironmentOption = "local",
) -> None:
    """Run dbt in an environment, with its own options after `--`.

    Example:  olist dbt -- build --select staging+
    """
    sys.exit(run_dbt_on_free_warehouse(environment_named(env), arguments))
