"""Faults turn the tests of recency, ranges and category groups red, or make them warn."""

from collections.abc import Callable

import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

# Statements on built tables, and the tests that must then say so.
FAULTS = {
    "update base_reviews set created_local_at = created_local_at - interval 90 day": {
        "is_recent_stg_reviews_created_date",
    },
    "update int_order_facts set items = 0 where purchase_date > "
    "(select max(purchase_date) - 61 from int_order_facts)": {"orders_with_items_are_recent"},
    "update int_order_facts set payments = 0 where purchase_date > "
    "(select max(purchase_date) - 61 from int_order_facts)": {"orders_with_payments_are_recent"},
    "update int_order_facts set delivered_date = delivered_date - 120": {
        "is_recent_int_orders_delivered_date",
    },
    "delete from mart_executive_kpis where period_type = 'day' and period_start > "
    "(select max(period_start) - 61 from mart_executive_kpis)": {
        "is_recent_mart_executive_kpis_period_start",
    },
    # One prefix too far: Rio de Janeiro's first is then Sao Paulo's too.
    "update zip_code_ranges set last_prefix = '20000' where state = 'SP'": {
        "ranges_do_not_overlap_zip_code_ranges",
    },
    "update base_products set product_category_name = 'teletransporte' where record_key = "
    "(select min(record_key) from base_products)": {"relationships_stg_products_category"},
    "update base_payments set payment_type = 'pix' where record_key = "
    "(select min(record_key) from base_payments)": {"accepted_values_stg_payments_payment_type"},
}


def test_each_family_goes_red(copy_of_generated: Callable[[str], Workspace]) -> None:
    # As it was built, with `--warn-error`, all of these were green.
    built = copy_of_generated("staging_faults")
    tests = [f"{test}*" for tests in FAULTS.values() for test in tests]
    built.change(*FAULTS)
    built.olist("dbt", "--", "test", "--quiet", "--select", *tests, expect=1)
    not_passed = {
        name: status
        for name, status in built.dbt_statuses().items()
        if status not in ("pass", "success")
    }
    for tests_of_fault in FAULTS.values():
        for test in tests_of_fault:
            assert any(name.startswith(test) for name in not_passed), (test, not_passed)
    statuses = {
        name: status
        for name, status in not_passed.items()
        if name.startswith(("relationships_stg_p", "accepted_values_stg_p"))
    }
    assert len(statuses) == 2
    # A new category or means of payment warns: it reads Unknown or Other, and no figure changes.
    assert set(statuses.values()) == {"warn"}
    assert built.rows(
        "select category_group from stg_products where category = 'teletransporte'"
    ) == [("Unknown",)]


def test_what_never_came_is_not_recent(copy_of_generated: Callable[[str], Workspace]) -> None:
    built = copy_of_generated("never_came")
    tests = ("is_recent_stg_reviews*", "is_recent_int_orders_delivered_date*")
    built.change("delete from base_reviews", "update int_order_facts set delivered_date = null")
    built.olist("dbt", "--", "test", "--quiet", "--select", *tests, expect=1)
    assert set(built.dbt_statuses().values()) == {"fail"}
    # An order of yesterday has no review yet, and no delivery.
    newest = "(select max(purchased_local_at) from base_orders)"
    built.change(f"update base_orders set purchased_local_at = {newest}")
    built.olist("dbt", "--", "test", "--quiet", "--select", *tests)


def test_a_table_without_a_column_of_its_contract_is_made_anew(
    copy_of_generated: Callable[[str], Workspace],
) -> None:
    everything = "select * from base_orders order by record_key"
    run = ("dbt", "--", "run", "--quiet", "--select", "base_orders")
    built = copy_of_generated("older_project")
    before = built.rows(everything)
    built.change("alter table base_orders drop column purchased_at")
    built.olist(*run)
    # Not only in what is new: there is nothing new.
    assert built.rows(everything) == before
    # What has all columns is an increment again, which does not touch what it has.
    built.change("update base_orders set purchased_at = null")
    built.olist(*run)
    assert built.rows("select count(purchased_at) from base_orders") == [(0,)]
