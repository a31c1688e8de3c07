"""What is kept from a fit to judge it by, and how sure a judgement between two fits is."""

from datetime import date, timedelta

import numpy as np

from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.person_orders import PersonOrders

_LONGEST_DAYS = 365


def hold_out_start(orders: PersonOrders) -> date:
    """Return the last day that is learnt from: a year before the end, or half of what there is."""
    days = min(_LONGEST_DAYS, orders.observed_days // 2)
    return orders.last_day - timedelta(days=days)


def paired_error(scores: Floats | None, others: Floats | None) -> float:
    """Return the standard error of the mean difference of two scores of the same things."""
    if scores is None or others is None or len(scores) < 2:  # noqa: PLR2004 - nothing varies
        return float("inf")
    return float((scores - others).std(ddof=1) / np.sqrt(len(scores)))
