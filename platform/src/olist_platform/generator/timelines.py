"""An order's status and the moments of its life: approval, carrier, delivery, promise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from olist_platform.generator import calibration
from olist_platform.generator.arrays import (
    Flags,
    Floats,
    Integers,
    cumulative,
    draw_index,
    draw_second_of_day,
    draw_value,
    object_array,
)
from olist_platform.generator.calibration import DELIVERY, SELLERS
from olist_platform.generator.purchase_calendar import (
    DAY,
    HOUR,
    PurchaseCalendar,
    black_fridays,
    days_from_epoch,
    outside_gap_hour,
    weekday,
)
from olist_platform.generator.settings import GeneratorSettings

NEVER = np.iinfo(np.int64).min
"""Stands for a moment that has not come; files leave it empty."""

STATUSES = tuple(calibration.ORDERS_BY_STATUS)
_SATURDAY, _SUNDAY = 5, 6
_APPROVED = frozenset(STATUSES) - {"created", "canceled"}
_SHIPPED = frozenset({"delivered", "shipped"})


@dataclass(slots=True)
class Timelines:
    """The moments of a chunk's orders in seconds from 1970-01-01, wall clock; NEVER if none.

    Attributes:
        status: As the file spells it.
        purchased: When the order was placed.
        approved: When its payment was approved.
        shipped: When the carrier got it.
        delivered: When the customer got it.
        estimated: Midnight of the promised day.
        shipping_limit: Until when the seller had to hand it over.
    """

    status: npt.NDArray[np.object_]
    purchased: Integers
    approved: Integers
    shipped: Integers
    delivered: Integers
    estimated: Integers
    shipping_limit: Integers

    def late_days(self) -> Integers:
        """Return whole days of delay past the promised day, 0 where on time or undelivered."""
        late = self.delivered // DAY - self.estimated // DAY
        return np.where(self.delivered == NEVER, 0, np.maximum(late, 0))


def draw_timelines(
    rng: np.random.Generator,
    settings: GeneratorSettings,
    calendar: PurchaseCalendar,
    *,
    purchased: Integers,
    payment_type: npt.NDArray[np.object_],
    distance: Floats,
    seller_quality: Floats,
) -> Timelines:
    """Draw consistent timelines: purchase <= approval < carrier < delivery, by status.

    Args:
        rng: Random numbers.
        settings: Settings of the data set.
        calendar: Its purchase calendar.
        purchased: Purchases in seconds from 1970-01-01.
        payment_type: Type of each order's first payment.
        distance: Kilometres from seller to customer.
        seller_quality: Quality of the first item's seller.
    """
    orders = len(purchased)
    shares = cumulative(list(calibration.ORDERS_BY_STATUS.values()))
    status = object_array(STATUSES)[draw_index(rng, shares, orders)]
    stage = calendar.stage(purchased // DAY)
    approved = outside_gap_hour(purchased + _approval_delay(rng, payment_type))
    shipped = outside_gap_hour(_ship(rng, approved, seller_quality))
    factor = np.interp(stage, calibration.STAGE_KNOTS, calibration.TRANSIT_BY_STAGE)
    factor = factor * _congestion(settings, purchased // DAY)
    delivered = outside_gap_hour(_deliver(rng, shipped, distance, factor))
    limit_day = draw_value(rng, calibration.SHIPPING_LIMIT_DAYS, orders)
    was_approved, was_shipped = _reached(rng, status)
    base = np.where(was_approved, approved, purchased)
    return Timelines(
        status=status,
        purchased=purchased,
        approved=np.where(was_approved, approved, NEVER),
        shipped=np.where(was_shipped, shipped, NEVER),
        delivered=np.where(status == "delivered", delivered, NEVER),
        estimated=_promise(rng, purchased, stage, distance),
        shipping_limit=outside_gap_hour(base + limit_day * DAY),
    )


def _reached(rng: np.random.Generator, status: npt.NDArray[np.object_]) -> tuple[Flags, Flags]:
    canceled = status == "canceled"
    canceled_approved = canceled & (rng.random(len(status)) < calibration.CANCELED_APPROVED_SHARE)
    canceled_shipped = rng.random(len(status)) < calibration.CANCELED_SHIPPED_SHARE
    approved = np.isin(status, list(_APPROVED)) | canceled_approved
    shipped = np.isin(status, list(_SHIPPED)) | (canceled_approved & canceled_shipped)
    return approved, shipped


def _approval_delay(rng: np.random.Generator, payment_type: npt.NDArray[np.object_]) -> Integers:
    probability = rng.random(len(payment_type))
    hours: Floats = np.zeros(len(payment_type))
    for kind, quantiles in calibration.APPROVAL_HOURS.items():
        mine = payment_type == kind
        # Minutes to days: in between the quantiles it is the logs that are even.
        hours[mine] = np.exp(
            np.interp(probability[mine], calibration.APPROVAL_PROBABILITIES, np.log(quantiles))
        )
    return np.maximum((hours * HOUR).astype(np.int64), 1)


def _ship(rng: np.random.Generator, approved: Integers, seller_quality: Floats) -> Integers:
    log_days = (
        DELIVERY.handling_log_mean
        + SELLERS.handling_per_quality * seller_quality
        + DELIVERY.handling_log_sigma * rng.standard_normal(len(approved))
    )
    raw = approved + (np.exp(log_days) * DAY).astype(np.int64)
    day = _working_day(rng, raw // DAY, saturday_share=0.12)
    shipped = day * DAY + draw_second_of_day(rng, calibration.CARRIER_BY_HOUR, len(raw))
    soon = approved + rng.integers(HOUR // 2, 12 * HOUR, len(raw))
    return np.where(shipped <= approved, soon, shipped)


def _deliver(
    rng: np.random.Generator, shipped: Integers, distance: Floats, factor: Floats
) -> Integers:
    near = np.exp(-distance / 300)
    sigma = DELIVERY.transit_log_sigma_far + near * (
        DELIVERY.transit_log_sigma_near - DELIVERY.transit_log_sigma_far
    )
    log_days = (
        _log_transit_days(distance)
        + np.log(factor)
        + np.log(DELIVERY.stray_factor) * (rng.random(len(shipped)) < DELIVERY.stray_share)
        + sigma * rng.standard_normal(len(shipped))
    )
    raw = shipped + (np.exp(log_days) * DAY).astype(np.int64)
    day = _working_day(rng, raw // DAY, saturday_share=0.40)
    delivered = day * DAY + draw_second_of_day(rng, calibration.DELIVERED_BY_HOUR, len(raw))
    soon = shipped + rng.integers(2 * HOUR, 14 * HOUR, len(raw))
    return np.where(delivered <= shipped, soon, delivered)


def _log_transit_days(distance: Floats) -> Floats:
    knots = np.log(np.array(calibration.TRANSIT_KM) + 50)
    log_days: Floats = np.interp(np.log(distance + 50), knots, np.log(calibration.TRANSIT_DAYS))
    return log_days


def _promise(
    rng: np.random.Generator, purchased: Integers, stage: Floats, distance: Floats
) -> Integers:
    days = DELIVERY.promise_intercept + DELIVERY.promise_distance * np.log(distance + 50)
    days = days * np.interp(stage, calibration.STAGE_KNOTS, calibration.PROMISE_BY_STAGE)
    days = days + rng.normal(0.0, DELIVERY.promise_noise, len(purchased))
    whole = np.maximum(np.round(days).astype(np.int64), DELIVERY.promise_minimum)
    return _working_day(rng, purchased // DAY + whole, saturday_share=0.0) * DAY


def _working_day(rng: np.random.Generator, days: Integers, saturday_share: float) -> Integers:
    """Move Sundays and most Saturdays to Monday."""
    day_of_week = weekday(days)
    moves = (day_of_week == _SUNDAY) | (
        (day_of_week == _SATURDAY) & (rng.random(len(days)) >= saturday_share)
    )
    return np.where(moves, days + (7 - day_of_week), days)


def _congestion(settings: GeneratorSettings, days: Integers) -> Floats:
    factor = np.ones(len(days))
    first, last, level = calibration.BLACK_FRIDAY_CONGESTION
    for friday in black_fridays(settings):
        factor[(days >= friday + first) & (days <= friday + last)] = level
    for start, end, crisis in calibration.TRANSPORT_CRISES:
        factor[(days >= days_from_epoch(start)) & (days <= days_from_epoch(end))] = crisis
    return factor
