"""How an order is paid: plans, installments and vouchers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from olist_platform.generator import calibration, reference_tables
from olist_platform.generator.arrays import (
    Floats,
    Integers,
    cumulative,
    draw_index,
    draw_value,
    object_array,
    within_groups,
)

PLANS = tuple(calibration.ORDERS_BY_PAYMENT_PLAN)
_CARD_AND_VOUCHER = PLANS.index("credit_card+voucher")
_TWO_CARDS = PLANS.index("credit_card+credit_card")
_VOUCHERS = PLANS.index("voucher")
_LEADING_TYPE = object_array([plan.split("+")[0] for plan in PLANS])


@dataclass(frozen=True, slots=True)
class Payments:
    """The payments of a chunk, one element a payment, ordered by order.

    Attributes:
        order: Row of the order in the chunk.
        sequential: Number of the payment within the order, from 1.
        kind: Payment type as the file spells it.
        installments: Number of monthly installments.
        value: BRL cents.
        leading: Type of the order's first payment, one element an order.
    """

    order: Integers
    sequential: Integers
    kind: npt.NDArray[np.object_]
    installments: Integers
    value: Integers
    leading: npt.NDArray[np.object_]


def draw_payments(rng: np.random.Generator, totals: Integers) -> Payments:
    """Draw the payments of orders; those of an order sum to its total, to the cent.

    Args:
        rng: Random numbers.
        totals: What each order costs, BRL cents.
    """
    orders = len(totals)
    plan = draw_index(rng, cumulative(list(calibration.ORDERS_BY_PAYMENT_PLAN.values())), orders)
    count = _payments_by_order(rng, plan, totals)
    order = np.repeat(np.arange(orders), count)
    sequential = within_groups(count) + 1
    kind = _LEADING_TYPE[plan][order]
    kind[(plan[order] == _CARD_AND_VOUCHER) & (sequential > 1)] = "voucher"
    value = _split(totals, count, order, _weights(rng, plan, count, order, sequential))
    return Payments(
        order=order,
        sequential=sequential,
        kind=kind,
        installments=_draw_installments(rng, kind, value),
        value=value,
        leading=_LEADING_TYPE[plan],
    )


def _payments_by_order(rng: np.random.Generator, plan: Integers, totals: Integers) -> Integers:
    vouchers = draw_value(rng, calibration.VOUCHERS_PER_ORDER, len(plan))
    count = np.ones(len(plan), dtype=np.int64)
    count = np.where(plan == _VOUCHERS, vouchers, count)
    count = np.where(plan == _CARD_AND_VOUCHER, vouchers + 1, count)
    count = np.where(plan == _TWO_CARDS, 2, count)
    # Each payment is of at least one cent.
    return np.minimum(count, totals)


def _weights(
    rng: np.random.Generator,
    plan: Integers,
    count: Integers,
    order: Integers,
    sequential: Integers,
) -> Floats:
    weight = rng.standard_exponential(len(order)) + 1e-6
    voucher_share = rng.beta(*calibration.VOUCHER_SHARE_BETA, len(plan))
    is_card = (plan[order] == _CARD_AND_VOUCHER) & (sequential == 1)
    vouchers_weight = np.bincount(order, np.where(is_card, 0.0, weight), minlength=len(count))
    card_weight = vouchers_weight * (1 - voucher_share) / np.maximum(voucher_share, 1e-6)
    return np.where(is_card, card_weight[order], weight)


def _split(totals: Integers, count: Integers, order: Integers, weight: Floats) -> Integers:
    """Split whole cents by weights, at least one cent each."""
    running = np.cumsum(weight)
    last = np.cumsum(count) - 1
    before = np.concatenate([[0.0], running[last[:-1]]])
    share = (running - before[order]) / (running[last] - before)[order]
    share[last] = 1.0
    spare = (totals - count)[order]
    upto = np.floor(np.clip(share, 0.0, 1.0) * spare).astype(np.int64)
    previous = np.concatenate([[0], upto[:-1]])
    previous[np.cumsum(count) - count] = 0
    parts: Integers = upto - previous + 1
    return parts


def _draw_installments(
    rng: np.random.Generator, kind: npt.NDArray[np.object_], value: Integers
) -> Integers:
    installments = np.ones(len(value), dtype=np.int64)
    is_card = kind == "credit_card"
    ends, shares_by_band = reference_tables.installments()
    band = np.searchsorted(ends * 100, value, side="right")
    for number, shares in enumerate(shares_by_band):
        rows = np.flatnonzero(is_card & (band == number))
        installments[rows] = draw_value(rng, shares, len(rows))
    return installments
