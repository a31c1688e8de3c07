"""Back-test of the forecast: what was published at every past month, held against what came.

`int_gmv_forecasts` holds the forecast of every origin, each from its own past alone, by platform,
region and top categories: what is judged here are the rows that readers get.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.backtest.figures import (
    Area,
    Figure,
    Outcome,
    judged,
    too_thin,
)
from olist_platform.predictions.normal_distribution import Z_95_ONE_SIDED
from olist_platform.predictions.wilson import wilson_interval

FORECASTS_SQL = """
    select series_level, series, origin_month, horizon, forecast_month, is_latest_origin,
        training_months, is_fallback, forecast_method,
        cast(candidate_gmv as double) as candidate_gmv, cast(naive_gmv as double) as naive_gmv,
        cast(forecast_gmv as double) as forecast_gmv, cast(actual_gmv as double) as actual_gmv,
        cast(forecast_lower_80 as double) as lower_80,
        cast(forecast_upper_80 as double) as upper_80,
        cast(forecast_lower_95 as double) as lower_95,
        cast(forecast_upper_95 as double) as upper_95
    from intermediate.int_gmv_forecasts
    order by series_level, series, origin_month, horizon
"""
SALES_SQL = """
    select series_level, series, month, cast(gmv as double) as year_ago_gmv
    from intermediate.int_forecast_series
