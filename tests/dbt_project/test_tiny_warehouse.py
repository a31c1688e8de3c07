"""Six orders written by hand, each of a kind that averages hide: every mart, figure by figure.

No review and no place was ever landed; a month has no order at all, another none that anybody has
paid; two people are equal; a first order was canceled; an order and a payment have no item.
"""

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from olist_platform.source_catalog import CATALOG
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

SP = ("01310", "sao paulo", "SP")
PROMISED = "2018-01-20 00:00:00"
FILES: dict[str, list[tuple[str, ...]]] = {
    "customers": [
        ("c1", "ana", *SP), ("c2", "ana", *SP), ("c3", "bia", *SP), ("c4", "cai", *SP),
        ("c5", "dia", *SP), ("c6", "eva", *SP),
    ],
    "orders": [
        ("canceled", "c1", "canceled", "2018-01-03 10:00:00", "", "", "", PROMISED),
        # Delivered in the last minute of the promised day, and in the first one after it.
        ("punctual", "c2", "delivered", "2018-01-10 10:00:00", "2018-01-10 11:00:00",
         "2018-01-11 10:00:00", "2018-01-20 23:59:59", PROMISED),
        ("late", "c3", "delivered", "2018-01-10 10:00:00", "2018-01-10 11:00:00",
         "2018-01-11 10:00:00", "2018-01-21 00:00:00", PROMISED),
        # February in UTC, January in Sao Paulo.
        ("no_item", "c4", "shipped", "2018-01-31 23:30:00", "2018-01-31 23:40:00",
         "2018-02-02 10:00:00", "", "2018-03-20 00:00:00"),
        ("unavailable", "c6", "unavailable", "2018-01-31 10:00:00", "", "", "", PROMISED),
        ("unpaid", "c5", "created", "2018-03-01 09:00:00", "", "", "", "2018-03-20 00:00:00"),
    ],
    "order_items": [
        ("punctual", "1", "scent", "shop", "2018-01-15 10:00:00", "100.00", "10.00"),
        ("late", "1", "scent", "shop", "2018-01-15 10:00:00", "100.00", "10.00"),
    ],
    "payments": [
        ("punctual", "1", "credit_card", "2", "110.00"),
        ("late", "1", "credit_card", "1", "110.00"),
        ("no_item", "1", "voucher", "1", "5500.00"),
    ],
    "products": [("scent", "perfumaria", "40", "287", "1", "225", "16", "10", "14")],
    "sellers": [("shop", *SP), ("idle", "20010", "rio de janeiro", "RJ")],
    "category_translation": [("perfumaria", "perfumery")],
}  # fmt: skip
JANUARY, FEBRUARY, MARCH = (date(2018, month, 1) for month in (1, 2, 3))


