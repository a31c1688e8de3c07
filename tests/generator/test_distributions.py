"""Generated distributions against the real sample and the published totals, tolerances stated."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import correlation

import duckdb
import pytest
from rich.console import Console
from rich.table import Table

from olist_platform.repository import repository_root
from olist_platform.source_catalog import CATALOG

_SQL = """
create or replace temp view o as
select
    order_id, customer_id, order_status,
    order_purchase_timestamp::timestamp as purchased,
    order_approved_at::timestamp as approved,
    order_delivered_carrier_date::timestamp as shipped,
    order_delivered_customer_date::timestamp as delivered,
    order_estimated_delivery_date::timestamp as estimated,
    delivered::date > estimated::date as is_late
from orders;
create or replace temp view i as
select order_items.*, price::double as p, freight_value::double as f,
    seller_state = customer_state as same_state, product_weight_g::double as weight
from order_items join o using (order_id) join customers using (customer_id)
join sellers using (seller_id) join products using (product_id);
create or replace temp view per_order as
select order_id, count(*) as items, count(distinct seller_id) as sellers,
    sum(price::decimal(12, 2) + freight_value::decimal(12, 2)) as total
from order_items group by 1;
create or replace temp view paid as
select order_id, sum(payment_value::decimal(12, 2)) as total, count(*) as payments,
    count(*) filter (payment_type = 'voucher') as vouchers
