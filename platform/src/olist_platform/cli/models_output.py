"""How `olist models backtest` prints what it found."""

import math
from collections.abc import Iterable, Sequence

from rich.table import Table

from olist_platform.cli.console import out
from olist_platform.predictions.backtest.figures import Figure, Outcome
from olist_platform.predictions.backtest.run import Backtest

_OUTCOMES = {
    Outcome.HOLDS: "[green]holds[/]",
    Outcome.FAILS: "[red]fails[/]",
    Outcome.FALLS_BACK: "[yellow]falls back[/]",
    Outcome.TOO_THIN: "[yellow]too thin[/]",
    Outcome.NOT_TRIED: "[yellow]not tried[/]",
    Outcome.NOT_JUDGED: "",
}
_THOUSAND = 1000


def print_backtest(found: Backtest) -> None:
    """Print every figure beside its baseline, then what the figures are made of."""
    _print_figures(found.figures)
    _print_churn(found)
    _print_table(
        "Lifetime value: people by orders in the hold-out",
        ("orders", "expected", "observed"),
        ((each.orders, each.expected, each.observed) for each in found.lifetime_value.numbers),
    )
    _print_table(
        "Forecast: mean absolute percentage errors",
        (
            *("series", "forecast by now", "moving average", "last month", "published"),
            *("2nd year on", "year before", "in 95 %", "in 80 %"),
        ),
        (
            (
                f"{each.level} {each.name}",
                each.method,
                each.candidate_mape,
                each.naive_mape,
                each.mape,
                each.mape_where_seasonal,
                each.seasonal_mape,
                each.coverage_95,
                each.coverage_80,
            )
            for each in found.forecasts.series
        ),
    )
    _print_table(
        "Injected frauds, to be found by alerts, and faults of records, to be found by anomalies",
        (
            *("kind", "rate", "orders", "alerted", "anomaly", "to be found by", "precision"),
            *("cases", "found", "95 % interval"),
        ),
        (
            (
                each.kind.value,
                f"{each.rate:.1%}",
                each.orders,
                each.alert_recall,
                each.anomaly_recall,
                each.found_by,
                each.precision,
                each.cases,
                each.case_recall,
                f"{each.lower_95:.3f} to {each.upper_95:.3f}",
            )
            for each in found.frauds.kinds
        ),
    )
    _print_table(
        "Honest orders with an alert, by region",
        ("region", "orders", "alerted", "95 % interval"),
        (
            (
                each.region,
                each.orders,
                each.alerted,
                f"{each.lower_95:.4f} to {each.upper_95:.4f}",
            )
            for each in found.frauds.regions
        ),
    )
    _print_moves(found)


def number(value: float | None) -> str:
    """Return a figure as people read it; empty for none."""
    if value is None or math.isnan(value):
        return ""
    is_count = isinstance(value, int) or (abs(value) >= _THOUSAND and value == int(value))
    return f"{value:,.0f}" if is_count else f"{value:.4g}"


def _print_figures(figures: Sequence[Figure]) -> None:
    table = Table("area", "figure", "value", "baseline", "", "wanted", "")
    for column in (2, 4):
        table.columns[column].justify = "right"
    area = None
    for line in figures:
        if area not in {None, line.area}:
            table.add_section()
        table.add_row(
            "" if line.area == area else line.area,
            line.name,
            number(line.value),
            line.baseline_name,
            number(line.baseline),
            line.wanted,
            _OUTCOMES[line.outcome],
        )
        area = line.area
    out.print(table)


def _print_churn(found: Backtest) -> None:
    _print_table(
        "Churn: calibration",
        ("people", "expected back", "came back", "95 % interval"),
        (
            (
                group.people,
                1 - group.predicted,
                1 - group.observed,
                f"{1 - group.upper_95:.4f} to {1 - group.lower_95:.4f}",
            )
            for group in found.churn.calibration
        ),
    )
    _print_table(
        "Churn: by region",
        ("region", "people", "expected back", "came back", "95 % interval", "AUC"),
        (
            (
                region.region,
                region.people,
                region.predicted,
                region.observed,
                f"{region.lower_95:.4f} to {region.upper_95:.4f}",
                region.auc,
            )
            for region in found.churn.regions
        ),
    )


def _print_moves(found: Backtest) -> None:
    people = {(move.before, move.now): move.people for move in found.segments.moves}
    now = sorted({after for _, after in people})
    _print_table(
        "Segments: who moved within 30 days",
        ("before \\ now", *now),
        (
            (before, *(people.get((before, after), 0) for after in now))
            for before in sorted({before for before, _ in people})
        ),
    )


def _print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | float | None]]
) -> None:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(each if isinstance(each, str) else number(each) for each in row))
    if table.row_count:
        out.print(table)
