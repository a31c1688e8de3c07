"""Faults in raw end in quarantine with their reason; faults in models turn tests red."""

from collections.abc import Callable

import pytest

from olist_workspace import Workspace
from prepared_workspaces import GENERATED_ORDERS

pytestmark = pytest.mark.slow

# Unit tests say nothing of the rows.
BUILD = ("dbt", "--", "build", "--quiet", "--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    return copy_of_generated("faults")


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
    expected: set[tuple[str, int, str]] = set()
    statements = []
    for dataset, faults in RAW_FAULTS.items():
        for position, (assignment, reason) in enumerate(faults, start=1):
            row = 10 + position
            statements += new_version(dataset, f"_source_row = {row}", assignment)
            expected.add((dataset, row, reason))
    with built.restored():
        built.change(*statements)
        # Under the share that the environment allows the build is green: children of a quarantined
        # record are no broken relationships, one bad row must not stop the warehouse.
        built.olist(*BUILD)
        found = built.rows("select dataset, _source_row, reason from stg_quarantine")
        assert len(found) == len(expected)
        for dataset, row, reason in expected:
            (actual,) = [text for name, number, text in found if (name, number) == (dataset, row)]
            assert actual.startswith(reason), actual
        # A record whose newest version is broken is missing, not shown in an older version. The one
        # that lost its key cannot be told to be a version of anything: its older version stands.
        assert built.rows("select count(*) from stg_orders") == [(GENERATED_ORDERS - 4,)]


def test_too_large_a_quarantined_share_stops_what_is_downstream(built: Workspace) -> None:
    kpis = built.rows("from mart_executive_kpis order by all")
    with built.restored():
        built.change(
            *new_version("orders", "_source_row <= 160", "order_purchase_timestamp = 'garbled'")
        )
        built.olist(*BUILD, expect=1)
        assert built.red_nodes() == {"quarantined_share_is_bounded_base_orders_"}
        assert built.rows("from mart_executive_kpis order by all") == kpis


MODEL_FAULTS = {
    "unique_base_orders_record_key": "insert into base_orders select * from base_orders limit 1",
    "not_null_columns_stg_customers": "update base_customers "
    "set customer_unique_id = null where record_key = (select min(record_key) from base_customers)",
    "accepted_value_sets_stg_orders": "update base_orders set order_status = 'teleported' "
    "where record_key = (select min(record_key) from base_orders)",
    "accepted_ranges_stg_order_items": "update base_order_items set price = -1 "
    "where record_key = (select min(record_key) from base_order_items)",
    "relationships_or_quarantined_stg_order_items": "update base_order_items set product_id = 'x' "
    "where record_key = (select max(record_key) from base_order_items)",
    "text_length_stg_sellers_zip_code_prefix": "update base_sellers "
    "set seller_zip_code_prefix = '123456' where record_key = "
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
    # Before, all were green: the build that made the workspace ran them.
    tests = [f"{family}*" for family in MODEL_FAULTS]
    with built.restored():
        built.change(*MODEL_FAULTS.values())
        built.olist("dbt", "--", "test", "--quiet", "--select", *tests, expect=1)
        failed = built.red_nodes()
        for family in MODEL_FAULTS:
            assert any(node.startswith(family) for node in failed), (family, failed)
