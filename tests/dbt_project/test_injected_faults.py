"""Faults in raw end in quarantine with their reason; faults in models turn tests red."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

ORDERS = 600


@pytest.fixture(scope="module")
def built(make_workspace: Callable[[str], Workspace]) -> Workspace:
    """A clean generated data set, loaded and built."""
    workspace = make_workspace("faults")
    workspace.olist("generate", workspace.home / "files", "--orders", str(ORDERS), "--no-dirt")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet")
    return workspace


def failed_nodes(workspace: Workspace) -> set[str]:
    path = workspace.home / "data" / "local" / "dbt" / "run_results.json"
    results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert results
    red = [result["unique_id"] for result in results if result["status"] in ("fail", "error")]
    return {unique_id.split(".")[2] for unique_id in red}


RAW_FAULTS = {
    "orders": [
        (
            "order_purchase_timestamp = '2018-13-45 10:00:00'",
            "order_purchase_timestamp is not a",
        ),
        ("order_purchase_timestamp = null", "order_purchase_timestamp is missing"),
        ("order_status = 'teleported'", "order_status is none of created, approved"),
        (
            "order_delivered_customer_date = 'soon'",
            "order_delivered_customer_date is not a",
        ),
        ("order_id = null", "order_id is missing"),
    ],
    "order_items": [
        ("price = '12,50'", "price is not an amount of whole cents, zero or more"),
        ("price = '12.505'", "price is not an amount of whole cents, zero or more"),
        ("price = '-1.00'", "price is not an amount of whole cents, zero or more"),
        ("freight_value = 'NaN'", "freight_value is not an amount of whole cents, zero or more"),
        ("order_item_id = '1.5'", "order_item_id is not a whole number from 1"),
    ],
    "payments": [
        ("payment_value = 'inf'", "payment_value is not an amount of whole cents, zero or more"),
        ("payment_installments = 'two'", "payment_installments is not a whole number from 0"),
    ],
    "reviews": [
        ("review_score = '6'", "review_score is not a whole number from 1 to 5"),
        ("review_answer_timestamp = '2018-02-30 00:00:00'", "review_answer_timestamp is not a"),
    ],
    "products": [("product_weight_g = 'heavy'", "product_weight_g is not a whole number from 0")],
}


def new_version(dataset: str, condition: str, assignment: str) -> list[str]:
    """Statements that add a later version of some records, as a bad nightly extract would."""
    later = "_source_file = replace(_source_file, 'dt=20', 'dt=21')"
    return [
        f"create temp table broken as select * from raw.{dataset} where {condition}",
        f"update broken set {assignment}, {later}, _loaded_at = _loaded_at + interval 1 hour",
        f"insert into raw.{dataset} select * from broken",
        "drop table broken",
    ]


def test_a_raw_fault_is_quarantined_with_its_reason(built: Workspace) -> None:
    before = built.warehouse.read_bytes()
    expected: set[tuple[str, int, str]] = set()
    statements = []
    for dataset, faults in RAW_FAULTS.items():
        for position, (assignment, reason) in enumerate(faults, start=1):
            row = 10 + position
            statements += new_version(dataset, f"_source_row = {row}", assignment)
            expected.add((dataset, row, reason))
    try:
        built.change(*statements)
        # Under the share that the environment allows the build is green: children of a quarantined
        # record are no broken relationships, one bad row must not stop the warehouse.
        built.olist("dbt", "--", "build", "--quiet")
        found = built.rows("select dataset, _source_row, reason from stg_quarantine")
        assert len(found) == len(expected)
        for dataset, row, reason in expected:
            (actual,) = [text for name, number, text in found if (name, number) == (dataset, row)]
            assert actual.startswith(reason), actual
        # A record whose newest version is broken is missing, not shown in an older version. The one
        # that lost its key cannot be told to be a version of anything: its older version stands.
        assert built.rows("select count(*) from stg_orders") == [(ORDERS - 4,)]
    finally:
        built.warehouse.write_bytes(before)


def test_too_large_a_quarantined_share_stops_what_is_downstream(built: Workspace) -> None:
    before = built.warehouse.read_bytes()
    kpis = built.rows("from mart_executive_kpis order by all")
    try:
        built.change(
            *new_version("orders", "_source_row <= 20", "order_purchase_timestamp = 'garbled'")
        )
        built.olist("dbt", "--", "build", "--quiet", expect=1)
        assert failed_nodes(built) == {"quarantined_share_is_bounded_base_orders_"}
        assert built.rows("from mart_executive_kpis order by all") == kpis
    finally:
        built.warehouse.write_bytes(before)


MODEL_FAULTS = {
    "unique": "insert into base_orders select * from base_orders limit 1",
    "not_null": "update base_customers set customer_unique_id = null where record_key = "
    "(select min(record_key) from base_customers)",
    "accepted_values_stg_orders": "update base_orders set order_status = 'teleported' "
    "where record_key = (select min(record_key) from base_orders)",
    "accepted_range": "update base_order_items set price = -1 where record_key = "
    "(select min(record_key) from base_order_items)",
    "relationships_or_quarantined_stg_order_items": "update base_order_items set product_id = 'x' "
    "where record_key = (select max(record_key) from base_order_items)",
    "text_length": "update base_sellers set seller_zip_code_prefix = '123456' where record_key = "
    "(select min(record_key) from base_sellers)",
    "unique_combination_mart_executive_kpis": "insert into mart_executive_kpis "
    "select * from mart_executive_kpis where period_type = 'week' limit 1",
    "not_empty_int_sales_analysis": "delete from int_sales_analysis",
    "assert_kpi_gmv_equals_staging": "update mart_executive_kpis set gmv = gmv + 0.01 "
    "where period_type = 'day' and period_start = (select max(period_start) "
    "from mart_executive_kpis where period_type = 'day' and gmv > 0)",
    "assert_sales_analysis_gmv_equals_kpis": "update mart_executive_kpis set gmv = gmv - 0.01 "
    "where period_type = 'month'",
    "assert_orders_do_not_fan_out": "update int_order_facts set payment_value = payment_value * 2",
    "assert_growth_needs_two_complete_periods": "update mart_executive_kpis set gmv_growth = 0.1 "
    "where not is_complete",
    "assert_customers_are_people": "update mart_executive_kpis set new_customers = customers + 1",
    "holds_every_raw_record_base_payments": "delete from base_payments where record_key = "
    "(select min(record_key) from base_payments)",
}


def test_every_family_of_tests_goes_red(built: Workspace) -> None:
    before = built.warehouse.read_bytes()
    try:
        built.olist("dbt", "--", "test", "--quiet")
        assert failed_nodes(built) == set()
        built.change(*MODEL_FAULTS.values())
        built.olist("dbt", "--", "test", "--quiet", expect=1)
        failed = failed_nodes(built)
        for family in MODEL_FAULTS:
            assert any(node.startswith(family) for node in failed), (family, failed)
    finally:
        built.warehouse.write_bytes(before)
