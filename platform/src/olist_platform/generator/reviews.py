"""Review scores: an ordered probit of seller quality, delay and complications."""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator import calibration
from olist_platform.generator.arrays import (
    Floats,
    Integers,
    draw_second_of_day,
    draw_value,
)
from olist_platform.generator.calibration import REVIEWS, SELLERS
from olist_platform.generator.purchase_calendar import DAY, outside_gap_hour
from olist_platform.generator.timelines import NEVER, Timelines


@dataclass(slots=True)
class Reviews:
    """The reviews of a chunk, one element a review, ordered by order.

    Attributes:
        order: Row of the order in the chunk.
        number: Number within the order, from 0; identifies the review with its order.
        owner: Row of the order whose review id and text it carries; almost always `order`.
        score: Stars, 1 to 5.
        created: Midnight of the day the customer was asked, seconds from 1970-01-01.
        answered: When the customer answered, seconds from 1970-01-01.
    """

    order: Integers
    number: Integers
    owner: Integers
    score: Integers
    created: Integers
    answered: Integers


def draw_reviews(
    rng: np.random.Generator,
    timelines: Timelines,
    seller_quality: Floats,
    sellers_by_order: Integers,
    items_by_order: Integers,
) -> Reviews:
    """Draw at most one review an order.

    Args:
        rng: Random numbers.
        timelines: The orders' true moments.
        seller_quality: Mean quality of each order's sellers.
        sellers_by_order: Number of sellers of each order.
        items_by_order: Number of items of each order.
    """
    orders = len(timelines.purchased)
    latent = seller_quality + rng.normal(0.0, np.sqrt(1 - SELLERS.quality_sigma**2), orders)
    latent += np.interp(timelines.late_days(), calibration.LATE_SHIFT_DAYS, calibration.LATE_SHIFT)
    latent += np.where(
        sellers_by_order > 1,
        REVIEWS.several_sellers,
        np.where(items_by_order > 1, REVIEWS.several_items, 0.0),
    )
    for status, shift in calibration.UNDELIVERED_SHIFT.items():
        latent[timelines.status == status] += shift
    score = np.searchsorted(np.array(REVIEWS.cuts), latent) + 1
    created = _asked(rng, timelines)
    answered = answer_time(rng, created)
    reviewed = np.flatnonzero(rng.random(orders) >= REVIEWS.unreviewed_share)
    return Reviews(
        order=reviewed,
        number=np.zeros(len(reviewed), dtype=np.int64),
        owner=reviewed.copy(),
        score=score[reviewed].astype(np.int64),
        created=created[reviewed],
        answered=answered[reviewed],
    )


def answer_time(rng: np.random.Generator, created: Integers) -> Integers:
    """Draw when customers asked on those days answer, in seconds from 1970-01-01."""
    log_mean, log_sigma = calibration.ANSWER_LOG_DAYS
    days = np.exp(rng.normal(log_mean, log_sigma, len(created))).astype(np.int64)
    second = draw_second_of_day(rng, calibration.ANSWERED_BY_HOUR, len(created))
    return outside_gap_hour(created + days * DAY + second)


def _asked(rng: np.random.Generator, timelines: Timelines) -> Integers:
    orders = len(timelines.purchased)
    on_time_delay = draw_value(rng, calibration.REVIEW_DELAY_ON_TIME, orders)
    late_delay = draw_value(rng, calibration.REVIEW_DELAY_LATE, orders)
    on_time = (timelines.delivered != NEVER) & (timelines.late_days() == 0)
    return np.where(
        on_time,
        (timelines.delivered // DAY + on_time_delay) * DAY,
        timelines.estimated + late_delay * DAY,
    )
