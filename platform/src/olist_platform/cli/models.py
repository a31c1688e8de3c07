"""`olist models`: fit the models that predict, judge them on unseen data, show what scores."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.errors import OlistError

if TYPE_CHECKING:
    from olist_platform.predictions.parameter_store import StoredFit

app = typer.Typer(help="Fit, back-test and show the models that predict.", no_args_is_help=True)


@app.command()
def fit(
    env: EnvironmentOption = "local",
    at: Annotated[
        str | None,
        typer.Option(
            help="Moment to store as fitted_at, ISO 8601 with a time zone; now unless told."
        ),
    ] = None,
    when_due: Annotated[
        bool, typer.Option("--when-due", help="Only if the last fit is older than the interval.")
    ] = False,
) -> None:
    """Fit churn, purchases and spend on staging, judge them, store them as new versions.

    What is worse than the version that scores, did not converge or had too little data is stored
    and not accepted. dbt scores with the newest accepted version: rebuild the marts to see it.

    Example:  olist models fit
      olist models fit --env prod --when-due
    """
    # SciPy and scikit-learn take seconds to import, which `olist --help` need not wait for.
    from olist_platform.predictions.fit_schedule import fit_when_due  # noqa: PLC0415
    from olist_platform.predictions.fitting import fit_models  # noqa: PLC0415

    environment = environment_named(env)
    moment = _moment(at)
    with err.status("fitting"):
        stored = (fit_when_due if when_due else fit_models)(environment, moment)
    if not stored:
        out.print("not due: the last fit is younger than the interval")
        return
    _print_fits(stored)
    for each in stored:
        verdict = "[green]accepted[/]" if each.is_accepted else "[yellow]not accepted[/]"
        out.print(f"{each.model} {verdict}: {escape(each.reason)}", soft_wrap=True, highlight=False)


@app.command()
def show(
    env: EnvironmentOption = "local",
    every: Annotated[bool, typer.Option("--all", help="Show every version.")] = False,
) -> None:
    """Show the parameters that score, with their 95 % intervals and where they come from.

    Example:  olist models show
      olist models show --all
    """
    from olist_platform.predictions.parameter_store import ParameterStore  # noqa: PLC0415
    from olist_platform.predictions.warehouse import open_predictions  # noqa: PLC0415

    environment = environment_named(env)
    with open_predictions(environment) as warehouse:
        store = ParameterStore(warehouse, environment.names)
        scoring = store.scoring()
        stored = [*store.defaults(), *store.fits()] if every else list(scoring.values())
    _print_fits(stored)
    for each in stored:
        scores = scoring.get(each.model)
        is_scoring = scores is not None and (scores.origin, scores.version) == (
            each.origin,
            each.version,
        )
        state = "[green]scores[/]" if is_scoring else "[dim]does not score[/]"
        fallback = (
            " (the fallback: nothing fitted here was accepted)" if each.origin == "default" else ""
        )
        fitted = f", fitted {each.fitted_at:%Y-%m-%d %H:%M} UTC" if each.fitted_at else ""
        out.print(
            f"{each.model} {each.origin} {each.version} {state}{fallback if is_scoring else ''}:"
            f" {escape(each.reason)}\n"
            f"  {each.training_rows:,} rows of {escape(each.training_window)}{fitted}\n"
            f"  {escape(_metrics(each))}",
            soft_wrap=True,
            highlight=False,
        )


TruthOption = Annotated[
    Path | None,
    typer.Option(
        help="true_parameters.json of generated data, or its folder; that of `make demo` is found."
    ),
]


@app.command()
def backtest(env: EnvironmentOption = "local", truth: TruthOption = None) -> None:
    """Judge every model on data it has not seen; print each figure beside its baseline.

    Nothing is written. Where data are too thin to learn from, the line says so. Of generated data
    the estimates stand beside the true parameters. Frauds are injected on DuckDB only.

    Example:  olist models backtest
      olist models backtest --truth data/files
    """
    from olist_platform.cli.models_output import print_backtest  # noqa: PLC0415
    from olist_platform.predictions.backtest.run import run_backtest  # noqa: PLC0415

    environment = environment_named(env)
    began = time.perf_counter()
    with err.status("back-testing"):
        found = run_backtest(environment, truth)
    print_backtest(found)
    for each in found.scoring.values():
        fallback = (
            " (the fallback: nothing fitted here was accepted)" if each.origin == "default" else ""
        )
        out.print(
            f"{each.model}: {each.origin} version {each.version} scores{fallback}", highlight=False
        )
    out.print(
        f"{found.orders:,} valid orders up to {found.last_day};"
        f" {time.perf_counter() - began:.0f} seconds",
        highlight=False,
    )


@app.command()
def cards(
    env: EnvironmentOption = "local",
    data: Annotated[
        str, typer.Option(help="What the data are, for the page's readers.")
    ] = "the environment's own data",
    truth: TruthOption = None,
) -> None:
    """Back-test, and write a card for each model into platform/docs/models.

    Example:  olist models cards --data "olist generate --orders 100000 --seed 42"
    """
    from olist_platform.predictions.backtest.run import run_backtest  # noqa: PLC0415
    from olist_platform.predictions.cards.write import cards_folder, write_cards  # noqa: PLC0415

    environment = environment_named(env)
    with err.status("back-testing"):
        found = run_backtest(environment, truth)
    for page in write_cards(found, cards_folder(), data):
        out.print(f"written: {page}", soft_wrap=True, highlight=False)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise OlistError(
            f"--at: '{text}' is no moment with a time zone", "write it as 2018-09-03T12:00:00+00:00"
        )
    return moment


def _print_fits(stored: "list[StoredFit]") -> None:
    table = Table("model", "version", "parameter", "value", "95 % interval")
    for column in (3, 4):
        table.columns[column].justify = "right"
    for each in stored:
        for estimate in each.estimates:
            interval = estimate.interval_95(is_positive=each.model.has_positive_parameters)
            table.add_row(
                each.model,
                f"{each.origin} {each.version}",
                estimate.parameter,
                "none" if estimate.value is None else f"{estimate.value:.6g}",
                "unknown" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}",
            )
    out.print(table)


def _metrics(fit: "StoredFit") -> str:
    if fit.origin == "default":
        return fit.metrics
    return ", ".join(f"{name} {value:.6g}" for name, value in json.loads(fit.metrics).items())
