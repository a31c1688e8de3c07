"""The daily replay: which rows appear on which day."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from olist_platform.errors import OlistError
from olist_platform.landing.folder_store import FolderStore
from olist_platform.landing.land import land_backfill, land_daily

LandedRows = Callable[[Path, str], dict[str, list[dict[str, str]]]]


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def days_of(rows: dict[str, list[dict[str, str]]], column: str) -> dict[str, list[str]]:
    return {day: [row[column] for row in of_day] for day, of_day in rows.items()}


def test_rows_appear_on_their_days(
    small_source: Path, landing: Path, landed_rows: LandedRows
) -> None:
    result = land_daily(small_source, FolderStore(landing))
    assert (result.days[0], result.days[-1]) == (date(2018, 1, 1), date(2018, 1, 8))
    assert days_of(landed_rows(landing, "orders"), "order_id") == {
        "2018-01-01": ["usual", "twice", "next-century"],
        "2018-01-02": ["usual", "one-day", "twice", "twice"],
        "2018-01-03": ["usual", "canceled", "invoiced", ""],
        "2018-01-04": ["shipped-before-purchase", "invoiced", "bad-purchase"],
        "2018-01-05": ["usual", "shipped-before-purchase"],
        "2018-01-08": ["no-dates"],
    }
    assert days_of(landed_rows(landing, "order_items"), "order_id") == {
        "2018-01-01": ["usual", "usual"],
        "2018-01-02": ["one-day"],
        "2018-01-08": ["no-such-order", "no-dates"],
    }
    assert days_of(landed_rows(landing, "payments"), "order_id") == {
        "2018-01-01": ["usual"],
        "2018-01-08": ["no-such-order"],
    }
    assert days_of(landed_rows(landing, "customers"), "customer_id") == {
        "2018-01-01": ["c1", "c8", "c10"],
        "2018-01-02": ["c2", "c9"],
        "2018-01-03": ["c4", "c5"],
        "2018-01-04": ["c3", "c6"],
        "2018-01-08": ["c7", "c11"],
    }
    assert days_of(landed_rows(landing, "reviews"), "review_id") == {
        "2018-01-01": ["r3"],
        "2018-01-03": ["r2"],
        "2018-01-07": ["r4", "r4"],
        "2018-01-08": ["r1", "r3"],
    }
    assert days_of(landed_rows(landing, "products"), "product_id") == {
        "2018-01-01": ["p1", "p2", "p4"],
        "2018-01-08": ["p3"],
    }
    assert days_of(landed_rows(landing, "sellers"), "seller_id") == {
        "2018-01-01": ["s1", "s3"],
        "2018-01-02": ["s2"],
    }
    assert list(landed_rows(landing, "geolocation")) == ["2018-01-01"]
    assert list(landed_rows(landing, "category_translation")) == ["2018-01-01"]


def test_values_are_carried_as_exact_text(
    small_source: Path, landing: Path, landed_rows: LandedRows
) -> None:
    land_daily(small_source, FolderStore(landing))
    (review,) = [
        row for row in landed_rows(landing, "reviews")["2018-01-08"] if row["review_id"] == "r1"
    ]
    assert review["review_comment_message"] == 'Muito "bom", gostei\nlinha 2\r\nlinha 3 😀'
    assert review["review_comment_title"] == ""
    items = landed_rows(landing, "order_items")["2018-01-01"]
    assert [(item["price"], item["freight_value"]) for item in items] == [
        ("10.00", "1.10"),
        ("010.0", "1e1"),
    ]


def test_reviews_without_an_identifier_do_not_wait_for_one_another(
    make_source: Callable[[dict[str, Any]], Path], landing: Path, landed_rows: LandedRows
) -> None:
    """They are no versions of one review, of which a later row never appears before."""
    order = ["o1", "c1", "delivered", "2018-01-01 10:00:00", "", "", "", ""]
    answered = ["2018-01-05 10:00:00", "2018-01-03 10:00:00"]
    source = make_source({
        "orders": [order],
        "reviews": [["", "o1", "5", "", "", "2018-01-02 00:00:00", moment] for moment in answered],
    })  # fmt: skip
    land_daily(source, FolderStore(landing), allow_missing=True)
    assert days_of(landed_rows(landing, "reviews"), "review_answer_timestamp") == {
        "2018-01-03": answered[1:],
        "2018-01-05": answered[:1],
    }


def test_day_after_day_lands_what_all_days_at_once_land(small_source: Path, tmp_path: Path) -> None:
    whole, step = tmp_path / "whole", tmp_path / "step"
    land_daily(small_source, FolderStore(whole))
    for day in range(1, 9):
        result = land_daily(
            small_source,
            FolderStore(step),
            first=date(2018, 1, day),
            until=date(2018, 1, day),
        )
        assert set(result.days) <= {date(2018, 1, day)}
    trees = [
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.gz")}
        for root in (whole, step)
    ]
    assert trees[0] == trees[1]
    with pytest.raises(OlistError, match="lies after the last day"):
        land_daily(small_source, FolderStore(step), first=date(2018, 1, 2), until=date(2018, 1, 1))


def test_datasets_may_be_missing(
    make_source: Callable[[dict[str, Any]], Path], landing: Path, landed_rows: LandedRows
) -> None:
    review = ["r", "o", "5", "", "", "2018-01-01 00:00:00", "2018-01-02 00:00:00"]
    item = ["o", "1", "p", "s", "2018-01-01 00:00:00", "1", "1"]
    source = make_source({"reviews": [review], "order_items": [item], "products": []})
    result = land_daily(source, FolderStore(landing), allow_missing=True)
    assert result.written == 2
    assert days_of(landed_rows(landing, "reviews"), "review_id") == {"2018-01-02": ["r"]}
    assert days_of(landed_rows(landing, "order_items"), "order_id") == {"2018-01-02": ["o"]}
    only_items = make_source({"order_items": [item]})
    (source / "olist_order_reviews_dataset.csv").unlink()
    with pytest.raises(OlistError, match="no order and no review tells the date"):
        land_daily(only_items, FolderStore(landing), allow_missing=True)


def test_the_last_day_is_the_backfills(sample: Path, tmp_path: Path) -> None:
    whole = land_backfill(sample, FolderStore(tmp_path / "whole"), allow_missing=True)
    first = land_daily(
        sample, FolderStore(tmp_path / "daily"), allow_missing=True, first=whole.days[0]
    )
    assert first.days == whole.days
