"""When purchases happen: growth, weekdays, Black Friday, holidays and hours."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from olist_platform.generator import calibration
from olist_platform.generator.arrays import (
    Floats,
    Integers,
    cumulative,
    draw_index,
    draw_second_of_day,
)
from olist_platform.generator.settings import GeneratorSettings

DAY = 86_400
HOUR = 3_600
_EPOCH = date(1970, 1, 1)
_FRIDAY = 4
_SUNDAY = 6
_FIRST_GAP_YEAR, _LAST_GAP_YEAR = 2008, 2018
_OPEN_LEVEL = 0.05
"""Share of an average day's orders above which a day counts as one of trade."""


@dataclass(frozen=True, slots=True)
class PurchaseCalendar:
    """Probability of each day of the date range.

    Attributes:
        first_day: Days from 1970-01-01 to the range's start.
        day_probabilities: Cumulative over the range's days.
    """

    first_day: int
    day_probabilities: Floats

    @property
    def last_day(self) -> int:
        """Days from 1970-01-01 to the range's end."""
        return self.first_day + len(self.day_probabilities) - 1

    @property
    def last_trading_day(self) -> int:
        """Days from 1970-01-01 to the last day of ordinary trade.

        The published data ends with six weeks of almost no orders. People do not come back in
        them either.
        """
        share = np.diff(self.day_probabilities, prepend=0.0)
        open_days = np.flatnonzero(share > _OPEN_LEVEL / len(share))
        return self.first_day + int(open_days[-1])

    def draw_days(self, rng: np.random.Generator, count: int) -> Integers:
        """Draw purchase days, in days from 1970-01-01."""
        return self.first_day + draw_index(rng, self.day_probabilities, count)

    def stage(self, days: Integers) -> Floats:
        """Return the share of the range that has passed on each day, 0 to 1."""
        share: Floats = (days - self.first_day) / (self.last_day - self.first_day)
        return share


def purchase_calendar(settings: GeneratorSettings) -> PurchaseCalendar:
    """Return the calendar of a date range.

    The published range has the published orders of each month. Any other one gets the shape of
    growth stretched over it, on which weekdays, holidays and each Black Friday act.
    """
    first = days_from_epoch(settings.start)
    days = np.arange(first, days_from_epoch(settings.end) + 1)
    weights = _calendar_factor(settings, days)
    if settings.has_published_range:
        weights = _with_published_months(days, weights)
    else:
        knots = np.linspace(0.0, 1.0, len(calibration.DAILY_LEVEL_BY_STAGE))
        stage = (days - first) / (len(days) - 1)
        weights = weights * np.interp(stage, knots, calibration.DAILY_LEVEL_BY_STAGE)
    return PurchaseCalendar(first, cumulative(weights))


def draw_purchase_seconds(rng: np.random.Generator, count: int) -> Integers:
    """Draw seconds after midnight of purchases."""
    return draw_second_of_day(rng, calibration.ORDERS_BY_HOUR, count)


def black_friday(year: int) -> date:
    """Return the fourth Friday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 21)


def black_fridays(settings: GeneratorSettings) -> list[int]:
    """Return the days from 1970-01-01 of each Black Friday in or near the date range."""
    years = range(settings.start.year - 1, settings.end.year + 1)
    return [days_from_epoch(black_friday(year)) for year in years]


def days_from_epoch(day: date) -> int:
    """Return the days from 1970-01-01."""
    return (day - _EPOCH).days


def weekday(days: Integers) -> Integers:
    """Return the weekday of days from 1970-01-01, Monday 0."""
    # 1970-01-01 was a Thursday.
    return (days + 3) % 7


def outside_gap_hour(seconds: Integers) -> Integers:
    """Move moments in the hour that daylight saving skips to the hour's end; order is kept."""
    day = seconds // DAY
    in_gap = np.isin(day, _GAP_DAYS) & (seconds % DAY < HOUR)
    return np.where(in_gap, day * DAY + HOUR, seconds)


def _gap_days() -> Integers:
    """Return the days whose first hour São Paulo's clocks skipped."""
    days = []
    for year in range(_FIRST_GAP_YEAR, _LAST_GAP_YEAR):
        first = date(year, 10, 1)
        third_sunday = first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 14)
        days.append(days_from_epoch(third_sunday))
    # The last one came later, after the elections.
    days.append(days_from_epoch(date(_LAST_GAP_YEAR, 11, 4)))
    return np.array(days, dtype=np.int64)


_GAP_DAYS = _gap_days()


def _calendar_factor(settings: GeneratorSettings, days: Integers) -> Floats:
    factor: Floats = np.array(calibration.WEEKDAY_LEVEL)[weekday(days)]
    for friday in black_fridays(settings):
        for offset, level in calibration.BLACK_FRIDAY_LEVEL.items():
            factor[days == friday + offset] *= level
    dates = [_EPOCH + timedelta(days=int(day)) for day in days]
    holidays = [calibration.HOLIDAY_LEVEL.get((day.month, day.day), 1.0) for day in dates]
    factor *= np.array(holidays)
    return factor


def _with_published_months(days: Integers, factor: Floats) -> Floats:
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    weights: npt.NDArray[np.float64] = np.zeros(len(days))
    for month, orders in calibration.ORDERS_BY_MONTH.items():
        inside = months == np.datetime64(month)
        weights[inside] = factor[inside] / factor[inside].sum() * orders
    return weights
