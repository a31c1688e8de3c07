"""The real sample, from files to marts: known figures to the cent, however files arrive."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from olist_workspace import Workspace
from warehouse_contents import Contents, differences, warehouse_contents

pytestmark = pytest.mark.slow


def contents(workspace: Workspace) -> Contents:
    return warehouse_contents(workspace, load_columns=False)


@pytest.fixture(scope="module")
def backfill(copy_of_sample: Callable[[str], Workspace]) -> Workspace:
    return copy_of_sample("backfill")


def test_the_known_figures_of_the_sample(backfill: Workspace) -> None:
    assert backfill.rows(
        "select count(*), count(distinct customer_unique_id) from int_orders where is_valid"
    ) == [(3960, 3958)]
    for period_type in ("day", "week", "month"):
        ((orders, new_customers, gmv, freight, on_time_rate),) = backfill.rows(
            "select sum(orders), sum(new_customers), sum(gmv), sum(freight_revenue), "
            "sum(on_time_orders) / sum(delivered_orders) from mart_executive_kpis "
            f"where period_type = '{period_type}'"
        )
        assert (orders, new_customers) == (3960, 3958)
        assert (gmv, freight) == (Decimal("547666.75"), Decimal("89408.23"))
        assert on_time_rate == pytest.approx(0.9284248332478194, abs=1e-15)
    assert backfill.rows("select sum(gmv) from int_sales_analysis") == [(Decimal("547666.75"),)]


def test_one_month_in_every_figure(backfill: Workspace) -> None:
    """November 2017 against hand-written SQL on raw that shares nothing with the models."""
    (kpis,) = backfill.rows(
        "select orders_placed, orders, customers, gmv, aov, canceled_orders, states_served, "
        "avg_review_score from mart_executive_kpis "
        "where period_type = 'month' and period_start = '2017-11-01'"
    )
    (expected,) = backfill.rows(
        """
        with o as (
            select *, order_status not in ('canceled', 'unavailable') as valid
            from raw.orders where order_purchase_timestamp[:7] = '2017-11'
        ),
        i as (select order_id, sum(price::decimal(18, 2)) as gmv from raw.order_items group by 1),
        r as (
            select order_id, arg_max(
                review_score::int, (review_creation_date, review_answer_timestamp, review_id)
            ) as score
            from raw.reviews group by 1
        )
        select
            count(*),
            count(*) filter (valid),
            count(distinct customer_unique_id) filter (valid),
            sum(gmv) filter (valid),
            sum(gmv) filter (valid) / count(gmv) filter (valid),
            count(*) filter (order_status = 'canceled'),
            count(distinct customer_state) filter (valid),
            avg(score) filter (valid)
        from o
        join raw.customers using (customer_id)
        left join i using (order_id)
        left join r using (order_id)
        """
    )
    assert kpis[:4] == expected[:4]
    assert kpis[5:7] == expected[5:7]
    assert kpis[4] == pytest.approx(float(str(expected[4])), abs=1e-9)
    assert kpis[7] == pytest.approx(expected[7], abs=1e-12)


def test_the_last_month_is_incomplete_and_grows_nothing(backfill: Workspace) -> None:
    assert backfill.rows(
        "select is_complete, gmv_growth, as_of_date::varchar from mart_executive_kpis "
        "where period_type = 'month' and period_start = '2018-08-01'"
    ) == [(False, None, "2018-08-29")]
    # No order was sampled in November and December 2016: January 2017 follows no present month.
    assert backfill.rows(
        "select gmv_growth from mart_executive_kpis "
        "where period_type = 'month' and period_start = '2017-01-01'"
    ) == [(None,)]


def test_running_twice_changes_nothing(backfill: Workspace, olist_sample: Path) -> None:
    before = contents(backfill)
    backfill.olist("land", olist_sample, "--allow-missing")
    backfill.olist("load")
    backfill.olist("dbt", "--", "run", "--quiet")
    assert differences(contents(backfill), before) == {}


def test_as_of_date_cuts_and_includes_its_own_day(backfill: Workspace) -> None:
    with backfill.restored():
        backfill.olist(
            "dbt", "--", "run", "--quiet", "--select", "int_orders+", "--vars",
            "{as_of_date: '2018-02-28'}",
        )  # fmt: skip
        ((latest, gmv),) = backfill.rows(
            "select max(period_start)::varchar, sum(gmv) from mart_executive_kpis "
            "where period_type = 'day'"
        )
        assert latest == "2018-02-28"
        assert (gmv,) == backfill.rows(
            "select sum(price::decimal(18, 2)) from raw.order_items "
            "join raw.orders using (order_id) where order_purchase_timestamp < '2018-03-01' "
            "and order_status not in ('canceled', 'unavailable')"
        )[0]
        assert backfill.rows(
            "select is_complete from mart_executive_kpis "
            "where period_type = 'month' and period_start = '2018-02-01'"
        ) == [(True,)]


def test_an_as_of_date_that_is_no_date_is_refused(backfill: Workspace) -> None:
    printed = backfill.olist(
        "dbt", "--", "compile", "--select", "int_orders", "--vars", "{as_of_date: yesterday}",
        expect=None,
    )  # fmt: skip
    assert "var as_of_date must be YYYY-MM-DD, not 'yesterday'" in printed


def test_the_daily_replay_ends_in_the_backfills_marts(
    backfill: Workspace, make_workspace: Callable[[str], Workspace], olist_sample: Path
) -> None:
    """In two incremental halves: versions, late reviews and new orders meet built models."""
    replay = make_workspace("replay")
    for until in ("2018-02-15", None):
        window = ["--until", until] if until else []
        replay.olist("land", olist_sample, "--allow-missing", "--daily", *window)
        replay.olist("load")
        replay.olist(
            "dbt", "--", "build", "--quiet", "--exclude-resource-type", "test", "unit_test"
        )
    assert differences(contents(replay), contents(backfill)) == {}
    ((versions, orders),) = replay.rows("select count(*), count(distinct order_id) from raw.orders")
    assert versions > 3 * orders
