"""`olist airflow`: Airflow itself, on the environment's private home."""

import os
from typing import Annotated

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named
from olist_platform.executables import installed_executable


def airflow(
    arguments: Annotated[list[str], typer.Argument(help="Arguments of Airflow.")],
    env: EnvironmentOption = "local",
) -> None:
    """Run Airflow with the environment's settings and DAGs, its own options after `--`.

    Examples:  olist airflow -- dags list
      olist airflow -- dags trigger olist_production
    """
    # Only this command and the demo need these; `olist --help` need not wait for them.
    from olist_platform.airflow_home import (  # noqa: PLC0415
        airflow_process_variables,
        migrated_airflow_home,
    )
    from olist_platform.dag_source import dag_source  # noqa: PLC0415
    from olist_platform.dbt_command import fresh_manifest  # noqa: PLC0415

    environment = environment_named(env)
    executable = installed_executable("airflow")
    dags = dag_source(environment)
    if dags.release is None:
        fresh_manifest(environment)
    home = migrated_airflow_home(environment)
    variables = airflow_process_variables(environment, home, dags)
    os.execve(executable, [str(executable), *arguments], variables)  # noqa: S606 - it takes over
