"""The source's own dates: when an order or a review event happened, in local time."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from olist_platform.errors import OlistError
from olist_platform.landing.layout import lies_in_the_future

PURCHASED, APPROVED, SHIPPED, DELIVERED = (
    "order_purchase_timestamp",
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
)
REVIEW_CREATED, REVIEW_ANSWERED = "review_creation_date", "review_answer_timestamp"

# Columns that tell when something happened; estimates and limits lie in the future.
EVENT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "orders": (PURCHASED, APPROVED, SHIPPED, DELIVERED),
    "reviews": (REVIEW_CREATED, REVIEW_ANSWERED),
}
_ISO_DATE_LENGTH = 10
# A mistyped century must not become the day of the extract.
_PLAUSIBLE_YEARS = (2000, 2099)


def event_date(column: str) -> pl.Expr:
    """Return the local date of a timestamp's text; null where it is blank or no date."""
    parsed = pl.col(column).str.head(_ISO_DATE_LENGTH).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(parsed.dt.year().is_between(*_PLAUSIBLE_YEARS)).then(parsed)


def latest_event_date(tables: Mapping[str, pl.DataFrame]) -> date | None:
    """Return the latest date of any event of the orders and reviews, if there is one."""
    dates = [
        latest
        for name, columns in EVENT_COLUMNS.items()
        if name in tables
        for latest in tables[name].select(event_date(column).max() for column in columns).row(0)
        if latest is not None
    ]
    return max(dates, default=None)


def required_extract_date(tables: Mapping[str, pl.DataFrame], mend: str) -> date:
    """Return the latest event's date.

    Raises:
        OlistError: No order and no review tells a date, or the latest lies in the future.
    """
    latest = latest_event_date(tables)
    if latest is None:
        raise OlistError("no order and no review tells the date of this extract", mend)
    if lies_in_the_future(latest):
        raise OlistError(
            f"the latest event, {latest}, lies in the future; nothing was landed",
            f"mend the order or review that tells it, or {mend}",
        )
    return latest
