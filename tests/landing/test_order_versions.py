"""Versions of an order: what is known at the end of each day, and the source's row in the end."""

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from olist_platform.landing.order_versions import DAY, order_versions
from olist_platform.source_catalog import dataset_named

HEADER = dataset_named("orders").header
LAST_DAY = date(2018, 12, 31)
EVENTS = HEADER[3:7]


def versions(*rows: list[str]) -> list[tuple[str, ...]]:
    """Return day, status and events' texts of each version."""
    table = pl.DataFrame(
        [[value or None for value in row] for row in rows],
        schema=dict.fromkeys(HEADER, pl.String),
        orient="row",
    )
    result = order_versions(table, LAST_DAY)
    return [
        (str(row[DAY]), row["order_status"], *(row[column] or "" for column in EVENTS))
        for row in result.iter_rows(named=True)
    ]


def test_an_order_appears_as_placed_and_again_whenever_it_changes() -> None:
    purchased, approved = "2018-01-01 10:00:00", "2018-01-02 00:00:00"
    shipped, delivered = "2018-01-03 09:00:00", "2018-01-05 23:59:59"
    assert versions(["o", "c", "delivered", purchased, approved, shipped, delivered, ""]) == [
        ("2018-01-01", "created", purchased, "", "", ""),
        ("2018-01-02", "approved", purchased, approved, "", ""),
        ("2018-01-03", "shipped", purchased, approved, shipped, ""),
        ("2018-01-05", "delivered", purchased, approved, shipped, delivered),
    ]


def test_one_day_has_one_version() -> None:
    moment = "2018-01-01 10:00:00"
    order = ["o", "c", "delivered", moment, moment, moment, moment, ""]
    assert versions(order) == [("2018-01-01", "delivered", *[moment] * 4)]


def test_events_before_the_purchase_show_with_it() -> None:
    purchased, approved, shipped = (
        "2018-01-04 10:00:00",
        "2018-01-05 10:00:00",
        "2018-01-02 10:00:00",
    )
    assert versions(["o", "c", "shipped", purchased, approved, shipped, "", ""]) == [
        ("2018-01-04", "shipped", purchased, "", shipped, ""),
        ("2018-01-05", "shipped", purchased, approved, shipped, ""),
    ]


def test_statuses_without_a_time_come_with_the_last_event() -> None:
    purchased, approved = "2018-01-01 10:00:00", "2018-01-02 10:00:00"
    assert versions(["o", "c", "canceled", purchased, approved, "", "", ""]) == [
        ("2018-01-01", "created", purchased, "", "", ""),
        ("2018-01-02", "canceled", purchased, approved, "", ""),
    ]


def test_an_order_without_dates_comes_last() -> None:
    assert versions(["o", "c", "created", "?", "", "", "", ""]) == [
        ("2018-12-31", "created", "?", "", "", "")
    ]


def test_rows_without_an_order_id_have_one_version_each() -> None:
    row = ["", "c", "shipped", "2018-01-01 10:00:00", "", "2018-01-02 10:00:00", "", ""]
    assert len(versions(row, row)) == 2


_DAYS = st.dates(date(2018, 1, 1), date(2018, 1, 6)).map(lambda day: f"{day} 12:30:00")
_TIMES = st.one_of(_DAYS, _DAYS, st.sampled_from(["", "garbage", "2018-13-01 00:00:00"]))
_ORDERS = st.lists(
    st.builds(
        lambda order_id, status, times: [order_id, "c", status, *times, ""],
        st.sampled_from(["a", "b", "c", ""]),
        st.sampled_from(["created", "shipped", "delivered", "canceled"]),
        st.tuples(_TIMES, _TIMES, _TIMES, _TIMES),
    ),
    min_size=1,
    max_size=6,
)


@given(_ORDERS)
def test_the_newest_version_is_the_source_row_and_events_only_ever_appear(
    rows: list[list[str]],
) -> None:
    table = pl.DataFrame(
        [[value or None for value in row] for row in rows],
        schema=dict.fromkeys(HEADER, pl.String),
        orient="row",
    )
    result = order_versions(table, LAST_DAY)
    assert result[DAY].is_sorted()
    assert result[DAY].null_count() == 0
    source = table.rows()
    for order_id in {row[0] for row in rows if row[0]}:
        of_order = result.filter(pl.col("order_id") == order_id)
        in_source = [row for row in source if row[0] == order_id]
        assert of_order.drop(DAY).rows()[-len(in_source) :] == in_source
        history = of_order.head(of_order.height - len(in_source) + 1)
        assert history[DAY].is_unique().all() or len(in_source) > 1
        if len(in_source) == 1:
            for column in EVENTS:
                known = history[column].is_not_null().to_list()
                assert known == sorted(known)
            final = history[DAY].to_list()[-1]
            assert final == LAST_DAY or final <= date(2018, 1, 6)
    without_id = result.filter(pl.col("order_id").is_null()).drop(DAY).rows()
    key = [tuple(str(value) for value in row) for row in without_id]
    expected = [tuple(str(value) for value in row) for row in source if row[0] is None]
    assert sorted(key) == sorted(expected)
