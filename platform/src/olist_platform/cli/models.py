"""`olist models`: fit the models that predict, judge them on unseen data, show what scores."""

import json
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.errors import OlistError

if TYPE_CHECKING:
    from olist_platform.predictions.backtest.run import Backtest
    from olist_platform.predictions.parameter_store import StoredFit

_OUTCOMES = {
    "holds": "[green]holds[/]",
    "fails": "[red]fails[/]",
    "too thin": "[yellow]too thin[/]",
}

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
    and not accepted. dbt scores with the newest accepted version: build the marts anew to see it.

    Example:  olist models fit
      olist models fit --env prod --when-due
    """
    # SciPy and scikit-learn take seconds to import, which `olist --help` need not wait for.
    from olist_platform.predictions.fitting import fit_models, fit_when_due  # noqa: PLC0415

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


@app.command()
def backtest(env: EnvironmentOption = "local") -> None:
    """Hold every model against what it had not seen; print each figure beside its baseline.

    Nothing is written. Where data are too thin to learn from, the line says so.

    Example:  olist models backtest
    """
    from olist_platform.predictions.backtest.run import run_backtest  # noqa: PLC0415

    environment = environment_named(env)
    began = time.perf_counter()
    with err.status("back-testing"):
        found = run_backtest(environment)
    table = Table("area", "figure", "value", "baseline", "", "wanted", "")
    for column in (2, 4):
        table.columns[column].justify = "right"
    area = None
    for line in found.figures:
        if area not in {None, line.area}:
            table.add_section()
        table.add_row(
            "" if line.area == area else line.area,
            line.name,
            _number(line.value),
            line.baseline_name,
            _number(line.baseline),
            line.wanted,
            _OUTCOMES.get(line.outcome, line.outcome),
        )
        area = line.area
    out.print(table)
    _print_details(found)
    for each in found.scoring.values():
        fallback = (
            " (the fallback: nothing fitted here was accepted)" if each.origin == "default" else ""
        )
        out.print(
            f"{each.model}: {each.origin} version {each.version} scores{fallback}", highlight=False
        )
    out.print(
        f"{found.orders:,} valid orders up to {found.last_day}, in {time.perf_counter() - began:.0f} s",
        highlight=False,
    )


def _print_details(found: "Backtest") -> None:
    if found.churn.calibration:
        table = Table(
            "people", "expected back", "came back", "95 % interval", title="Churn: calibration"
        )
        for group in found.churn.calibration:
            table.add_row(
                f"{group.people:,}",
                f"{1 - group.predicted:.4f}",
                f"{1 - group.observed:.4f}",
                f"{1 - group.upper_95:.4f} to {1 - group.lower_95:.4f}",
            )
        out.print(table)
    if found.churn.regions:
        table = Table(
            "region",
            "people",
            "expected back",
            "came back",
            "95 % interval",
            "AUC",
            title="Churn: by region",
        )
        for region in found.churn.regions:
            table.add_row(
                region.region,
                f"{region.people:,}",
                f"{region.predicted:.4f}",
                f"{region.observed:.4f}",
                f"{region.lower_95:.4f} to {region.upper_95:.4f}",
                _number(region.auc),
            )
        out.print(table)
    if found.forecasts.series:
        table = Table(
            "series",
            "MAPE",
            "last month",
            "since 2nd year",
            "year before",
            "in 95 %",
            "in 80 %",
            title="Forecast",
        )
        for series in found.forecasts.series:
            table.add_row(
                f"{series.level} {series.name}",
                *(
                    _number(value)
                    for value in (
                        series.mape,
                        series.naive_mape,
                        series.mape_where_seasonal,
                        series.seasonal_mape,
                        series.coverage_95,
                        series.coverage_80,
                    )
                ),
            )
        out.print(table)
    if found.frauds:
        table = Table(
            "kind",
            "rate",
            "orders",
            "alerted",
            "anomaly",
            "cases",
            "found",
            "95 % interval",
            title="Injected frauds and faults",
        )
        for kind in found.frauds.kinds:
            table.add_row(
                kind.kind,
                f"{kind.rate:.1%}",
                f"{kind.orders}",
                f"{kind.alert_recall:.3f}",
                f"{kind.anomaly_recall:.3f}",
                f"{kind.cases}",
                f"{kind.case_recall:.3f}",
                f"{kind.lower_95:.3f} to {kind.upper_95:.3f}",
            )
        out.print(table)
    if found.segments.moves:
        now = sorted({move.now for move in found.segments.moves})
        table = Table("a month ago \\ now", *now, title="Segments: who moved")
        people = {(move.before, move.now): move.people for move in found.segments.moves}
        for before in sorted({move.before for move in found.segments.moves}):
            table.add_row(before, *(f"{people.get((before, each), 0):,}" for each in now))
        out.print(table)


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 and value == int(value) else f"{value:.5g}"


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
