"""Reality's faults in orders, payments and reviews, at their real rates."""

from dataclasses import dataclass, replace

import numpy as np

from olist_platform.generator import calibration
from olist_platform.generator.arrays import Flags, Integers, pick
from olist_platform.generator.calibration import DIRT, PUBLISHED
from olist_platform.generator.payments import Payments
from olist_platform.generator.people import Purchases
from olist_platform.generator.purchase_calendar import DAY, HOUR
from olist_platform.generator.quotas import quota
from olist_platform.generator.reviews import Reviews, answer_time
from olist_platform.generator.timelines import NEVER, Timelines

_CENT_GAPS = np.array([-2, -1, -1, 1, 1, 2])
_INTEREST_CENTS = (300, 2_200)
_SECOND_REVIEW_DAYS = (0, 15)


@dataclass(frozen=True, slots=True)
class ChunkPosition:
    """Where a chunk stands in the data set: orders before it and in it."""

    before: int
    orders: int

    def quota(self, count: int) -> int:
        """Return the chunk's part of a fault seen `count` times in the published orders."""
        return quota(count, PUBLISHED.orders, self.before, self.orders)


def orders_without_items(rng: np.random.Generator, timelines: Timelines) -> Flags:
    """Draw which orders lack their items."""
    share = np.zeros(len(timelines.status))
    for status, of_status in calibration.WITHOUT_ITEMS_SHARE.items():
        share[timelines.status == status] = of_status
    without: Flags = rng.random(len(share)) < share
    return without


def soil_timelines(
    rng: np.random.Generator, timelines: Timelines, position: ChunkPosition
) -> Timelines:
    """Return timelines with impossible and missing moments."""
    dirty = replace(
        timelines,
        approved=timelines.approved.copy(),
        shipped=timelines.shipped.copy(),
        delivered=timelines.delivered.copy(),
    )
    orders = len(timelines.status)
    was_shipped = timelines.shipped != NEVER
    delivered = timelines.status == "delivered"
    # Approvals were written down hours or days after the parcel had left.
    belated = was_shipped & (rng.random(orders) < DIRT.carrier_before_approval_share)
    delay = np.exp(rng.normal(np.log(17 * HOUR), 1.3, orders)).astype(np.int64)
    dirty.approved = np.where(
        belated, timelines.shipped + np.clip(delay, 60, 5 * DAY), timelines.approved
    )
    rows = pick(rng, was_shipped & ~belated, position.quota(DIRT.carrier_before_purchase_count))
    dirty.shipped[rows] = timelines.purchased[rows] - rng.integers(60, DAY, len(rows))
    rows = pick(rng, delivered, position.quota(DIRT.delivered_before_carrier_count))
    dirty.delivered[rows] = dirty.shipped[rows] - rng.integers(HOUR, 3 * DAY, len(rows))
    rows = pick(rng, delivered, position.quota(DIRT.delivered_without_date_count))
    dirty.delivered[rows] = NEVER
    rows = pick(rng, delivered, position.quota(DIRT.delivered_without_approval_count))
    dirty.approved[rows] = NEVER
    canceled = (timelines.status == "canceled") & was_shipped
    rows = pick(rng, canceled, position.quota(DIRT.canceled_with_delivery_count))
    dirty.delivered[rows] = dirty.shipped[rows] + rng.integers(DAY, 15 * DAY, len(rows))
    return dirty


def soil_payments(
    rng: np.random.Generator,
    payments: Payments,
    timelines: Timelines,
    has_items: Flags,
    position: ChunkPosition,
) -> Payments:
    """Return payments that miss items' totals, lack a type or installments, or are missing."""
    count = len(payments.order)
    value, kind = payments.value.copy(), payments.kind.copy()
    installments = payments.installments.copy()
    single = np.bincount(payments.order)[payments.order] == 1
    rounded = rng.random(count) < DIRT.payment_rounding_share
    gap = _CENT_GAPS[rng.integers(0, len(_CENT_GAPS), count)]
    value = np.where(rounded, np.maximum(value + gap, 1), value)
    # Interest of installments is in what was paid, not in the items.
    share_of_split = (installments > 1).mean() if count else 0.0
    interest = (installments > 1) & (
        rng.random(count) < DIRT.payment_interest_share / max(float(share_of_split), 0.01)
    )
    value = np.where(interest, value + rng.integers(*_INTEREST_CENTS, count), value)
    canceled = (timelines.status == "canceled") & ~has_items
    rows = pick(
        rng, single & canceled[payments.order], position.quota(DIRT.payments_not_defined_count)
    )
    kind[rows], value[rows], installments[rows] = "not_defined", 0, 1
    rows = pick(
        rng,
        (kind == "credit_card") & ~single,
        position.quota(DIRT.payments_of_no_installments_count),
    )
    installments[rows] = 0
    missing = pick(
        rng,
        single & (timelines.status == "delivered")[payments.order],
        position.quota(DIRT.orders_without_payment_count),
    )
    kept = np.ones(count, dtype=np.bool_)
    kept[missing] = False
    return Payments(
        order=payments.order[kept],
        sequential=payments.sequential[kept],
        kind=kind[kept],
        installments=installments[kept],
        value=value[kept],
        leading=payments.leading,
    )


def soil_reviews(rng: np.random.Generator, reviews: Reviews, purchases: Purchases) -> Reviews:
    """Return reviews with second ones of an order, and with ids shared by orders."""
    row_of_order: Integers = np.full(len(purchases.person), -1, dtype=np.int64)
    row_of_order[reviews.order] = np.arange(len(reviews.order))
    shared = replace(
        reviews,
        owner=reviews.owner.copy(),
        score=reviews.score.copy(),
        created=reviews.created.copy(),
        answered=reviews.answered.copy(),
    )
    by_person = np.lexsort((purchases.rank, purchases.person))
    earlier, later = by_person[:-1], by_person[1:]
    pairs = purchases.person[earlier] == purchases.person[later]
    pairs &= (row_of_order[earlier] >= 0) & (row_of_order[later] >= 0)
    pairs &= rng.random(len(pairs)) < DIRT.repeat_orders_sharing_a_review_share
    # The later order's review stands for the earlier one too: it was asked after both.
    target, source = row_of_order[earlier[pairs]], row_of_order[later[pairs]]
    for field in (shared.owner, shared.score, shared.created, shared.answered):
        for to_row, from_row in zip(target[::-1], source[::-1], strict=True):
            field[to_row] = field[from_row]
    return _with_second_reviews(rng, shared)


def _with_second_reviews(rng: np.random.Generator, reviews: Reviews) -> Reviews:
    own = reviews.owner == reviews.order
    again = own & (rng.random(len(own)) < DIRT.orders_with_several_reviews_share)
    first = np.flatnonzero(again)
    created = reviews.created[first] + rng.integers(*_SECOND_REVIEW_DAYS, len(first)) * DAY
    changed = np.clip(reviews.score[first] + rng.integers(-1, 2, len(first)), 1, 5)
    position = np.concatenate([np.arange(len(own)), first])
    in_order = np.argsort(position, kind="stable")

    def with_second(values: Integers, second: Integers) -> Integers:
        joined: Integers = np.concatenate([values, second])[in_order]
        return joined

    return Reviews(
        order=with_second(reviews.order, reviews.order[first]),
        number=with_second(reviews.number, np.ones(len(first), dtype=np.int64)),
        owner=with_second(reviews.owner, reviews.owner[first]),
        score=with_second(reviews.score, changed),
        created=with_second(reviews.created, created),
        answered=with_second(reviews.answered, answer_time(rng, created)),
    )
