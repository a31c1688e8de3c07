"""Faults put into operations, finance and executive models turn the tests that guard them red."""

import json
from collections.abc import Callable

import duckdb
import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    """Built, with every test green, so that the SQL of each lies compiled."""
    return copy_of_generated("operations_faults")


# A test by the start of its name, and a fault that it alone has to find.
FAULTS = {
    "assert_financial_actuals_equal_kpis": (
        "update mart_financial_performance set gmv = gmv + 0.01 "
        "where month = '2018-03-01' and not is_forecast"
    ),
    "assert_financial_payments_equal_orders": (
        "update mart_financial_performance set payment_value = payment_value + 0.01 "
        "where month = '2018-03-01' and not is_forecast"
    ),
    "assert_months_have_no_gap": (
        "delete from mart_financial_performance where month = '2018-03-01'"
    ),
    "assert_forecast_follows_the_last_complete_month": (
        "update mart_financial_performance set forecast_upper_80 = forecast_upper_95 + 0.01 "
        "where is_forecast"
    ),
    "assert_forecasts_know_complete_months_only": (
        "update int_monthly_revenue set is_complete = false where month = '2018-03-01'"
    ),
    "assert_forecast_parts_add_up": (
        "update int_gmv_forecasts set forecast_gmv = forecast_gmv + 0.01 "
        "where is_latest_origin and horizon = 1 and series = 'North'"
    ),
    "columns_in_order_mart_sales_forecast": (
        "update mart_sales_forecast set forecast_lower_80 = forecast_lower_95 - 0.01 "
        "where series_level = 'region'"
    ),
    "assert_lanes_equal_orders": (
        "update mart_logistics_performance set freight_revenue = freight_revenue + 0.01 "
        "where month = '2018-03-01' and seller_state = 'SP' and customer_state = 'SP'"
    ),
    "assert_sellers_share_all_gmv": (
        "update mart_seller_management set gmv = gmv - 0.01 where priority_rank = 1"
    ),
    "assert_health_score_lies_among_its_components": (
        "update int_seller_health_score set health_score = 100 "
        "where seller_id = (select min(seller_id) from int_seller_health_score where orders > 0)"
    ),
    "assert_sales_shares_add_up": (
        "update int_sales_analysis set gmv_share_of_month = 0.5 where month = '2018-03-01'"
    ),
    "assert_repeat_and_new_customers_are_among_customers": (
        "update mart_executive_kpis set repeat_customers = customers + 1 "
        "where period_type = 'month' and period_start = '2018-03-01'"
    ),
    "not_empty_mart_logistics_performance": "delete from mart_logistics_performance",
    "unique_mart_seller_management_priority_rank": (
        "update mart_seller_management set priority_rank = 1"
    ),
    "relationships_mart_seller_management_intervention": (
        "update mart_seller_management set intervention = 'Pray' where priority_rank = 1"
    ),
    "accepted_value_sets_int_seller_health_score": (
        "update int_seller_health_score set health_tier = 'Splendid' where orders = 1"
    ),
    "accepted_ranges_mart_logistics_performance": (
        "update mart_logistics_performance set on_time_rate = 1.5 where on_time_rate = 1"
    ),
    "unique_combination_mart_financial_performance": (
        "insert into mart_financial_performance select * from mart_financial_performance limit 1"
    ),
    "not_null_columns_mart_executive_kpis": (
        "update mart_executive_kpis set platform_revenue = null where period_type = 'month'"
    ),
}


def compiled_test(workspace: Workspace, name: str) -> str:
    """The SQL of the dbt test whose name starts so; its file's name is a shortened one."""
    target = workspace.home / "data" / "local" / "dbt"
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    tests = sorted(
        (node["name"], node["alias"])
        for node in nodes
        if node["resource_type"] == "test" and node["name"].startswith(name)
    )
    assert tests, f"no test of that name: {name}"
    (path,) = (target / "compiled").rglob(f"{tests[0][1]}.sql")
    return path.read_text(encoding="utf-8")


# The column whose break each of these has to name, among all that it tests.
NAMED_COLUMNS = {
    "accepted_value_sets_int_seller_health_score": "health_tier",
    "accepted_ranges_mart_logistics_performance": "on_time_rate",
    "not_null_columns_mart_executive_kpis": "platform_revenue",
}


@pytest.mark.parametrize("test", FAULTS)
def test_a_fault_turns_its_test_red(built: Workspace, test: str) -> None:
    sql = compiled_test(built, test)
    with duckdb.connect(str(built.warehouse)) as connection:
        connection.execute("set search_path = 'marts,intermediate,staging,raw'")
        assert connection.execute(sql).fetchall() == []
        connection.begin()
        try:
            connection.execute(FAULTS[test])
            failing_rows = connection.execute(sql).fetchall()
            assert failing_rows != []
            if test in NAMED_COLUMNS:
                assert {row[0] for row in failing_rows} == {NAMED_COLUMNS[test]}
        finally:
            connection.rollback()
