"""The plots of the cards, as SVG; equal figures give equal files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from olist_platform.predictions.backtest.figures import Area
from olist_platform.predictions.backtest.run import Backtest

_EXPECTED, _OBSERVED = "#1f6f8b", "#d1603d"


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot of a card.

    Attributes:
        file: Name of its file, beside the card.
        caption: What it shows.
    """

    file: str
    caption: str


def draw_pictures(backtest: Backtest, area: Area, folder: Path) -> list[Picture]:
    """Write the plots of an area, where there is something to plot.

    Args:
        backtest: What was found.
        area: What the card is about.
        folder: Where the card lies.
    """
    if area is Area.CHURN and backtest.churn.calibration:
        return [
            _drawn(
                folder, "churn-calibration", _CALIBRATION, lambda axes: _calibration(axes, backtest)
            )
        ]
    if area is Area.PURCHASES and backtest.lifetime_value.numbers:
        return [_drawn(folder, "purchases-orders", _ORDERS, lambda axes: _orders(axes, backtest))]
    if area is Area.FORECAST and backtest.forecasts.series:
        return [_drawn(folder, "forecast-errors", _ERRORS, lambda axes: _errors(axes, backtest))]
    if area is Area.ANOMALIES and backtest.frauds.kinds:
        return [_drawn(folder, "fraud-recall", _RECALL, lambda axes: _recall(axes, backtest))]
    return []


_CALIBRATION = "Share expected and seen to come back, in ten groups with their 95 % intervals"
_ORDERS = "People by the number of orders in the hold-out, expected and observed"
_ERRORS = "Mean absolute percentage error of the moving average, beside last month's value"
_RECALL = (
    "Share of injected cases that are found (frauds by alerts, faults of records by anomalies), by"
    " kind and rate, with 95 % intervals"
)


def _drawn(folder: Path, name: str, caption: str, plot: Callable[[Axes], None]) -> Picture:
    with mpl.rc_context({"svg.hashsalt": "olist", "svg.fonttype": "none", "font.size": 9}):
        canvas = Canvas(figsize=(6.4, 3.2), layout="constrained")
        plot(canvas.add_subplot())
        canvas.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    return Picture(f"{name}.svg", caption)


def _calibration(axes: Axes, backtest: Backtest) -> None:
    groups = backtest.churn.calibration
    expected = [1 - group.predicted for group in groups]
    seen = [1 - group.observed for group in groups]
    below = [each - (1 - group.upper_95) for each, group in zip(seen, groups, strict=True)]
    above = [(1 - group.lower_95) - each for each, group in zip(seen, groups, strict=True)]
    largest = max(*expected, *(1 - group.lower_95 for group in groups))
    axes.plot([0, largest], [0, largest], color="#999999", linewidth=1)
    axes.errorbar(expected, seen, yerr=[below, above], fmt="o", color=_OBSERVED, markersize=4)
    axes.set(xlabel="expected", ylabel="came back")


def _orders(axes: Axes, backtest: Backtest) -> None:
    numbers = backtest.lifetime_value.numbers
    labels = [f"{each.orders}{'+' if each is numbers[-1] else ''}" for each in numbers]
    _pairs(
        axes,
        labels,
        {
            "expected": [each.expected for each in numbers],
            "observed": [float(each.observed) for each in numbers],
        },
    )
    axes.set(yscale="log", xlabel="orders", ylabel="people")


def _errors(axes: Axes, backtest: Backtest) -> None:
    series = backtest.forecasts.series
    _pairs(
        axes,
        [each.name for each in series],
        {
            "moving average": [each.candidate_mape for each in series],
            "last month": [each.naive_mape for each in series],
        },
    )
    axes.tick_params(axis="x", rotation=60)
    axes.set(ylabel="MAPE")


def _pairs(axes: Axes, labels: Sequence[str], values: dict[str, list[float]]) -> None:
    width = 0.4
    for number, (name, heights) in enumerate(values.items()):
        places = [place + (number - 0.5) * width for place in range(len(labels))]
        colour = (_EXPECTED, _OBSERVED)[number]
        axes.bar(places, heights, width, label=name, color=colour)
    axes.set_xticks(range(len(labels)), labels)
    axes.legend(frameon=False)


def _recall(axes: Axes, backtest: Backtest) -> None:
    kinds = backtest.frauds.kinds
    rates = sorted({each.rate for each in kinds})
    names = list(dict.fromkeys(each.kind.value for each in kinds))
    for number, rate in enumerate(rates):
        own = [each for each in kinds if each.rate == rate]
        places = [names.index(each.kind.value) + 0.2 * (number - 1) for each in own]
        found = [each.case_recall for each in own]
        errors = [
            [max(0.0, each.case_recall - each.lower_95) for each in own],
            [max(0.0, each.upper_95 - each.case_recall) for each in own],
        ]
        axes.errorbar(places, found, yerr=errors, fmt="o", markersize=4, label=f"{rate:.1%}")
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=35)
    axes.set(ylabel="cases found", ylim=(-0.05, 1.05))
    axes.legend(frameon=False, title="injected")
