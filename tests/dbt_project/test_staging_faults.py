"""Faults turn the tests of recency, ranges and category groups red, or make them warn."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

SELECTED = ["--select", "+path:models/staging", "+mart_executive_kpis"]
# Of the tests with several parents, those whose parents are all selected.
INDIRECT = ["--indirect-selection", "cautious"]

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
}


@pytest.fixture(scope="module")
def built(make_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = make_workspace("staging_faults")
    workspace.olist("generate", workspace.home / "files", "--orders", "600", "--no-dirt")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist(
        "dbt", "--", "build", "--quiet", *SELECTED, "--exclude-resource-type", "test", "unit_test"
    )
    return workspace


def not_passed(workspace: Workspace) -> dict[str, str]:
    """Status by name of every test that did not pass."""
    path = workspace.home / "data" / "local" / "dbt" / "run_results.json"
    results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert results
    return {
        result["unique_id"].split(".")[2]: result["status"]
        for result in results
        if result["status"] not in ("pass", "success")
    }


def test_each_family_goes_red(built: Workspace) -> None:
    before = built.warehouse.read_bytes()
    try:
        built.olist("dbt", "--", "test", "--quiet", *SELECTED, *INDIRECT)
        assert not_passed(built) == {}
        built.change(*FAULTS)
        built.olist("dbt", "--", "test", "--quiet", *SELECTED, *INDIRECT, expect=1)
        found = not_passed(built)
        for tests in FAULTS.values():
            for test in tests:
                assert any(name.startswith(test) for name in found), (test, found)
        statuses = {
            name: status for name, status in found.items() if name.startswith("relationships_stg_p")
        }
        # A new category warns: it reads Unknown, and no figure changes.
        assert set(statuses.values()) == {"warn"}
        assert built.rows(
            "select category_group from stg_products where category = 'teletransporte'"
        ) == [("Unknown",)]
    finally:
        built.warehouse.write_bytes(before)
