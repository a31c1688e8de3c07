"""Retention with intervals for small cohorts, and when cohorts pay for their acquisition."""

import polars as pl

from olist_platform.predictions.backtest.figures import Area, Figure, judged, too_thin
from olist_platform.predictions.wilson import wilson_interval

_AREA = Area.RETENTION
_SMALL_COHORT = 30


def retention_figures(cohorts: pl.DataFrame) -> tuple[Figure, ...]:
    """Return the figures of cohorts.

    Args:
        cohorts: Rows of mart_unit_economics: cohort_month, months_since_first, is_complete,
            cohort_size, active_customers, ltv_to_cac, payback_month.
    """
    later = cohorts.filter(
        (pl.col("months_since_first") > 0) & pl.col("is_complete") & (pl.col("cohort_size") > 0)
    )
    if later.is_empty():
        return (too_thin(_AREA, "every figure", "no cohort has a complete later month"),)
    active, size = float(later["active_customers"].sum()), float(later["cohort_size"].sum())
    lower, upper = wilson_interval(active, size)
    intervals = [
        wilson_interval(row["active_customers"], row["cohort_size"])
        for row in later.iter_rows(named=True)
    ]
    holding = sum(low <= active / size <= high for low, high in intervals) / len(intervals)
    small = later.filter(pl.col("cohort_size") < _SMALL_COHORT)["cohort_month"].n_unique()
    widths = [high - low for low, high in intervals]
    newest = (
        cohorts.filter(pl.col("is_complete") & (pl.col("cohort_size") > 0))
        .sort("cohort_month", "months_since_first")
        .group_by("cohort_month", maintain_order=True)
        .last()
    )
    mature = newest.filter(pl.col("months_since_first") >= 1)
    back = mature["payback_month"].drop_nulls()
    paid = len(back)
    return (
        Figure(
            _AREA,
            "retention of a later month, all cohorts",
            active / size,
            "95 % interval from",
            lower,
            f"to {upper:.6f} (Wilson)",
            judged(lower <= active / size <= upper),
        ),
        Figure(
            _AREA,
            "share of cohort months whose Wilson interval holds it",
            holding,
            "if all were alike",
            0.95,
        ),
        Figure(_AREA, f"cohorts of fewer than {_SMALL_COHORT} people", float(small)),
        Figure(
            _AREA,
            "widest interval of a cohort month",
            max(widths),
            "narrowest",
            min(widths),
        ),
        Figure(
            _AREA,
            "LTV : CAC to date, median of the cohorts",
            float(mature["ltv_to_cac"].median() or 0.0),  # type: ignore[arg-type]
            "break-even",
            1.0,
        ),
        Figure(
            _AREA,
            "share of cohorts that paid for their acquisition",
            paid / max(len(mature), 1),
            "median payback month",
            float(back.median()) if paid else None,  # type: ignore[arg-type]
        ),
    )
