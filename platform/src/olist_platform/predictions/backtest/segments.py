"""Stability of segments: who is in which one now, and where they were a month ago."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from olist_platform.predictions.arrays import Booleans, Floats, Integers
from olist_platform.predictions.backtest.figures import Area, Figure, too_thin
from olist_platform.predictions.person_orders import PersonOrders

_AREA = Area.SEGMENTS
_MONTH_DAYS = 30
NEW = "not yet a customer"
_HIGHEST_SCORE = 5


@dataclass(frozen=True, slots=True)
class SegmentMove:
    """People who went from one segment to another, or stayed.

    Attributes:
        before: Segment a month ago.
        now: Segment now.
        people: How many.
    """

    before: str
    now: str
    people: int


@dataclass(frozen=True, slots=True)
class SegmentBacktest:
    """What was found."""

    figures: tuple[Figure, ...]
    moves: tuple[SegmentMove, ...] = ()


def segments_at(orders: PersonOrders, day: date, rules: pl.DataFrame) -> dict[int, str]:
    """Return the segment of each person with a valid order by a day, by the person's number.

    Args:
        orders: Valid orders of people.
        day: Day at whose end people are looked at.
        rules: The seed customer_segments.
    """
    people = orders.seen_at(day)
    frequency = np.minimum(people.histories.repeats + 1, _HIGHEST_SCORE).astype(np.int64)
    recency = percent_rank_score(people.last_date.astype(np.float64))
    monetary = percent_rank_score(np.round(people.spent * 100))
    segment = np.full(len(people.person), "", dtype=object)
    for rule in rules.sort("priority", descending=True).iter_rows(named=True):
        matches = (
            _between(recency, rule["min_r_score"], rule["max_r_score"])
            & _between(frequency, rule["min_f_score"], rule["max_f_score"])
            & _between(monetary, rule["min_m_score"], rule["max_m_score"])
        )
        segment[matches] = rule["segment"]
    return dict(zip(people.person.tolist(), segment.tolist(), strict=True))


def percent_rank_score(measure: Floats) -> Integers:
    """Return scores from 1 to 5, 5 for the largest; equal values have equal scores."""
    if len(measure) <= 1:
        return np.ones(len(measure), dtype=np.int64)
    below = np.searchsorted(np.sort(measure), measure, side="left")
    scores: Integers = np.minimum(_HIGHEST_SCORE, 1 + _HIGHEST_SCORE * below // (len(measure) - 1))
    return scores


def backtest_segments(orders: PersonOrders, rules: pl.DataFrame) -> SegmentBacktest:
    """Return who moved between segments in the last month."""
    before_day = orders.last_day - timedelta(days=_MONTH_DAYS)
    if orders.days_from_last(before_day) < int(orders.day_number.min()):
        return SegmentBacktest((too_thin(_AREA, "every figure", "less than a month of orders"),))
    before = segments_at(orders, before_day, rules)
    now = segments_at(orders, orders.last_day, rules)
    counts: dict[tuple[str, str], int] = {}
    for person, segment in now.items():
        pair = before.get(person, NEW), segment
        counts[pair] = counts.get(pair, 0) + 1
    moves = tuple(SegmentMove(*pair, people) for pair, people in sorted(counts.items()))
    known = [move for move in moves if move.before != NEW]
    people = sum(move.people for move in known)
    stayed = sum(move.people for move in known if move.before == move.now)
    return SegmentBacktest(
        (
            Figure(
                _AREA,
                "share of people who kept their segment within 30 days",
                stayed / people,
                "if segments were drawn anew",
                _by_chance(known, people),
            ),
            Figure(
                _AREA, "people who moved", float(people - stayed), "known before", float(people)
            ),
            Figure(_AREA, "people who are new", float(sum(counts.values()) - people)),
        ),
        moves,
    )


def _by_chance(moves: list[SegmentMove], people: int) -> float:
    """Return the share that would stay if the segment of now did not depend on the one before."""
    names = {move.before for move in moves} | {move.now for move in moves}
    return sum(
        sum(move.people for move in moves if move.before == name)
        * sum(move.people for move in moves if move.now == name)
        for name in names
    ) / (people * people)


def _between(scores: Integers, lowest: int, highest: int) -> Booleans:
    return (scores >= lowest) & (scores <= highest)
