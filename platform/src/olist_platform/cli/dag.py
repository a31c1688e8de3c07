"""`olist dag`: run a DAG to its end on this machine, or continue its last run where that failed."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from olist_platform.cli.console import (
    CheckoutOption,
    EnvironmentOption,
    environment_named,
    err,
    out,
)
from olist_platform.development import DEFAULT_SCHEMA, require_schema
from olist_platform.errors import OlistError

if TYPE_CHECKING:
    from olist_platform.dag_run import DagRunSummary

app = typer.Typer(no_args_is_help=True, help="Run a DAG to its end on this machine.")


class DagName(StrEnum):
    """The DAGs that can be run to their end."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


_Dag = Annotated[DagName, typer.Argument(help="Which DAG.")]


@app.command()
def run(  # noqa: PLR0917 - options, all given by name
    dag: _Dag = DagName.PRODUCTION,
    env: EnvironmentOption = "local",
    select: Annotated[
        str | None,
        typer.Option(help="production: build only this dbt selection, of what is loaded."),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="production: rebuild incremental models.")
    ] = False,
    as_of_date: Annotated[
        str | None, typer.Option(help="production: reference date of all figures, YYYY-MM-DD.")
    ] = None,
    schema: Annotated[
        str | None, typer.Option(help="development: its schema, or its folder on DuckDB.")
    ] = None,
    checkout: CheckoutOption = False,
) -> None:
    """Run a DAG once through a real Airflow, without scheduler and web page.

    Examples:  olist dag run
      olist dag run --select "mart_unit_economics"
      olist dag run development --schema pr_12
    """
    from olist_platform.run_parameters import read_parameters  # noqa: PLC0415 - takes a moment

    parameters: dict[str, Any]
    # An empty field of Airflow's form is one left out. A word that is there and empty is a variable
    # of the shell that is not set, and what was meant is not everything.
    for option, value in (("select", select), ("as-of-date", as_of_date), ("schema", schema)):
        if value is not None and not value.strip():
            raise OlistError(f"--{option} is empty", "give it a value, or leave it out")
    if dag is DagName.DEVELOPMENT:
        if select or full_refresh or as_of_date:
            raise OlistError(
                "--select, --full-refresh and --as-of-date are production's",
                "leave them out, or run production",
            )
        parameters = {"schema": schema or DEFAULT_SCHEMA}
        require_schema(parameters["schema"])
    else:
        if schema:
            raise OlistError("--schema is development's", "leave it out, or run development")
        parameters = {"select": select, "full_refresh": full_refresh, "as_of_date": as_of_date}
        # What can be told wrong at once need not wait for Airflow's start.
        read_parameters(parameters)
    _run(dag, env, parameters=parameters, checkout=checkout)


@app.command()
def resume(
    dag: _Dag = DagName.PRODUCTION,
    env: EnvironmentOption = "local",
    checkout: CheckoutOption = False,
) -> None:
    """Continue the last run where it failed: what succeeded does not run again.

    Example:  olist dag resume
    """
    _run(dag, env, resume=True, checkout=checkout)


def _run(dag: DagName, env: str, **options: Any) -> None:
    # Airflow and dbt take seconds to import, which `olist --help` need not wait for.
    from olist_platform.dag_run import run_dag  # noqa: PLC0415

    with err.status("starting") as status:
        summary = run_dag(
            environment_named(env),
            f"olist_{dag}",
            lambda task, state: status.update(f"{task}: {state}"),
            **options,
        )
    _print(summary)


def _print(summary: "DagRunSummary") -> None:
    states = [task.state for task in summary.tasks]
    skipped = f", {states.count('skipped')} skipped" if "skipped" in states else ""
    out.print(
        f"[bold green]{summary.state}[/] {summary.run_id}: {states.count('success')} of"
        f" {len(states)} tasks{skipped} in {summary.run_seconds:.0f} s;"
        f" {summary.dbt.models_built} models built, {summary.dbt.tests_passed} tests passed",
        highlight=False,
        soft_wrap=True,
    )
    out.print(f"log: {summary.log}", highlight=False, soft_wrap=True)
