"""Costs by whatever one pays for, the month's forecast, and a recommendation that fits."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitored_place import BUILT_AT, MORNING, MonitoredPlace, node_run
from olist_platform.cost.budget import (
    CREDITS,
    NOTIONAL,
    MonthCost,
    environment_budget,
    month_cost,
    warehouse_budgets,
)
from olist_platform.cost.recommendations import dear_nodes
from olist_platform.cost.run_costs import by_dag_run, by_day, by_node, by_warehouse, daily_costs
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.preflight import check_budget

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
CREDIT_RUN: dict[str, Any] = {
    "cost_basis": "estimate",
    "credits_estimated": 2.0,
    "notional_cost": None,
    "warehouse": "OLIST_DEV_TRANSFORM_WH",
}


def month(daily: dict[date, float], now: datetime = NOW) -> MonthCost:
    return month_cost(daily, now, subject="month", unit=CREDITS, budget=100)


def test_the_forecast_is_spent_and_the_rate_of_two_weeks() -> None:
    # One credit on each of the last 14 days, 30 on the first of the month, last month's left out.
    daily = {date(2026, 9, day): 1.0 for day in range(7, 21)} | {
        date(2026, 9, 1): 30.0,
        date(2026, 8, 31): 500.0,
    }
    found = month(daily)
    assert found.spent == 44
    # Today costs one as well, and so do the nine days from the 22nd on.
    assert found.forecast == pytest.approx(44 + 1 + 9)
    assert (found.left, found.spent_share) == (56, 0.44)


def test_today_counts_once() -> None:
    daily = {date(2026, 9, day): 1.0 for day in range(7, 21)}
    assert month(daily | {date(2026, 9, 21): 0.25}).forecast == pytest.approx(14 + 1 + 9)
    assert month(daily | {date(2026, 9, 21): 5.0}).forecast == pytest.approx(14 + 5 + 9)


def test_days_without_cost_count_in_the_rate() -> None:
    assert month({date(2026, 9, 14): 7.0}).forecast == pytest.approx(7 + 1 + 9 * 1)


def test_a_first_day_stands_for_all_that_come() -> None:
    assert month({date(2026, 9, 21): 2.0}).forecast == pytest.approx(2 + 9 * 2)
    assert month({date(2026, 9, 20): 3.0}).forecast == pytest.approx(3 + 3 + 9 * 3)
    assert month({}).forecast == 0


def test_on_the_last_day_nothing_is_to_come() -> None:
    last = datetime(2026, 9, 30, 23, tzinfo=UTC)
    daily = {date(2026, 9, day): 1.0 for day in range(1, 31)}
    assert month(daily, last).forecast == month(daily, last).spent == 30


@given(
    st.dictionaries(
        st.integers(0, 60).map(lambda days: date(2026, 7, 24) + timedelta(days=days)),
        st.floats(0, 1000),
    )
)
def test_a_forecast_is_never_less_than_what_is_spent(daily: dict[date, float]) -> None:
    found = month(daily)
    assert 0 <= found.spent <= found.forecast


def test_each_environment_has_one_budget() -> None:
    local, prod = (load_environment(name) for name in (EnvironmentName.LOCAL, EnvironmentName.PROD))
    assert environment_budget(local) == (50, NOTIONAL)
    assert prod.cloud is not None
    assert environment_budget(prod) == (prod.cloud.snowflake.account_monthly_credits, CREDITS)
    assert warehouse_budgets(local) == {}
    assert set(warehouse_budgets(prod)) == {
        "OLIST_PROD_LOAD_WH",
        "OLIST_PROD_TRANSFORM_WH",
        "OLIST_PROD_REPORT_WH",
    }


def test_costs_are_grouped_and_never_cross_their_unit() -> None:
    runs = [
        node_run("model.olist.a", seconds=100),
        node_run("model.olist.a", seconds=300, started_at=MORNING, full_refresh=True),
        node_run("model.olist.b", seconds=40, status="error"),
        node_run("model.olist.b", **CREDIT_RUN),
        node_run("model.olist.b", **CREDIT_RUN | {"credits_attributed": 0.5}),
        node_run("model.olist.c", dag_id=None, dag_run_id=None, seconds=2),
    ]
    nodes = [(each.name, each.unit, round(each.cost, 4)) for each in by_node(runs)]
    assert nodes == [
        ("model.olist.b", CREDITS, 2.5),
        ("model.olist.a", NOTIONAL, 0.2),
        ("model.olist.b", NOTIONAL, 0.02),
        ("model.olist.c", NOTIONAL, 0.001),
    ]
    a = by_node(runs)[1]
    assert (a.runs, a.seconds) == (2, 400)
    assert a.full_refresh_cost == pytest.approx(0.15)
    assert by_node(runs)[2].failed_cost == pytest.approx(0.02)
    assert [each.name for each in by_dag_run(runs)] == [
        "olist_production scheduled__2026-09-14",
        "olist_production scheduled__2026-09-14",
        "by hand 2026-09-14",
    ]
    assert {(each.name, each.unit, round(each.cost, 3)) for each in by_day(runs)} == {
        ("2026-09-14", NOTIONAL, 0.221),
        ("2026-09-14", CREDITS, 2.5),
    }
    assert {(each.name, round(each.cost, 3)) for each in by_warehouse(runs)} == {
        ("embedded", 0.221),
        ("OLIST_DEV_TRANSFORM_WH", 2.5),
    }
    for unit, total in ((NOTIONAL, 0.221), (CREDITS, 2.5)):
        assert sum(daily_costs(runs, unit).values()) == pytest.approx(total)


@pytest.mark.parametrize(
    ("changes", "recommendation"),
    [
        ({"status": "error"}, "100% of it went into failed runs"),
        ({"materialized": "incremental", "full_refresh": True}, "ask for --full-refresh only when"),
        ({"relation_rows": 1_600_000}, "It writes 1,600,000 rows anew in each of 1 runs"),
        ({"materialized": "view"}, "A view that takes time"),
        ({"relation_rows": 10}, "10.0 s a run, 1 runs: read its plan"),
    ],
)
def test_a_recommendation_fits_the_model(changes: dict[str, Any], recommendation: str) -> None:
    [item] = dear_nodes(by_node([node_run(**changes)]))
    assert recommendation in item.recommendation


def test_a_test_that_costs_more_than_its_model_is_told_so() -> None:
    runs = [
        node_run("test.olist.t.1", seconds=30),
        node_run("unit_test.olist.m.u", seconds=20),
        node_run(seconds=10, started_at=BUILT_AT),
    ]
    test, unit, _ = dear_nodes(by_node(runs))
    assert "The test costs more than what it tests" in test.recommendation
    assert "--exclude-resource-type unit_test" in unit.recommendation
    assert test.share == pytest.approx(0.5)
    assert unit.share == pytest.approx(1 / 3)


def test_a_preflight_asks_the_months_runs_for_the_budget(place: MonitoredPlace) -> None:
    runs = [
        node_run(started_at=BUILT_AT - timedelta(days=30), notional_cost=40.0),
        node_run(notional_cost=49.0),
    ]
    place.tables["dbt_run_costs"] = runs
    place.leave()
    check_budget(place.environment, MORNING)
    place.tables["dbt_run_costs"] = [*runs, node_run("model.olist.int_orders", notional_cost=1.0)]
    place.leave()
    with pytest.raises(OlistError, match=r"used up: 50.00 of 50.00 BRL notional"):
        check_budget(place.environment, MORNING)
