"""The daily replay: on which day a nightly extract would have written which rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from olist_platform.landing.event_dates import REVIEW_ANSWERED, REVIEW_CREATED, event_date
from olist_platform.landing.order_versions import DAY, ROW, order_days, order_versions
from olist_platform.source_catalog import dataset_named

# These are not replayed row by row: the file itself is the extract of the first day.
WHOLE_ON_FIRST_DAY = ("geolocation", "category_translation")


@dataclass(frozen=True, slots=True)
class Replay:
    """The rows of every day.

    Attributes:
        first_day: Day of the first extract.
        last_day: Day of the last; what has no day of its own goes here.
        tables: Rows by dataset, with their `_day`, sorted by it.
    """

    first_day: date
    last_day: date
    tables: Mapping[str, pl.DataFrame]


def plan_replay(tables: Mapping[str, pl.DataFrame], last_day: date) -> Replay:
    """Give every row its day; no row of the input is left out.

    Args:
        tables: Text tables by dataset's name; datasets may be missing.
        last_day: Day of the latest event in them.
    """
    days = order_days(tables["orders"], last_day) if "orders" in tables else _no_orders()
    first_day = days["_first_day"].min() if days.height else last_day
    assert isinstance(first_day, date)  # noqa: S101 - polars types an aggregate as any scalar
    # The last row of an order is its newest version, so its day is the order's.
    order_day = days.group_by("order_id", maintain_order=True).agg(pl.col("_first_day").last())
    customer_day = days.group_by("customer_id").agg(pl.col("_first_day").min())
    planned = dict[str, pl.DataFrame]()
    if "orders" in tables:
        planned["orders"] = order_versions(tables["orders"], last_day)
    for name, key, key_days in (
        ("customers", "customer_id", customer_day),
        ("order_items", "order_id", order_day),
        ("payments", "order_id", order_day),
    ):
        if name in tables:
            planned[name] = _on_day_of(tables[name], key, key_days, last_day)
    if "reviews" in tables:
        planned["reviews"] = _reviews(tables["reviews"], order_day, last_day)
    for name, key in (("products", "product_id"), ("sellers", "seller_id")):
        if name in tables:
            first_use = _first_use(planned.get("order_items"), key)
            planned[name] = _on_day_of(tables[name], key, first_use, first_day)
    return Replay(first_day, last_day, planned)


def rows_by_day(table: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    """Return the rows of each day, in the days' order, without their `_day`."""
    # The table is sorted by day, so each day is a slice and nothing is copied.
    lengths = table.group_by(DAY, maintain_order=True).len()
    start = 0
    for day, length in lengths.iter_rows():
        yield day, table.slice(start, length).drop(DAY)
        start += length


def state_on(replay: Replay, day: date) -> dict[str, pl.DataFrame]:
    """Return what the extracts up to a day say together: the newest version of every order.

    Every other dataset has its rows once, on one day.
    """
    state = {
        name: table.filter(pl.col(DAY) <= day).drop(DAY) for name, table in replay.tables.items()
    }
    if "orders" in state:
        orders = state["orders"]
        identity = pl.coalesce("order_id", pl.format("row {}", ROW))
        state["orders"] = (
            orders.with_row_index(ROW).unique(identity, keep="last", maintain_order=True).drop(ROW)
        )
    return state


def _no_orders() -> pl.DataFrame:
    empty = pl.DataFrame(schema=dict.fromkeys(dataset_named("orders").header, pl.String))
    return order_days(empty, date.min)


def _on_day_of(
    table: pl.DataFrame, key: str, key_days: pl.DataFrame, otherwise: date
) -> pl.DataFrame:
    """Give each row the day of its key."""
    return (
        table.with_row_index(ROW)
        .join(key_days, on=key, how="left")
        .with_columns(pl.col("_first_day").fill_null(otherwise).alias(DAY))
        .sort(DAY, ROW)
        .select(*table.columns, DAY)
    )


def _reviews(reviews: pl.DataFrame, order_day: pl.DataFrame, last_day: date) -> pl.DataFrame:
    """A review appears when it was answered; a later row of the same review never before."""
    key = dataset_named("reviews").key
    day = pl.coalesce(
        event_date(REVIEW_ANSWERED), event_date(REVIEW_CREATED), "_first_day", pl.lit(last_day)
    )
    identity = pl.coalesce(
        pl.concat_str(*key, separator="|", ignore_nulls=False), pl.format("row {}", ROW)
    )
    return (
        reviews.with_row_index(ROW)
        .join(order_day, on="order_id", how="left")
        .sort(ROW)
        .with_columns(day.cum_max().over(identity).alias(DAY))
        .sort(DAY, ROW)
        .select(*reviews.columns, DAY)
    )


def _first_use(items: pl.DataFrame | None, key: str) -> pl.DataFrame:
    if items is None:
        return pl.DataFrame(schema={key: pl.String, "_first_day": pl.Date})
    return items.group_by(key).agg(pl.col(DAY).min().alias("_first_day"))
