"""Who orders, how often and when: a BG/NBD process of people on the purchase calendar."""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator.arrays import Floats, Integers
from olist_platform.generator.calibration import REPEAT_PURCHASES
from olist_platform.generator.purchase_calendar import (
    DAY,
    PurchaseCalendar,
    draw_purchase_seconds,
    outside_gap_hour,
)

_SMALLEST_RATE = 1e-300


@dataclass(frozen=True, slots=True)
class Purchases:
    """The orders of a chunk, one element an order, in no particular order of time.

    Attributes:
        person: Number of the person within the chunk, from 0 without gaps.
        rank: Which of the person's orders it is, from 0, in order of time.
        second: Purchase in seconds from 1970-01-01, wall clock.
        people: Number of people.
    """

    person: Integers
    rank: Integers
    second: Integers
    people: int


def draw_purchases(rng: np.random.Generator, calendar: PurchaseCalendar, orders: int) -> Purchases:
    """Draw people and all of their orders until there are exactly that many orders."""
    first = calendar.draw_days(rng, orders) * DAY + draw_purchase_seconds(rng, orders)
    people, ranks, seconds = [np.arange(orders)], [np.zeros(orders, dtype=np.int64)], [first]
    person, second = people[0], first
    rate = rng.gamma(REPEAT_PURCHASES.shape, 1 / REPEAT_PURCHASES.rate, orders)
    dropout: Floats = np.zeros(orders)
    horizon = (calendar.last_trading_day + 1) * DAY
    rank = 0
    while len(person):
        rank += 1
        alive = rng.random(len(person)) >= dropout
        person, second, rate, dropout = person[alive], second[alive], rate[alive], dropout[alive]
        second = next_purchase(rng, second, rate)
        inside = second < horizon
        person, second, rate, dropout = (
            person[inside],
            second[inside],
            rate[inside],
            dropout[inside],
        )
        if rank == 1:
            dropout = rng.beta(REPEAT_PURCHASES.dropout_a, REPEAT_PURCHASES.dropout_b, len(person))
        people.append(person)
        ranks.append(np.full(len(person), rank, dtype=np.int64))
        seconds.append(second)
    return _exactly(rng, orders, np.concatenate(people), np.concatenate(ranks), seconds)


def next_purchase(rng: np.random.Generator, second: Integers, rate: Floats) -> Integers:
    """Return the next purchase; a rate of nearly 0 gives one far beyond any date range.

    From a day on its time of day follows the hours of purchases, as any order's does: it is the
    moment of that hour that is nearest to what the gap says. So gaps grow as often as they shrink,
    and the process stays the one whose parameters are written down.
    """
    gap_days = rng.standard_exponential(len(second)) / np.maximum(rate, _SMALLEST_RATE)
    gap_days = np.minimum(gap_days, 1e6)
    by_gap = second + np.maximum((gap_days * DAY).astype(np.int64), 60)
    time_of_day = draw_purchase_seconds(rng, len(second))
    half = DAY // 2
    by_hour = by_gap + (time_of_day - by_gap % DAY + half) % DAY - half
    return np.where(gap_days < 1, by_gap, by_hour)


def _exactly(
    rng: np.random.Generator,
    orders: int,
    person: Integers,
    rank: Integers,
    seconds: list[Integers],
) -> Purchases:
    by_person = np.lexsort((rank, person))[:orders]
    # People do not follow one another in a file.
    chosen = by_person[rng.permutation(orders)]
    return Purchases(
        person=person[chosen],
        rank=rank[chosen],
        second=outside_gap_hour(np.concatenate(seconds)[chosen]),
        people=int(person[chosen].max()) + 1,
    )
