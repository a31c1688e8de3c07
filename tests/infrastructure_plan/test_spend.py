"""The ceiling of a month's spend, recomputed by hand."""

from collections.abc import Mapping
from typing import Any

from olist_platform.infrastructure_plan.spend import MonitorCeiling, spend_ceiling

PRICE = 4.5


def monitor(name: str, quota: float, **more: Any) -> tuple[str, Mapping[str, Any]]:
    return (
        "snowflake:index/resourceMonitor:ResourceMonitor",
        {"name": name, "creditQuota": quota, "suspendImmediateTrigger": 110.0, **more},
    )


def warehouse(name: str, monitor_name: str | None) -> tuple[str, Mapping[str, Any]]:
    return (
        "snowflake:index/warehouse:Warehouse",
        {"name": name, "resourceMonitor": monitor_name},
    )


ACCOUNT = (
    "snowflake:index/execute:Execute",
    {"execute": 'ALTER ACCOUNT SET RESOURCE_MONITOR = "ACCOUNT"'},
)
AWS = ("aws:budgets/budget:Budget", {"timeUnit": "MONTHLY", "limitAmount": "100"})


def test_quotas_count_up_to_the_hard_stop() -> None:
    spend = spend_ceiling([warehouse("W", "M"), monitor("M", 20.0), AWS], PRICE)
    assert spend.monitors == (MonitorCeiling("M", ("W",), False, 20.0, 22.0),)
    assert (spend.snowflake_usd, spend.aws_budget_usd) == (22 * 4.5, 100)
    assert spend.total_usd == 199.0


def test_a_quota_without_a_hard_stop_counts_up_to_its_suspension() -> None:
    found = monitor("M", 20.0, suspendImmediateTrigger=None, suspendTrigger=90.0)
    assert spend_ceiling([warehouse("W", "M"), found], PRICE).snowflake_usd == 18 * 4.5


def test_a_daily_quota_is_filled_again_every_day() -> None:
    spend = spend_ceiling([warehouse("W", "M"), monitor("M", 1.0, frequency="DAILY")], PRICE)
    assert spend.monitors[0].monthly_credits == 31
    assert spend.snowflake_usd == round(31 * 1.1 * 4.5, 2)


def test_warehouses_that_share_a_monitor_share_its_quota() -> None:
    spend = spend_ceiling([warehouse("A", "M"), warehouse("B", '"M"'), monitor("M", 10.0)], PRICE)
    assert spend.monitors[0].warehouses == ("A", "B")
    assert spend.snowflake_usd == 11 * 4.5


def test_the_accounts_monitor_caps_the_others_and_the_unmonitored() -> None:
    both = [warehouse("A", "M"), monitor("M", 100.0), monitor("ACCOUNT", 40.0), ACCOUNT]
    assert spend_ceiling(both, PRICE).snowflake_usd == 44 * 4.5
    without = [warehouse("A", None), monitor("ACCOUNT", 40.0), ACCOUNT]
    spend = spend_ceiling(without, PRICE)
    assert (spend.snowflake_usd, spend.unlimited) == (44 * 4.5, ())


def test_a_warehouse_that_nothing_stops_has_no_ceiling() -> None:
    spend = spend_ceiling([warehouse("A", None), warehouse("B", "M"), monitor("M", 1.0)], PRICE)
    assert spend.unlimited == ("A",)
    assert spend.total_usd is None