from payments group by 1;
create or replace temp view r as
select *, review_score::int as score from reviews join o using (order_id);
create or replace temp view per_seller as
select seller_id, count(*) as items from order_items group by 1;
create or replace temp view per_product as
select product_id, count(*) as items from order_items group by 1;
"""


@dataclass(frozen=True)
class Measure:
    """One number of a data set.

    Attributes:
        query: SQL of the number.
        tolerance: Largest difference that passes: absolute, or relative where `relative`.
        relative: Whether the tolerance is a share of the real number.
        published: The number in the full published data, where known.
    """

    query: str
    tolerance: float
    relative: bool = False
    published: float | None = None


def _share(view: str, condition: str, tolerance: float, published: float | None = None) -> Measure:
    query = f"select avg(coalesce({condition}, false)::int) from {view}"
    return Measure(query, tolerance, published=published)


def _number(query: str, tolerance: float, published: float | None = None) -> Measure:
    return Measure(query, tolerance, relative=True, published=published)


def _quantile(view: str, column: str, at: float, tolerance: float) -> Measure:
    return _number(f"select quantile_cont({column}, {at}) from {view}", tolerance)


MEASURES: dict[str, Measure] = {
    "share of orders in 2017": _share("o", "year(purchased) = 2017", 0.02, 45_101 / 99_441),
    "share of orders in 2018": _share("o", "year(purchased) = 2018", 0.02, 54_011 / 99_441),
    "share of orders in 2017-11": _share(
        "o", "strftime(purchased, '%Y-%m') = '2017-11'", 0.01, 7_544 / 99_441
    ),
    "share of orders on Black Friday": _share(
        "o", "purchased::date = '2017-11-24'", 0.003, 1_176 / 99_441
    ),
    "share of orders on Monday": _share("o", "isodow(purchased) = 1", 0.015, 16_196 / 99_441),
    "share of orders on Saturday": _share("o", "isodow(purchased) = 6", 0.015, 10_887 / 99_441),
    "share of orders from 0 to 6": _share("o", "hour(purchased) < 7", 0.01, 5_242 / 99_441),
    "share of orders from 10 to 17": _share(
        "o", "hour(purchased) between 10 and 17", 0.02, 51_116 / 99_441
    ),
    "share of orders from 20 to 22": _share(
        "o", "hour(purchased) between 20 and 22", 0.02, 18_226 / 99_441
    ),
    "share of customers in SP": _share("customers", "customer_state = 'SP'", 0.02, 0.4198),
    "share of customers in RJ": _share("customers", "customer_state = 'RJ'", 0.015, 0.1292),
    "share of customers in BA": _share("customers", "customer_state = 'BA'", 0.01, 0.0340),
    "share of customers in city of sao paulo": _share(
        "customers", "customer_city = 'sao paulo'", 0.02, 15_540 / 99_441
    ),
    "share of sellers in SP": _share("sellers", "seller_state = 'SP'", 0.04, 1_849 / 3_095),
    "share of sellers in PR": _share("sellers", "seller_state = 'PR'", 0.03, 349 / 3_095),
    "share delivered": _share("o", "order_status = 'delivered'", 0.01, 96_478 / 99_441),
    "share shipped": _share("o", "order_status = 'shipped'", 0.004, 1_107 / 99_441),
    "share canceled": _share("o", "order_status = 'canceled'", 0.003, 625 / 99_441),
    "share unavailable": _share("o", "order_status = 'unavailable'", 0.003, 609 / 99_441),
    "items per order with items": _number("select avg(items) from per_order", 0.03, 1.1417),
    "share of one-item orders": _share("per_order", "items = 1", 0.015, 88_863 / 98_666),
    "share of orders of several sellers": _share("per_order", "sellers > 1", 0.005, 0.01295),
    "mean price": _number("select avg(p) from i", 0.10, 120.65),
    "price, 5 %": _quantile("i", "p", 0.05, 0.15),
    "price, 25 %": _quantile("i", "p", 0.25, 0.12),
    "price, median": _number("select median(p) from i", 0.10, 74.99),
    "price, 75 %": _quantile("i", "p", 0.75, 0.12),
    "price, 95 %": _quantile("i", "p", 0.95, 0.20),
    "price, 99 %": _quantile("i", "p", 0.99, 0.25),
    "share of prices ending in 90": _share("i", "price like '%.9' or price like '%.90'", 0.06),
    "mean freight": _number("select avg(f) from i", 0.08, 19.99),
    "freight, 5 %": _quantile("i", "f", 0.05, 0.15),
    "freight, median": _number("select median(f) from i", 0.08, 16.26),
    "freight, 95 %": _quantile("i", "f", 0.95, 0.20),
    "freight within / across states": _number(
        "select median(f) filter (same_state) / median(f) filter (not same_state) from i", 0.15
    ),
    "freight over 3 kg / under 600 g": _number(
        "select median(f) filter (weight > 3000) / median(f) filter (weight < 600) from i", 0.15
    ),
    "payments per order": _number("select avg(payments) from paid", 0.02, 103_886 / 99_440),
    "share paid by credit card": _share(
        "payments", "payment_type = 'credit_card'", 0.015, 76_795 / 103_886
    ),
    "share paid by boleto": _share("payments", "payment_type = 'boleto'", 0.01, 19_784 / 103_886),
    "share paid by voucher": _share("payments", "payment_type = 'voucher'", 0.01, 5_775 / 103_886),
    "share paid by debit card": _share(
        "payments", "payment_type = 'debit_card'", 0.005, 1_529 / 103_886
    ),
    "share of payments in one installment": _share(
        "payments", "payment_installments::int = 1", 0.03, 52_546 / 103_886
    ),
    "share of payments in ten": _share(
        "payments", "payment_installments::int = 10", 0.01, 5_328 / 103_886
    ),
    "orders of several vouchers": _share("paid", "vouchers > 1", 0.005),
    "payment, median": _number("select median(payment_value::double) from payments", 0.08, 100.0),
    "share of orders with a payment gap": _share(
        "(select paid.total <> per_order.total as gap from paid join per_order using (order_id))",
        "gap",
        0.003,
    ),
    "hours to approval, median": _number(
        "select median(epoch(approved - purchased) / 3600) from o", 0.15
    ),
    "hours to approval of boletos, median": _number(
        "select median(epoch(approved - purchased) / 3600) from o"
        " join payments using (order_id) where payment_type = 'boleto'",
        0.15,
    ),
    "days from approval to carrier, median": _number(
        "select median(epoch(shipped - approved) / 86400) from o", 0.20
    ),
    "days to delivery, mean": _number(
        "select avg(epoch(delivered - purchased) / 86400) from o", 0.10, 12.56
    ),
    "days to delivery, median": _number(
        "select median(epoch(delivered - purchased) / 86400) from o", 0.10, 10.2
    ),
    "days to delivery, 95 %": _number(
        "select quantile_cont(epoch(delivered - purchased) / 86400, 0.95) from o", 0.12
    ),
    "days to delivery in SP, median": _number(
        "select median(epoch(delivered - purchased) / 86400) from o"
        " join customers using (customer_id) where customer_state = 'SP'",
        0.15,
    ),
    "days to delivery in BA, median": _number(
        "select median(epoch(delivered - purchased) / 86400) from o"
        " join customers using (customer_id) where customer_state = 'BA'",
        0.20,
    ),
    "days promised, mean": _number(
        "select avg(epoch(estimated - purchased) / 86400) from o", 0.06, 24.4
    ),
    "share of deliveries late": _share(
        "(from o where delivered is not null)", "is_late", 0.015, 6_535 / 96_476
    ),
    "share late, ordered in March 2018": _share(
        "(from o where delivered is not null and strftime(purchased, '%Y-%m') = '2018-03')",
        "is_late",
        0.06,
    ),
    "carrier before approval": _share("o", "shipped < approved", 0.005, 1_359 / 99_441),
    "mean score": _number("select avg(score) from r", 0.02, 4.0864),
    "share of score 1": _share("r", "score = 1", 0.012, 11_424 / 99_224),
    "share of score 2": _share("r", "score = 2", 0.01, 3_151 / 99_224),
    "share of score 3": _share("r", "score = 3", 0.01, 8_179 / 99_224),
    "share of score 4": _share("r", "score = 4", 0.015, 19_142 / 99_224),
    "share of score 5": _share("r", "score = 5", 0.02, 57_328 / 99_224),
    "mean score, delivered on time": _number("select avg(score) from r where not is_late", 0.02),
    "mean score, delivered late": _number("select avg(score) from r where is_late", 0.12),
    "mean score, several sellers": _number(
        "select avg(score) from r join per_order using (order_id) where sellers > 1", 0.15
    ),
    "reviews per order": _number(
        "select (select count(*) from reviews) / (select count(*) from orders)", 0.01, 0.99782
    ),
    "share with a message": _share("r", "review_comment_message is not null", 0.02, 0.413),
    "share with a title": _share("r", "review_comment_title is not null", 0.015, 0.117),
    "score 1 with a message": _share(
        "(from r where score = 1)", "review_comment_message is not null", 0.05
    ),
    "days to answer, median": _number(
        "select median(epoch(review_answer_timestamp::timestamp"
        " - review_creation_date::timestamp) / 86400) from r",
        0.15,
    ),
    "messages with line breaks": _share(
        "(from r where review_comment_message is not null)",
        "contains(review_comment_message, chr(10))",
        0.03,
    ),
    "messages with commas": _share(
        "(from r where review_comment_message is not null)",
        "contains(review_comment_message, ',')",
        0.06,
    ),
    "product weight, median": _number(
        "select median(product_weight_g::double) from products", 0.10, 700
    ),
    "product weight, 95 %": _number(
        "select quantile_cont(product_weight_g::double, 0.95) from products", 0.20, 10_850
    ),
    "product length, median": _number(
        "select median(product_length_cm::double) from products", 0.12, 25
    ),
    "product height, median": _number(
        "select median(product_height_cm::double) from products", 0.12, 13
    ),
    "product width, median": _number(
        "select median(product_width_cm::double) from products", 0.12, 20
    ),
    "product name, median length": _number(
        "select median(product_name_lenght::double) from products", 0.06, 51
    ),
    "product photos, mean": _number(
        "select avg(product_photos_qty::double) from products", 0.05, 2.189
    ),
    "products without a category": _share(
        "products", "product_category_name is null", 0.002, 610 / 32_951
    ),
}

_LARGEST_CATEGORIES = (
    "cama_mesa_banho",
    "beleza_saude",
    "esporte_lazer",
    "moveis_decoracao",
    "informatica_acessorios",
    "utilidades_domesticas",
    "relogios_presentes",
    "telefonia",
)
for _category in _LARGEST_CATEGORIES:
    MEASURES[f"items of {_category}"] = Measure(
        "select avg(coalesce(product_category_name = "
        f"'{_category}', false)::int) from order_items join products using (product_id)",
        0.02,
    )
    MEASURES[f"products of {_category}"] = Measure(
        f"select avg((product_category_name = '{_category}')::int) from products", 0.01
    )
    MEASURES[f"median price of {_category}"] = Measure(
        "select median(p) from i join products using (product_id)"
        f" where product_category_name = '{_category}'",
        0.25,
        relative=True,
    )


def measured(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    connection.execute(_SQL)
    numbers = {}
    for name, measure in MEASURES.items():
        row = connection.execute(measure.query).fetchone()
        assert row is not None, name
        numbers[name] = float(row[0])
    return numbers


def compare(title: str, real: dict[str, float], generated: dict[str, float]) -> list[str]:
    """Print real and generated numbers and return what is out of tolerance."""
    table = Table("measure", "real", "generated", "difference", "tolerance", title=title)
    outside = []
    for name, expected in real.items():
        measure = MEASURES[name]
        difference = generated[name] - expected
        if measure.relative:
            difference /= expected
        sign = "%" if measure.relative else ""
        fits = abs(difference) <= measure.tolerance
        table.add_row(
            name,
            f"{expected:.4g}",
            f"{generated[name]:.4g}",
            f"{difference:+.1%}" if sign else f"{difference:+.4f}",
            f"{measure.tolerance:.0%}" if sign else f"{measure.tolerance:g}",
            style="" if fits else "bold red",
        )
        if not fits:
            outside.append(f"{name}: real {expected:.4g}, generated {generated[name]:.4g}")
    Console(width=110).print(table)
    return outside


def test_sellers_differ_by_their_true_quality(
    dirty: duckdb.DuckDBPyConnection, dirty_folder: Path
) -> None:
    parameters = json.loads((dirty_folder / "true_parameters.json").read_text())
    quality: dict[str, float] = parameters["seller_quality"]
    scores = dirty.execute(
        "select seller_id, avg(review_score::int), count(*) from reviews"
        " join (select distinct order_id, seller_id from order_items) using (order_id)"
        " group by 1 having count(*) >= 60"
    ).fetchall()
    assert len(scores) > 50
    true = [quality[seller] for seller, _, _ in scores]
    assert correlation(true, [score for _, score, _ in scores]) > 0.6
    means = sorted(score for _, score, _ in scores)
    assert means[len(means) * 9 // 10] - means[len(means) // 10] > 0.4


@pytest.fixture(scope="module")
def generated(dirty: duckdb.DuckDBPyConnection) -> dict[str, float]:
    return measured(dirty)


def sample_folder() -> Path:
    told = os.environ.get("OLIST_SAMPLE")
    return Path(told) if told else repository_root().parent / "shared" / "olist-sample"


def test_distributions_match_the_real_sample(generated: dict[str, float]) -> None:
    folder = sample_folder()
    missing = [
        dataset.file_name
        for dataset in CATALOG
        if dataset.name != "geolocation" and not (folder / dataset.file_name).exists()
    ]
    if missing:
        pytest.skip(f"no real sample in {folder}; name its folder in OLIST_SAMPLE")
    connection = duckdb.connect(config={"threads": 2})
    for dataset in CATALOG:
        if dataset.name != "geolocation":
            connection.execute(
                f"create table {dataset.name} as select * from"
                f" read_csv('{folder / dataset.file_name}', header = true, all_varchar = true)"
            )
    outside = compare("generated and the real sample", measured(connection), generated)
    assert outside == []


def test_distributions_match_the_published_totals(generated: dict[str, float]) -> None:
    published = {
        name: measure.published
        for name, measure in MEASURES.items()
        if measure.published is not None
    }
    assert len(published) > 40
    assert compare("generated and the published totals", published, generated) == []
