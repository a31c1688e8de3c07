"""What holds for every generated data set, whatever its size, seed and dates."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_platform.generator.dataset import generate_dataset
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.source_catalog import CATALOG


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    for dataset in CATALOG:
        connection.execute(
            f"create table {dataset.name} as select * from"
            f" read_csv('{folder / dataset.file_name}', header = true, all_varchar = true,"
            " delim = ',', quote = '\"', escape = '\"')"
        )
    return connection


def number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


ALWAYS_NONE = {
    "customers of no order": "customers anti join orders using (customer_id)",
    "orders of no customer": "orders anti join customers using (customer_id)",
    "items of no order": "order_items anti join orders using (order_id)",
    "items of no product": "order_items anti join products using (product_id)",
    "items of no seller": "order_items anti join sellers using (seller_id)",
    "payments of no order": "payments anti join orders using (order_id)",
    "reviews of no order": "reviews anti join orders using (order_id)",
    "odd identifiers": (
        "orders where not regexp_full_match(order_id || customer_id, '[0-9a-f]{64}')"
    ),
    "odd zips of customers": (
        "customers where not regexp_full_match(customer_zip_code_prefix, '[0-9]{5}')"
    ),
    "odd zips of sellers": (
        "sellers where not regexp_full_match(seller_zip_code_prefix, '[0-9]{5}')"
    ),
    "prices not above 0": "order_items where price::decimal(12, 2) <= 0",
    "negative freight": "order_items where freight_value::decimal(12, 2) < 0",
    "scores out of range": "reviews where review_score::int not between 1 and 5",
    "unknown statuses": (
        "orders where order_status not in ('created', 'approved', 'invoiced', 'processing',"
        " 'shipped', 'delivered', 'canceled', 'unavailable')"
    ),
    "promises before the purchase": (
        "orders where order_estimated_delivery_date::timestamp"
        " <= order_purchase_timestamp::timestamp"
    ),
    "promises not at midnight": "orders where order_estimated_delivery_date not like '% 00:00:00'",
    "reviews asked not at midnight": "reviews where review_creation_date not like '% 00:00:00'",
    "answers before the question": (
        "reviews where review_answer_timestamp::timestamp < review_creation_date::timestamp"
    ),
    "reviews before the purchase": (
        "reviews join orders using (order_id)"
        " where review_answer_timestamp::timestamp < order_purchase_timestamp::timestamp"
    ),
    "gaps in item numbers": (
        "(select order_id from order_items group by 1"
        " having max(order_item_id::int) <> count(*) or count(distinct order_item_id) <> count(*))"
    ),
    "gaps in payment numbers": (
        "(select order_id from payments group by 1 having max(payment_sequential::int) <> count(*)"
        " or count(distinct payment_sequential) <> count(*))"
    ),
    "people of several places": (
        "(select customer_unique_id from customers group by 1"
        " having count(distinct customer_zip_code_prefix) > 1)"
    ),
}

NONE_WITHOUT_DIRT = {
    "orders without items": "orders anti join order_items using (order_id)",
    "orders without payments": "orders anti join payments using (order_id)",
    "orders of several reviews": "(select order_id from reviews group by 1 having count(*) > 1)",
    "review ids of several rows": "(select review_id from reviews group by 1 having count(*) > 1)",
    "products without a category": "products where product_category_name is null",
    "products without a size": "products where product_weight_g is null",
    "categories without a translation": (
        "products anti join category_translation using (product_category_name)"
    ),
    "copies of geolocation rows": ("(select * from geolocation group by all having count(*) > 1)"),
    "points outside Brazil": (
        "geolocation where geolocation_lat::double not between -33.8 and 5.3"
        " or geolocation_lng::double not between -74 and -34.7"
    ),
    "customers' zips without geolocation": (
        "customers where customer_zip_code_prefix not in"
        " (select geolocation_zip_code_prefix from geolocation)"
    ),
    "oddly spelt cities": (
        "(select geolocation_city as city from geolocation union all select seller_city"
        " from sellers) where not regexp_full_match(city, '[a-z'' -]+')"
    ),
    "messages with odd characters": (
        "reviews where regexp_matches(review_comment_message, '[\",\\r\\n]')"
    ),
    "payments that miss the items' total": (
        "(select order_id, sum(payment_value::decimal(12, 2)) as paid from payments group by 1)"
        " join (select order_id, sum(price::decimal(12, 2) + freight_value::decimal(12, 2)) as due"
        " from order_items group by 1) using (order_id) where paid <> due"
    ),
    "payments of nothing": "payments where payment_value::decimal(12, 2) <= 0",
    "payments of no installments": "payments where payment_installments::int < 1",
    "payments of no type": (
        "payments where payment_type not in ('credit_card', 'boleto', 'voucher', 'debit_card')"
    ),
    "approvals before the purchase": (
        "orders where order_approved_at::timestamp < order_purchase_timestamp::timestamp"
    ),
    "carriers before the approval": (
        "orders where order_delivered_carrier_date::timestamp <= order_approved_at::timestamp"
    ),
    "deliveries before the carrier": (
        "orders where order_delivered_customer_date::timestamp"
        " <= order_delivered_carrier_date::timestamp"
    ),
    "carriers without an approval": (
        "orders where order_delivered_carrier_date is not null and order_approved_at is null"
    ),
    "delivered orders without all moments": (
        "orders where order_status = 'delivered' and (order_approved_at is null"
        " or order_delivered_carrier_date is null or order_delivered_customer_date is null)"
    ),
    "undelivered orders with a delivery": (
        "orders where order_status <> 'delivered' and order_delivered_customer_date is not null"
    ),
    "shipped orders without a carrier": (
        "orders where order_status = 'shipped' and order_delivered_carrier_date is null"
    ),
    "unshipped orders with a carrier": (
        "orders where order_status in ('created', 'approved', 'invoiced', 'processing',"
        " 'unavailable') and order_delivered_carrier_date is not null"
    ),
    "created orders with an approval": (
        "orders where order_status = 'created' and order_approved_at is not null"
    ),
    "approved orders without an approval": (
        "orders where order_status in ('approved', 'invoiced', 'processing', 'unavailable')"
        " and order_approved_at is null"
    ),
    "shipping limits before the purchase": (
        "order_items join orders using (order_id)"
        " where shipping_limit_date::timestamp <= order_purchase_timestamp::timestamp"
    ),
}


def check_invariants(
    connection: duckdb.DuckDBPyConnection, chosen: GeneratorSettings
) -> dict[str, int]:
    """Return the queries of the lists above that found rows, and how many."""
    queries = dict(ALWAYS_NONE)
    if not chosen.dirt:
        queries |= NONE_WITHOUT_DIRT
    for dataset in CATALOG:
        if dataset.key:
            columns = ", ".join(dataset.key)
            queries[f"doubled keys of {dataset.name}"] = (
                f"(select {columns} from {dataset.name} group by all having count(*) > 1)"
            )
    queries["purchases outside the dates"] = (
        "orders where order_purchase_timestamp::date"
        f" not between '{chosen.start}' and '{chosen.end}'"
    )
    counts = {
        name: number(connection, f"select count(*) from {query}") for name, query in queries.items()
    }
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("dirt", [True, False])
def test_invariants_hold_at_size(
    dirt: bool,
    dirty: duckdb.DuckDBPyConnection,
    clean: duckdb.DuckDBPyConnection,
) -> None:
    connection = dirty if dirt else clean
    orders = number(connection, "select count(*) from orders")
    chosen = GeneratorSettings(orders=orders, dirt=dirt)
    assert orders == number(connection, "select count(*) from customers") == 25_000
    assert check_invariants(connection, chosen) == {}


_DAYS = st.dates(date(1995, 1, 1), date(2040, 1, 1))


@st.composite
def small_settings(draw: st.DrawFn) -> GeneratorSettings:
    start = draw(_DAYS)
    return GeneratorSettings(
        seed=draw(st.integers(0, 2**63)),
        orders=draw(st.integers(1, 300)),
        start=start,
        end=start + timedelta(days=draw(st.integers(1, 2_000))),
        dirt=draw(st.booleans()),
    )


@given(chosen=small_settings())
@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_invariants_hold_for_any_small_data_set(chosen: GeneratorSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = generate_dataset(chosen, Path(folder))
        connection = connect(Path(folder))
        assert check_invariants(connection, chosen) == {}
        for dataset in CATALOG:
            count = number(connection, f"select count(*) from {dataset.name}")
            assert count == rows[dataset.name], dataset.name
        assert rows["orders"] == rows["customers"] == chosen.orders
        assert rows["sellers"] <= rows["products"] <= chosen.orders
