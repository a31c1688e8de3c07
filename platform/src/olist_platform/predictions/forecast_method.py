"""The forecast of monthly sales, as `int_gmv_forecasts` makes it, for any series of months."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from olist_platform.predictions.arrays import Floats, Integers

_YEAR = 12


@dataclass(frozen=True, slots=True)
class ForecastRule:
    """How a forecast is made, from the vars of the dbt project.

    Attributes:
        level_months: Months of the moving average.
        trend_months: Months of the straight line whose slope is the trend.
        minimum_trend_months: Months of history from which there is a trend.
        seasonal_months: Months of history from which there is a season.
        horizon_months: Months ahead.
        minimum_errors: Errors before an interval may rest on them.
        z: Half widths of the intervals in standard deviations, by their name.
    """

    level_months: int
    trend_months: int
    minimum_trend_months: int
    seasonal_months: int
    horizon_months: int
    minimum_errors: int
    z: Mapping[str, float]

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> "ForecastRule":
        """Return the rule of the project's vars."""
        return cls(
            level_months=variables["forecast_moving_average_months"],
            trend_months=variables["forecast_trend_months"],
            minimum_trend_months=variables["forecast_minimum_trend_months"],
            seasonal_months=variables["forecast_seasonal_months"],
            horizon_months=variables["forecast_horizon_months"],
            minimum_errors=variables["forecast_minimum_errors"],
            z=variables["forecast_interval_z"],
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is forecast from the end of a history.

    Attributes:
        values: 1, 2, ... months ahead, BRL.
        levels: The moving average in the season of those months: what errors are relative to.
    """

    values: Floats
    levels: Floats


def forecast(history: Floats, calendar_month: Integers, rule: ForecastRule) -> Forecast:
    """Return the forecast from a history of consecutive months.

    Args:
        history: Sales by month, BRL, oldest first; at least one month.
        calendar_month: Month of the year of each, 1 to 12.
        rule: How.
    """
    months = len(history)
    index = _seasonal_index(history, calendar_month, rule)
    with np.errstate(divide="ignore", invalid="ignore"):
        divided = history / index[calendar_month]
    # A month that never sold in its season has nothing to deseasonalise.
    deseasonalised = np.where(index[calendar_month] == 0, np.nan, divided)
    recent = deseasonalised[-rule.level_months :]
    level = 0.0 if np.all(np.isnan(recent)) else float(np.nanmean(recent))
    age = (min(months, rule.level_months) - 1) / 2
    slope = 0.0
    if months >= rule.minimum_trend_months:
        slope = _slope(deseasonalised[-rule.trend_months :])
    ahead = np.arange(1, rule.horizon_months + 1)
    later = (int(calendar_month[-1]) - 1 + ahead) % _YEAR + 1
    values = np.maximum(0, level + slope * (ahead + age)) * index[later]
    return Forecast(values, level * index[later])


def _slope(values: Floats) -> float:
    known = ~np.isnan(values)
    position = np.arange(len(values), dtype=np.float64)[known]
    centred = position - position.mean()
    return float(centred @ values[known] / (centred @ centred))


def _seasonal_index(history: Floats, calendar_month: Integers, rule: ForecastRule) -> Floats:
    """Return the index of each month of the year at its number; all 1 without two full years."""
    index = np.ones(_YEAR + 1)
    months = len(history)
    if months < rule.seasonal_months:
        return index
    half = _YEAR // 2
    sums = np.concatenate([[0.0], np.cumsum(history)])
    ratios: dict[int, list[float]] = {}
    for middle in range(half, months - half):
        year_around = (sums[middle + half] - sums[middle - half]) + (
            sums[middle + half + 1] - sums[middle - half + 1]
        )
        if year_around:
            ratio = 2 * _YEAR * history[middle] / year_around
            ratios.setdefault(int(calendar_month[middle]), []).append(ratio)
    means = {month: float(np.mean(found)) for month, found in ratios.items()}
    average = float(np.mean(list(means.values())))
    for month, mean in means.items():
        index[month] = mean / average
    return index


def reconciled(parts: Floats, total: Floats) -> Floats:
    """Return forecasts of parts scaled so that they add up to the forecast of the whole.

    Args:
        parts: One row a part, one column a month ahead.
        total: The forecast of the whole, by month ahead.
    """
    sums = parts.sum(axis=0)
    shares = np.divide(parts, sums, out=np.full(parts.shape, 1 / len(parts)), where=sums > 0)
    scaled: Floats = shares * total
    return scaled