@pytest.fixture(scope="module")
def built(make_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = make_workspace("tiny")
    files = workspace.home / "files"
    files.mkdir()
    for dataset in CATALOG:
        if dataset.name in FILES:
            with (files / dataset.file_name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([column.name for column in dataset.columns])
                writer.writerows(FILES[dataset.name])
    workspace.olist("land", files, "--allow-missing")
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet", "--exclude-resource-type", "unit_test")
    return workspace


def test_kpis(built: Workspace) -> None:
    assert built.rows(
        "select period_start, orders_placed, orders, canceled_orders, cancellation_rate, customers,"
        " new_customers, gmv, freight_revenue, aov, on_time_rate, avg_review_score, gmv_growth,"
        " is_complete from mart_executive_kpis where period_type = 'month' order by period_start"
    ) == [
        (JANUARY, 5, 3, 1, 0.2, 3, 3, Decimal(200), Decimal(20), 100, 0.5, None, None, True),
        (MARCH, 1, 1, 0, 0, 1, 1, Decimal(0), Decimal(0), None, None, None, None, False),
    ]


def test_money(built: Workspace) -> None:
    assert built.rows(
        "select month, gmv, payment_value, gmv_mom_growth, is_complete"
        " from mart_financial_performance where not is_forecast order by month"
    ) == [
        (JANUARY, Decimal(200), Decimal(5720), None, True),
        # It is known that nothing was sold.
        (FEBRUARY, Decimal(0), Decimal(0), -1, True),
        (MARCH, Decimal(0), Decimal(0), None, False),
    ]
    assert built.rows(
        "select month from mart_financial_performance where is_forecast order by month"
    ) == [(date(2018, month, 1),) for month in (3, 4, 5)]
    assert built.rows(
        "select month, payment_type, orders, payment_value, avg_installments, approval_rate"
        " from mart_payment_method_performance order by payment_type"
    ) == [
        (JANUARY, "credit_card", 2, Decimal(220), 1.5, 1),
        (JANUARY, "voucher", 1, Decimal(5500), 1, 1),
    ]
    assert built.rows(
        "select cohort_month, months_since_first, cohort_size, active_customers, orders, gmv"
        " from mart_unit_economics order by 1, 2"
    ) == [
        (JANUARY, 0, 3, 3, 3, Decimal(200)),
        (JANUARY, 1, 3, 0, 0, Decimal(0)),
        (JANUARY, 2, 3, 0, 0, Decimal(0)),
        (MARCH, 0, 1, 1, 1, Decimal(0)),
    ]


def test_people(built: Workspace) -> None:
    assert built.rows(
        "select customer_unique_id, orders_placed, orders, first_order_date, recency_days, r_score,"
        " f_score, m_score, segment from int_customer_360 order by customer_unique_id"
    ) == [
        # A canceled order is nobody's first; equal people have equal scores.
        ("ana", 2, 1, date(2018, 1, 10), 50, 1, 1, 4, "At-Risk"),
        ("bia", 1, 1, date(2018, 1, 10), 50, 1, 1, 4, "At-Risk"),
        ("cai", 1, 1, date(2018, 1, 31), 29, 4, 1, 1, "New Customers"),
        ("dia", 1, 1, date(2018, 3, 1), 0, 5, 1, 1, "New Customers"),
        ("eva", 1, 0, None, None, None, None, None, None),
    ]
    assert built.rows(
        "select customer_unique_id, segment is null, churn_probability is null, clv_365d is null,"
        " campaign is null from mart_customer_strategy order by customer_unique_id"
    ) == [
        *((person, False, False, False, False) for person in ("ana", "bia", "cai", "dia")),
        ("eva", True, True, True, False),
    ]


def test_operations(built: Workspace) -> None:
    assert built.rows(
        "select month, category, customer_state, seller_state, orders, gmv from int_sales_analysis"
    ) == [(JANUARY, "perfumery", "SP", "SP", 2, Decimal(200))]
    assert built.rows(
        "select month, delivered_orders, on_time_rate, late_orders, avg_freight, distance_km"
        " from mart_logistics_performance"
    ) == [(JANUARY, 2, 0.5, 1, 10, None)]
    assert built.rows(
        "select seller_id, health_tier, health_score, satisfaction_score, orders, gmv,"
        " on_time_rate, intervention from mart_seller_management order by seller_id"
    ) == [
        ("idle", "No Sales", None, None, 0, Decimal(0), None, "Activate"),
        # By hand: (0.35 x 71.63 + 0.20 x 24.08 + 0.20 x 57.37) / 0.75. Satisfaction is unknown.
        ("shop", "Fair", 55.15, None, 2, Decimal(200), 0.5, "Guide Newcomer"),
    ]
    # Nothing is compared with an order that has no item or no payment; neither is left out.
    assert built.rows(
        "select order_id, z_value is null, z_installments is null from int_order_anomalies"
        " order by order_id"
    ) == [
        ("canceled", True, True),
        ("late", False, False),
        ("no_item", True, False),
        ("punctual", False, False),
        ("unavailable", True, True),
        ("unpaid", True, True),
    ]
    assert built.rows("select order_id, value_at_risk from mart_fraud_monitoring") == [
        ("no_item", Decimal(5500))
    ]