"""

_AREA = Area.FORECAST
_LEVELS = ("platform", "region", "category")
_CENT = 0.01
# Origins from which errors are counted: before, the method has no trend yet.
_FEWEST_PAIRS = 6


@dataclass(frozen=True, slots=True)
class SeriesBacktest:
    """How the forecasts of one series did.

    Attributes:
        level: platform, region or category.
        name: The series.
        method: How it is forecast now.
        is_fallback: Whether that is the last month's value, for want of better.
        candidate_mape: Mean absolute percentage error of the moving average.
        mape: That of what was published.
        naive_mape: That of the last month's value.
        seasonal_mape: That of the value a year before, where there is one; None without any.
        mape_where_seasonal: That of what was published for the same months; None without any.
        coverage_95: Share of the months in their 95 % interval; None without an interval.
        coverage_80: The same of the 80 % interval.
    """

    level: str
    name: str
    method: str
    is_fallback: bool
    candidate_mape: float
    mape: float
    naive_mape: float
    seasonal_mape: float | None
    mape_where_seasonal: float | None
    coverage_95: float | None
    coverage_80: float | None


@dataclass(frozen=True, slots=True)
class ForecastBacktest:
    """What the back-test found."""

    figures: tuple[Figure, ...]
    series: tuple[SeriesBacktest, ...] = ()


def backtest_forecasts(
    forecasts: pl.DataFrame, sales: pl.DataFrame, variables: Mapping[str, Any]
) -> ForecastBacktest:
    """Return how the forecasts of past months did.

    Args:
        forecasts: Rows of `FORECASTS_SQL`.
        sales: Rows of `SALES_SQL`.
        variables: Vars of the dbt project.
    """
    first_months = int(variables["forecast_moving_average_months"])
    horizon = int(variables["forecast_horizon_months"])
    months = forecasts["origin_month"].n_unique()
    if months < first_months + _FEWEST_PAIRS:
        why = f"{months} months of business, {first_months + _FEWEST_PAIRS} are needed"
        return ForecastBacktest((too_thin(_AREA, "every figure", why),))
    pairs = _pairs(forecasts, sales, first_months, horizon)
    found = tuple(
        _of_series(pairs.filter(series_level=level, series=name), forecasts, level, name)
        for level in _LEVELS
        for name in sorted(forecasts.filter(series_level=level)["series"].unique().to_list())
    )
    lines = [
        line
        for level in _LEVELS
        for line in _of_level(
            pairs.filter(series_level=level),
            [each for each in found if each.level == level],
            horizon,
        )
    ]
    return ForecastBacktest((*lines, _gap(forecasts)), found)


def _pairs(
    forecasts: pl.DataFrame, sales: pl.DataFrame, first_months: int, horizon: int
) -> pl.DataFrame:
    """Return the forecasts whose months have come, with the error of each method."""
    chosen = forecasts.filter(
        (pl.col("training_months") >= first_months)
        & (pl.col("horizon") <= horizon)
        & (pl.col("actual_gmv") > 0)
    ).with_columns(year_ago=pl.col("forecast_month").dt.offset_by("-1y"))
    joined = chosen.join(
        sales,
        left_on=["series_level", "series", "year_ago"],
        right_on=["series_level", "series", "month"],
        how="left",
        maintain_order="left",
    )
    return joined.with_columns(
        *(
            (pl.col(f"{name}_gmv") / pl.col("actual_gmv") - 1).abs().alias(f"{name}_error")
            for name in ("candidate", "naive", "forecast", "year_ago")
        ),
        *(
            pl.col("actual_gmv")
            .is_between(pl.col(f"lower_{nominal}"), pl.col(f"upper_{nominal}"))
            .alias(f"in_{nominal}")
            for nominal in (80, 95)
        ),
    )


def _of_series(
    pairs: pl.DataFrame, forecasts: pl.DataFrame, level: str, name: str
) -> SeriesBacktest:
    latest = forecasts.filter(series_level=level, series=name, is_latest_origin=True).row(
        0, named=True
    )
    seasonal = pairs.filter(pl.col("year_ago_error").is_not_null())
    return SeriesBacktest(
        level=level,
        name=name,
        method=latest["forecast_method"],
        is_fallback=latest["is_fallback"],
        candidate_mape=_mean(pairs["candidate_error"]) or 0.0,
        mape=_mean(pairs["forecast_error"]) or 0.0,
        naive_mape=_mean(pairs["naive_error"]) or 0.0,
        seasonal_mape=_mean(seasonal["year_ago_error"]),
        mape_where_seasonal=_mean(seasonal["forecast_error"]),
        coverage_95=_mean(pairs["in_95"]),
        coverage_80=_mean(pairs["in_80"]),
    )


def _mean(values: pl.Series) -> float | None:
    known = values.drop_nulls()
    return float(known.cast(pl.Float64).to_numpy().mean()) if len(known) else None


def _of_level(pairs: pl.DataFrame, own: list[SeriesBacktest], horizon: int) -> list[Figure]:
    level = own[0].level
    label = level if level == "platform" else f"{level}, mean of {len(own)}"
    candidate, published, naive = (
        float(np.mean([getattr(each, name) for each in own]))
        for name in ("candidate_mape", "mape", "naive_mape")
    )
    error = _error_of_difference(pairs, "naive_error", horizon)
    fallbacks = sum(each.is_fallback for each in own)
    lines = [
        Figure(
            _AREA,
            f"MAPE of the moving average, {label}",
            candidate,
            "last month",
            naive,
            f"below it, else last month is published: {fallbacks} of {len(own)} now",
            Outcome.HOLDS if candidate < naive else Outcome.FALLS_BACK,
        ),
        Figure(
            _AREA,
            f"MAPE of what was published, {label}",
            published,
            "last month",
            naive,
            f"no worse beyond chance, {Z_95_ONE_SIDED * error:.2g}",
            judged(published - naive <= Z_95_ONE_SIDED * error),
        ),
    ]
    seasonal = [
        (each.mape_where_seasonal, each.seasonal_mape)
        for each in own
        if each.seasonal_mape is not None and each.mape_where_seasonal is not None
    ]
    if seasonal:
        method, former = (float(value) for value in np.mean(seasonal, axis=0))
        known = pairs.filter(pl.col("year_ago_error").is_not_null())
        error = _error_of_difference(known, "year_ago_error", horizon)
        lines.append(
            Figure(
                _AREA,
                f"MAPE from the second year on, {label}",
                method,
                "same month last year",
                former,
                f"no worse beyond chance, {Z_95_ONE_SIDED * error:.2g}",
                judged(method - former <= Z_95_ONE_SIDED * error),
            )
        )
    return [*lines, *(_coverage(pairs, nominal, label) for nominal in (95, 80))]


def _error_of_difference(pairs: pl.DataFrame, other: str, horizon: int) -> float:
    """Return the standard error of what the published forecast missed more than another.

    Forecasts of one origin share their history and those of neighbours their months: an origin
    counts once, and only each `horizon`-th is held to be independent.
    """
    by_origin = pairs.group_by("origin_month", maintain_order=True).agg(
        (pl.col("forecast_error") - pl.col(other)).mean()
    )
    differences: Floats = by_origin["forecast_error"].to_numpy()
    if len(differences) < 2:  # noqa: PLR2004 - nothing varies
        return float("inf")
    return float(differences.std(ddof=1) / np.sqrt(len(differences) / horizon))


def _coverage(pairs: pl.DataFrame, nominal: int, label: str) -> Figure:
    """Return the share of months in their interval; an origin's months and series count as one."""
    known = pairs.filter(pl.col(f"in_{nominal}").is_not_null())
    name = f"coverage of the {nominal}% interval, {label}"
    if known.is_empty():
        return too_thin(_AREA, name, "no origin has enough errors behind it")
    share = float(known[f"in_{nominal}"].cast(pl.Float64).to_numpy().mean())
    origins = known["origin_month"].n_unique()
    lower, upper = wilson_interval(share * origins, origins)
    return Figure(
        _AREA,
        name,
        share,
        "nominal",
        nominal / 100,
        f"within chance of {origins} origins ({len(known)} overlapping intervals)",
        judged(lower <= nominal / 100 <= upper),
    )


def _gap(forecasts: pl.DataFrame) -> Figure:
    """Return the largest difference between a level's sum and the platform's forecast."""
    sums = forecasts.group_by("series_level", "origin_month", "horizon").agg(
        pl.col("forecast_gmv").sum()
    )
    whole = sums.filter(series_level="platform").rename({"forecast_gmv": "platform_gmv"})
    gaps = sums.join(whole, on=["origin_month", "horizon"]).select(
        (pl.col("forecast_gmv") - pl.col("platform_gmv")).abs().max()
    )
    largest = float(gaps.item())
    return Figure(
        _AREA,
        "largest gap between parts and whole, BRL",
        largest,
        "coherent",
        0.0,
        "below a cent",
        judged(largest < _CENT),
    )
