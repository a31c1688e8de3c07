"""The versions of an order that nightly extracts would have written."""

from datetime import date

import polars as pl

from olist_platform.landing.event_dates import (
    APPROVED,
    DELIVERED,
    PURCHASED,
    SHIPPED,
    event_date,
)

DAY, ROW = "_day", "_row"

# An order's status follows from the last of these events that has happened.
_STATUS_AFTER = ((DELIVERED, "delivered"), (SHIPPED, "shipped"), (APPROVED, "approved"))
_STATUS_AT_FIRST = "created"


def order_days(orders: pl.DataFrame, last_day: date) -> pl.DataFrame:
    """Return per row of orders the days of its first and of its final version.

    An order starts on the day of its purchase and is final on the day of its latest event. Where
    the purchase has no readable timestamp, both are the day of the latest event that has one, or
    the last day.

    Args:
        orders: Orders as text.
        last_day: Where an order without any date goes.

    Returns:
        Columns `_row`, `order_id`, `customer_id`, `_first_day`, `_final_day`, in the rows' order.
    """
    final = pl.max_horizontal(
        event_date(column) for column in (PURCHASED, APPROVED, SHIPPED, DELIVERED)
    ).fill_null(last_day)
    return orders.with_row_index(ROW).select(
        ROW,
        "order_id",
        "customer_id",
        pl.coalesce(event_date(PURCHASED), final).alias("_first_day"),
        final.alias("_final_day"),
    )


def order_versions(orders: pl.DataFrame, last_day: date) -> pl.DataFrame:
    """Return every version of every order, with the day of the extract that shows it.

    There is one version per order and day on which something happened to it: the state at the end
    of that day. It shows the events up to then, and the status that follows from them. The final
    version is the source's row, character by character. What a source says about the same order in
    several rows stays in their order: all but the last row are on the final day, before it.

    Args:
        orders: Orders as text, with the catalog's columns.
        last_day: Where an order without any date goes.

    Returns:
        The orders' columns and `_day`, sorted by day, then by the source's order.
    """
    rows = orders.with_row_index(ROW).with_columns(
        *order_days(orders, last_day).select("_first_day", "_final_day"),
        *(event_date(column).alias(f"{column}_date") for column, _ in _STATUS_AFTER),
    )
    rows = rows.with_columns(
        # Without an order_id a row supersedes nothing, so it has no versions but itself.
        (
            pl.col("order_id").is_not_null() & (pl.col(ROW) == pl.col(ROW).max().over("order_id"))
        ).alias("_is_newest"),
        pl.when(pl.col("order_id").is_null())
        .then("_final_day")
        .otherwise(pl.col("_final_day").sort_by(ROW).last().over("order_id"))
        .alias("_final_day"),
    )
    newest = rows.filter("_is_newest")
    days = (
        newest.select(
            ROW,
            pl.concat_list(
                "_first_day", "_final_day", *(f"{column}_date" for column, _ in _STATUS_AFTER)
            ).alias(DAY),
            "_first_day",
        )
        .explode(DAY)
        .filter(pl.col(DAY) >= pl.col("_first_day"))
        .select(ROW, DAY)
        .unique()
    )
    versions = newest.join(days, on=ROW).with_columns(_state_at_end_of_day())
    superseded = rows.filter(~pl.col("_is_newest")).with_columns(pl.col("_final_day").alias(DAY))
    columns = [*orders.columns, DAY]
    return (
        pl.concat([superseded.select(ROW, *columns), versions.select(ROW, *columns)])
        .sort(DAY, ROW)
        .select(columns)
    )


def _state_at_end_of_day() -> list[pl.Expr]:
    is_final = pl.col(DAY) == pl.col("_final_day")
    has_happened = {
        column: (pl.col(f"{column}_date") <= pl.col(DAY)).fill_null(value=False)
        for column, _ in _STATUS_AFTER
    }
    status = pl.lit(_STATUS_AT_FIRST)
    for column, name in reversed(_STATUS_AFTER):
        status = pl.when(has_happened[column]).then(pl.lit(name)).otherwise(status)
    return [
        pl.when(is_final).then("order_status").otherwise(status).alias("order_status"),
        *(
            pl.when(is_final | happened).then(pl.col(column)).alias(column)
            for column, happened in has_happened.items()
        ),
    ]
