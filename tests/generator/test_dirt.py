"""Reality's faults: there at their published rates, and the ways the files spell them."""

import csv
from pathlib import Path

import duckdb
import pytest

from olist_platform.generator.quotas import quota


@pytest.mark.parametrize(
    ("fault", "query", "expected", "tolerance"),
    [
        (
            "exact copies in geolocation",
            (
                "select 1 - (select count(*) from (select distinct * from geolocation)) / count(*)"
                " from geolocation"
            ),
            261_831 / 1_000_163,
            0.001,
        ),
        (
            "points abroad, per million",
            (
                "select 1e6 * avg((geolocation_lat::double not between -33.8 and 5.3"
                " or geolocation_lng::double not between -74 and -34.7)::int) from geolocation"
            ),
            45,
            25,
        ),
        (
            "orders without items",
            (
                "select count(*) / (select count(*) from orders)"
                " from orders anti join order_items using (order_id)"
            ),
            775 / 99_441,
            0.0015,
        ),
        (
            "of them unavailable or canceled",
            (
                "select avg((order_status in ('unavailable', 'canceled'))::int)"
                " from orders anti join order_items using (order_id)"
            ),
            767 / 775,
            0.03,
        ),
        (
            "orders of several reviews",
            (
                "select count(*) / (select count(*) from orders)"
                " from (select order_id from reviews group by 1 having count(*) > 1)"
            ),
            547 / 99_441,
            0.0015,
        ),
        (
            "review ids of several orders",
            (
                "select count(*) / (select count(*) from orders)"
                " from (select review_id from reviews group by 1 having count(*) > 1)"
            ),
            789 / 99_441,
            0.002,
        ),
        (
            "products without a category",
            "select avg((product_category_name is null)::int) from products",
            610 / 32_951,
            0.0005,
        ),
        (
            "carrier before approval",
            (
                "select avg(coalesce(order_delivered_carrier_date < order_approved_at, false)::int)"
                " from orders"
            ),
            1_359 / 99_441,
            0.002,
        ),
        (
            "carrier before purchase, per 25,000 orders",
            (
                "select count(*) from orders"
                " where order_delivered_carrier_date < order_purchase_timestamp"
            ),
            42,
            0,
        ),
        (
            "delivery before carrier, per 25,000 orders",
            (
                "select count(*) from orders"
                " where order_delivered_customer_date < order_delivered_carrier_date"
            ),
            6,
            0,
        ),
        (
            "delivered without a date, per 25,000 orders",
            (
                "select count(*) from orders where order_status = 'delivered'"
                " and order_delivered_customer_date is null"
            ),
            2,
            0,
        ),
        (
            "cities of sellers spelt oddly",
            "select avg((not regexp_full_match(seller_city, '[a-z'' -]+'))::int) from sellers",
            0.012,
            0.012,
        ),
        (
            "accents in geolocation's cities of sao paulo",
            (
                "select avg((geolocation_city = 'são paulo')::int) from geolocation"
                " where geolocation_zip_code_prefix between '01000' and '05899'"
            ),
            24_918 / (24_918 + 135_800),
            0.02,
        ),
        (
            "customers whose zip has no geolocation",
            (
                "select avg((customer_zip_code_prefix not in"
                " (select geolocation_zip_code_prefix from geolocation))::int) from customers"
            ),
            0.005,
            0.005,
        ),
        (
            "messages with a quote",
            (
                "select avg(contains(review_comment_message, '\"')::int) from reviews"
                " where review_comment_message is not null"
            ),
            0.0036,
            0.002,
        ),
        (
            "messages with an emoji",
            (
                "select avg(regexp_matches(review_comment_message,"
                " '[\\x{1F300}-\\x{1FAFF}\\x{2600}-\\x{27BF}]')::int) from reviews"
                " where review_comment_message is not null"
            ),
            0.006,
            0.003,
        ),
    ],
)
def test_faults_come_at_published_rates(
    dirty: duckdb.DuckDBPyConnection,
    fault: str,
    query: str,
    expected: float,
    tolerance: float,
) -> None:
    row = dirty.execute(query).fetchone()
    assert row is not None
    assert abs(row[0] - expected) <= tolerance, f"{fault}: expected {expected}, got {row[0]}"


def test_two_categories_of_products_lack_a_translation(dirty: duckdb.DuckDBPyConnection) -> None:
    rows = dirty.execute(
        "select distinct product_category_name from products"
        " anti join category_translation using (product_category_name)"
        " where product_category_name is not null"
    ).fetchall()
    known = {"pc_gamer", "portateis_cozinha_e_preparadores_de_alimentos"}
    assert {row[0] for row in rows} <= known
    assert dirty.execute("select count(*) from category_translation").fetchone() == (71,)


def test_only_the_translation_file_starts_with_a_byte_order_mark(
    dirty_folder: Path, clean_folder: Path
) -> None:
    marked = {
        path.name for path in dirty_folder.glob("*.csv") if path.read_bytes()[:3] == b"\xef\xbb\xbf"
    }
    assert marked == {"product_category_name_translation.csv"}
    assert not any(
        path.read_bytes().startswith(b"\xef\xbb\xbf") for path in clean_folder.glob("*.csv")
    )


def test_messages_survive_a_strict_csv_reader(dirty_folder: Path) -> None:
    path = dirty_folder / "olist_order_reviews_dataset.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert {len(row) for row in rows} == {7}
    messages = [row[4] for row in rows[1:]]
    assert any("\r\n" in message for message in messages)
    assert any('"' in message for message in messages)
    assert path.read_bytes().endswith(b"\n")


def test_quotas_of_chunks_sum_to_the_whole() -> None:
    parts = [quota(23, 99_441, before, 1_000) for before in range(0, 99_000, 1_000)]
    parts.append(quota(23, 99_441, 99_000, 441))
    assert sum(parts) == 23
    assert max(parts) == 1
    assert quota(1, 99_441, 0, 99_441) == 1
