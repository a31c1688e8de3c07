"""Back-test of the forecast: rolling origins, by platform, region and top categories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from olist_platform.predictions.arrays import Floats, Integers
from olist_platform.predictions.backtest.figures import Area, Figure, judged, too_thin
from olist_platform.predictions.forecast_method import Forecast, ForecastRule, forecast, reconciled

_AREA = Area.FORECAST
_TOP_CATEGORIES = 5
_OTHERS = "other categories"
_SEASON = 12
_CENT = 0.01
# Origins from which errors are counted: before, the method has no trend yet.
_FEWEST_PAIRS = 6


@dataclass(frozen=True, slots=True)
class SeriesBacktest:
    """How the forecasts of one series did.

    Attributes:
        level: platform, region or category.
        name: The series.
        pairs: Origins and months ahead that were judged.
        mape: Mean absolute percentage error.
        naive_mape: That of the last month's value.
        seasonal_mape: That of the value a year before, where there is one; None without any.
        mape_where_seasonal: The method's on the same months; None without any.
        coverage_95: Share of the months in their 95 % interval; None without an interval.
        coverage_80: The same of the 80 % interval.
        intervals: How many intervals there were.
    """

    level: str
    name: str
    pairs: int
    mape: float
    naive_mape: float
    seasonal_mape: float | None
    mape_where_seasonal: float | None
    coverage_95: float | None
    coverage_80: float | None
    intervals: int


@dataclass(frozen=True, slots=True)
class ForecastBacktest:
    """What the back-test found."""

    figures: tuple[Figure, ...]
    series: tuple[SeriesBacktest, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthlySales:
    """Sales of complete months of business, oldest first.

    Attributes:
        calendar_month: Month of the year of each, 1 to 12.
        by_level: Of each level (platform, region, category) the series by name, BRL.
    """

    calendar_month: Integers
    by_level: Mapping[str, Mapping[str, Floats]]


def monthly_sales(cells: pl.DataFrame, months: pl.DataFrame) -> MonthlySales:
    """Return the series of the months that the forecast learns from.

    Args:
        cells: month, region, category, gmv.
        months: month, of business, each once.
    """
    months = months.sort("month")
    top = (
        cells.join(months, on="month")
        .group_by("category")
        .agg(pl.col("gmv").sum())
        .sort(["gmv", "category"], descending=[True, False])
        .head(_TOP_CATEGORIES)["category"]
        .to_list()
    )
    kept = cells.with_columns(
        platform=pl.lit("all"),
        category=pl.when(pl.col("category").is_in(top))
        .then(pl.col("category"))
        .otherwise(pl.lit(_OTHERS)),
    )
    levels = {}
    for level in ("platform", "region", "category"):
        sums = kept.group_by("month", level).agg(pl.col("gmv").sum())
        levels[level] = {
            str(name): months.join(
                sums.filter(pl.col(level) == name), on="month", how="left", maintain_order="left"
            )["gmv"]
            .fill_null(0)
            .cast(pl.Float64)
            .to_numpy()
            for name in sorted(kept[level].unique().to_list())
        }
    return MonthlySales(months["month"].dt.month().cast(pl.Int64).to_numpy(), levels)


def backtest_forecasts(sales: MonthlySales, rule: ForecastRule) -> ForecastBacktest:
    """Return how forecasts from every past month did, each from its own past alone.

    Those of regions and of categories are scaled to the platform's, so that they add up.
    """
    [platform] = sales.by_level["platform"].values()
    first = rule.level_months
    if len(platform) < first + _FEWEST_PAIRS:
        why = f"{len(platform)} months of business, {first + _FEWEST_PAIRS} are needed"
        return ForecastBacktest((too_thin(_AREA, "every figure", why),))
    found, gaps = [], []
    for level, series in sales.by_level.items():
        histories = np.array(list(series.values()))
        by_origin: dict[int, tuple[Floats, Floats]] = {}
        for origin in range(first, len(platform)):
            whole = forecast(platform[:origin], sales.calendar_month[:origin], rule)
            parts = [forecast(h[:origin], sales.calendar_month[:origin], rule) for h in histories]
            values = reconciled(np.array([part.values for part in parts]), whole.values)
            levels = np.array([part.levels for part in parts])
            gaps.append(float(np.abs(values.sum(axis=0) - whole.values).max()))
            by_origin[origin] = values, levels
        for row, name in enumerate(series):
            own = {
                origin: Forecast(values[row], levels[row])
                for origin, (values, levels) in by_origin.items()
            }
            found.append(_judged(level, name, histories[row], own, rule))
    return ForecastBacktest(tuple(_figures(found, max(gaps))), tuple(found))


def _judged(
    level: str, name: str, actual: Floats, forecasts: Mapping[int, Forecast], rule: ForecastRule
) -> SeriesBacktest:
    pairs = [
        (origin, ahead)
        for origin in forecasts
        for ahead in range(1, rule.horizon_months + 1)
        if origin + ahead <= len(actual) and actual[origin + ahead - 1] > 0
    ]
    seasonal = [(origin, ahead) for origin, ahead in pairs if origin + ahead - 1 >= _SEASON]

    def error(of: list[tuple[int, int]], predict: Callable[[int, int], float]) -> float | None:
        if not of:
            return None
        relative = [
            abs(predict(origin, ahead) / actual[origin + ahead - 1] - 1) for origin, ahead in of
        ]
        return float(np.mean(relative))

    def method(origin: int, ahead: int) -> float:
        return float(forecasts[origin].values[ahead - 1])

    inside_95, inside_80, intervals = _coverage(actual, forecasts, rule)
    return SeriesBacktest(
        level=level,
        name=name,
        pairs=len(pairs),
        mape=error(pairs, method) or 0.0,
        naive_mape=error(pairs, lambda origin, _: float(actual[origin - 1])) or 0.0,
        seasonal_mape=error(
            seasonal, lambda origin, ahead: float(actual[origin + ahead - 1 - _SEASON])
        ),
        mape_where_seasonal=error(seasonal, method),
        coverage_95=inside_95 / intervals if intervals else None,
        coverage_80=inside_80 / intervals if intervals else None,
        intervals=intervals,
    )


def _coverage(
    actual: Floats, forecasts: Mapping[int, Forecast], rule: ForecastRule
) -> tuple[int, int, int]:
    """Return months inside their 95 % and 80 % interval, and intervals.

    Each interval rests on the errors that were known at its origin, as `mart_financial_performance`
    makes it: brought to one month ahead by the square root of the horizon.
    """
    inside_95 = inside_80 = intervals = 0
    for origin, made in forecasts.items():
        known = [
            ((actual[earlier + ahead - 1] - past.values[ahead - 1]) / past.levels[ahead - 1]) ** 2
            / ahead
            for earlier, past in forecasts.items()
            for ahead in range(1, rule.horizon_months + 1)
            if earlier + ahead <= origin and past.levels[ahead - 1] > 0
        ]
        if len(known) < rule.minimum_errors:
            continue
        deviation = float(np.sqrt(np.mean(known)))
        for ahead in range(1, rule.horizon_months + 1):
            if origin + ahead > len(actual):
                continue
            value, level = made.values[ahead - 1], made.levels[ahead - 1]
            half = deviation * np.sqrt(ahead) * level
            happened = actual[origin + ahead - 1]
            intervals += 1
            inside_95 += bool(
                value + rule.z["lower_95"] * half <= happened <= value + rule.z["upper_95"] * half
            )
            inside_80 += bool(
                value + rule.z["lower_80"] * half <= happened <= value + rule.z["upper_80"] * half
            )
    return inside_95, inside_80, intervals


def _figures(series: list[SeriesBacktest], largest_gap: float) -> list[Figure]:
    lines = []
    for level in ("platform", "region", "category"):
        own = [each for each in series if each.level == level]
        label = level if level == "platform" else f"{level}, mean of {len(own)}"
        lines += _of_level(own, label)
    lines.append(
        Figure(
            _AREA,
            "largest gap between parts and whole, BRL",
            largest_gap,
            "coherent",
            0.0,
            "below a cent",
            judged(largest_gap < _CENT),
        )
    )
    return lines


def _of_level(own: list[SeriesBacktest], label: str) -> list[Figure]:
    mape = float(np.mean([each.mape for each in own]))
    naive = float(np.mean([each.naive_mape for each in own]))
    lines = [
        Figure(_AREA, f"MAPE, {label}", mape, "last month", naive, "below it", judged(mape < naive))
    ]
    seasonal = [
        (each.mape_where_seasonal, each.seasonal_mape)
        for each in own
        if each.seasonal_mape is not None and each.mape_where_seasonal is not None
    ]
    if seasonal:
        method, former = (float(value) for value in np.mean(seasonal, axis=0))
        lines.append(
            Figure(
                _AREA,
                f"MAPE from the second year on, {label}",
                method,
                "same month last year",
                former,
                "below it",
                judged(method < former),
            )
        )
    intervals = sum(each.intervals for each in own)
    if intervals:
        for nominal in (0.95, 0.80):
            inside = sum(
                each.intervals * ((each.coverage_95 if nominal > 0.9 else each.coverage_80) or 0.0)  # noqa: PLR2004
                for each in own
            )
            lines.append(
                Figure(
                    _AREA,
                    f"coverage of the {nominal:.0%} interval, {label}",
                    inside / intervals,
                    "nominal",
                    nominal,
                    f"{intervals} intervals, overlapping",
                )
            )
    return lines
