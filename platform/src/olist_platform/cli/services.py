"""`olist up` and `olist down`: Airflow on this machine, in the background."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from olist_platform.cli.console import CheckoutOption, EnvironmentOption, environment_named, out


def up(
    env: EnvironmentOption = "local",
    port: Annotated[int, typer.Option(help="Port of the web page.", min=1024, max=65535)] = 8080,
    checkout: CheckoutOption = False,
) -> None:
    """Start Airflow on this machine: web page, scheduler, triggerer, DAG processor.

    Running parts are left alone; where one has died, all restart and what it was doing begins
    again. Logs and database stay in data/<environment>/airflow. Where a release is deployed, its
    DAGs run, and new runs take those of the next one.

    Examples:  olist up
      olist up --port 8090
      olist airflow -- dags trigger olist_production
    """
    # Airflow's settings take a moment to import, which `olist --help` need not wait for.
    from olist_platform.airflow_services import start_services  # noqa: PLC0415

    environment = environment_named(env)
    with Progress(
        TextColumn("starting Airflow"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f} of {task.total:.0f} parts"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as bars:
        bar = bars.add_task("", total=4)
        services = start_services(
            environment,
            port,
            lambda done, total: bars.update(bar, completed=done, total=total),
            checkout=checkout,
        )
    state = "already runs" if services.already_running else "runs"
    out.print(f"[green]Airflow {state}[/] at {services.url}", highlight=False, soft_wrap=True)
    for name, text in (
        ("DAGs", f"of {services.dags}"),
        ("trigger", ".venv/bin/olist airflow -- dags trigger olist_production"),
        ("logs", str(services.logs)),
        ("stop it", "make down"),
    ):
        out.print(f"{name:<8} {text}", highlight=False, markup=False, soft_wrap=True)


def down(env: EnvironmentOption = "local") -> None:
    """Stop Airflow and every task it runs; starting it again continues them.

    Examples:  olist down
    """
    from olist_platform.airflow_services import stop_services  # noqa: PLC0415

    running = stop_services(environment_named(env))
    out.print(f"stopped {running} of Airflow's parts" if running else "Airflow was not running")
