"""`olist airflow`: Airflow itself, on the environment's private home."""

import os
import subprocess
from typing import Annotated

import typer

from olist_platform.cli.console import EnvironmentOption, environment_named
from olist_platform.errors import OlistError
from olist_platform.executables import installed_executable


def airflow(
    arguments: Annotated[list[str], typer.Argument(help="Arguments of Airflow.")],
    env: EnvironmentOption = "local",
) -> None:
    """Run Airflow with the environment's settings and DAGs, its own options after `--`.

    Examples:  olist airflow -- standalone
      olist airflow -- dags list
    """
    # Only this command and the demo need these; `olist --help` need not wait for them.
    from olist_platform.airflow_home import (  # noqa: PLC0415
        airflow_variables,
        is_ready,
        mark_ready,
        prepare_airflow_home,
    )
    from olist_platform.dbt_command import fresh_manifest  # noqa: PLC0415

    environment = environment_named(env)
    executable = installed_executable("airflow")
    fresh_manifest(environment)
    home = prepare_airflow_home(environment)
    # Airflow starts its parts by name, from whatever PATH finds first.
    path = os.pathsep.join([str(executable.parent), os.environ.get("PATH", "")])
    variables = os.environ | airflow_variables(environment, home) | {"PATH": path}
    if not is_ready(home):
        migration = subprocess.run(  # noqa: S603 - Airflow's own executable
            [executable, "db", "migrate"],
            env=variables,
            check=False,
            capture_output=True,
            text=True,
        )
        if migration.returncode:
            raise OlistError(f"Airflow's database cannot be migrated:\n{migration.stderr}")
        mark_ready(home)
    os.execve(executable, [str(executable), *arguments], variables)  # noqa: S606 - it takes over
