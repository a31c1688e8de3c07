"""Monitoring models say what is so, and the tests of volume and distribution go red on a fault."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from olist_platform.project_vars import project_vars
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

TRAINING_WEEKS, MINIMUM_WEEKS, SENSITIVITY, MINIMUM_CHANGE = 14, 7, 3, 0.5
MINIMUM_ROWS = 3
# A day has a handful of orders at this size; the tests that judge days have to be told. With
# equal variables dbt does not parse again, so others are told too.
SMALL = f"{{volume_minimum_rows: {MINIMUM_ROWS}, category_mix_minimum_rows: 30}}"


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    workspace = copy_of_generated("monitoring")
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "monitoring", "--vars", SMALL)
    return workspace


@pytest.fixture
def restored(built: Workspace) -> Iterator[Workspace]:
    """The built workspace, whose warehouse is put back after the test."""
    with built.restored():
        yield built


def red_nodes(workspace: Workspace, *statuses: str) -> set[str]:
    return {name for name, status in workspace.dbt_statuses().items() if status in statuses}


def expected_volumes(counts: Counter[date], last: date) -> list[tuple[Any, ...]]:
    """The algorithm once more, day by day, without SQL."""
    first = min(counts)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found: list[tuple[Any, ...]] = []
    for day in days:
        before = [day - timedelta(days=7 * week) for week in range(TRAINING_WEEKS, 0, -1)]
        history = [counts[earlier] for earlier in before if earlier >= first]
        mean = deviation = low = high = None
        judged = anomaly = False
        if len(history) >= MINIMUM_WEEKS:
            mean, deviation = statistics.mean(history), statistics.stdev(history)
            tolerance = max(SENSITIVITY * deviation, MINIMUM_CHANGE * mean)
            judged = mean >= MINIMUM_ROWS
            fewest = 1.0 if judged and min(history) >= MINIMUM_ROWS else 0.0
            low, high = max(fewest, mean - tolerance), mean + tolerance
            anomaly = judged and not low <= counts[day] <= high
        found.append((day, counts[day], len(history), mean, deviation, low, high, judged, anomaly))
    return found


def test_volume_is_what_the_algorithm_says(built: Workspace) -> None:
    rows = built.rows(
        "select dataset, business_date, row_count, training_weeks, expected_rows, stddev_rows, "
        "expected_low, expected_high, is_judged, is_anomaly from monitoring.monitoring_volume "
        "order by dataset, business_date"
    )
    by_dataset: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for dataset, *values in rows:
        by_dataset[dataset].append(tuple(values))
    ((last,),) = built.rows("select max(order_purchase_timestamp)::date from raw.orders")
    queries = {
        "orders": "select order_purchase_timestamp::date, count(*) from raw.orders group by 1",
        "order_items": "select order_purchase_timestamp::date, count(*) from raw.order_items "
        "join raw.orders using (order_id) group by 1",
        "payments": "select order_purchase_timestamp::date, count(*) from raw.payments "
        "join raw.orders using (order_id) group by 1",
        "deliveries": "select order_delivered_customer_date::date, count(*) from raw.orders "
        "where order_status = 'delivered' and order_delivered_customer_date is not null group by 1",
        # A review comes to be known by its answer.
        "reviews": "select coalesce(try_cast(review_answer_timestamp as timestamp), "
        "review_creation_date::timestamp)::date, count(*) from raw.reviews group by 1",
    }
    assert by_dataset.keys() == queries.keys()
    for dataset, query in queries.items():
        expected = expected_volumes(Counter(dict(built.rows(query))), last)
        actual = by_dataset[dataset]
        assert [row[:3] for row in actual] == [row[:3] for row in expected]
        for one, other in zip(actual, expected, strict=True):
            assert one[3:] == pytest.approx(other[3:], abs=1e-4), (dataset, one, other)
    assert built.rows(
        "select count(*) from monitoring.monitoring_volume "
        "where (anomaly_score is null) <> (coalesce(stddev_rows, 0) = 0) "
        "or abs(anomaly_score - (row_count - expected_rows) / stddev_rows) > 0.01"
    ) == [(0,)]
    judged = [row for row in rows if row[8]]
    assert len(judged) > 500
    assert 0 < sum(row[9] for row in judged) < len(judged) * 0.1


def test_data_quality_against_raw(built: Workspace) -> None:
    rows = built.rows(
        "select dataset, raw_rows, records, repeated_rows, staged_rows, quarantined_records, "
        "low_quality_rows, imperfect_rows, quality_tier from monitoring.monitoring_data_quality"
    )
    assert len(rows) == 9
    threshold = project_vars()["data_quality_threshold"]
    for dataset, raw_rows, records, repeated, staged, quarantined, low, imperfect, tier in rows:
        assert built.rows(f"select count(*) from raw.{dataset}") == [(raw_rows,)]
        assert raw_rows == records + repeated
        if dataset not in ("geolocation", "category_translation"):
            assert staged == records - quarantined
        if dataset != "category_translation":
            assert built.rows(
                f"select count(*) filter (data_quality_score < {threshold}), "
                f"count(*) filter (data_quality_score < 1) from stg_{dataset}"
            ) == [(low, imperfect)]
        assert tier in ("Excellent", "Good", "Fair"), dataset
    assert built.rows(
        "select completeness from monitoring.monitoring_data_quality where dataset = 'products'"
    )[0][0] == pytest.approx(
        built.rows(
            "select (count(product_category_name) + count(product_weight_g) + "
            "count(product_length_cm) + count(product_height_cm) + count(product_width_cm)) "
            "/ count(*) / 5 from raw.products"
        )[0][0],
        abs=1e-6,
    )


def test_duration_is_judged_by_its_own_history(restored: Workspace) -> None:
    seconds = [10, 30, 10, 11, 9, 16, 27]
    statuses = ["success", "error", *["success"] * 5]
    values = ", ".join(
        f"('run{n}', 'model.olist.m', 'local', false, 'build', 'model', 'marts', "
        f"timestamp '2026-01-01 07:00:00' + interval {n} day, '{status}', "
        f"{second}, {second} * 0.0005, 'notional')"
        for n, (second, status) in enumerate(zip(seconds, statuses, strict=True), start=1)
    )
    restored.change(
        "delete from monitoring.dbt_run_costs",
        "insert into monitoring.dbt_run_costs (invocation_id, node_id, target, full_refresh, "
        "command, resource_type, layer, run_started_at, status, execution_time_s, notional_cost, "
        f"cost_basis) values {values}",
    )
    assert restored.rows(
        "select invocation_id, previous_runs, typical_time_s::double, is_failed, is_slow "
        "from monitoring.monitoring_run_history order by 1"
    ) == [
        ("run1", 0, None, False, False),
        ("run2", 0, None, True, False),
        ("run3", 1, 10.0, False, False),
        ("run4", 2, 10.0, False, False),
        ("run5", 3, 10.0, False, False),
        ("run6", 4, 10.0, False, False),
        # 27 s is more than twice the median of 10, 10, 11, 9 and 16, and five seconds above it.
        ("run7", 5, 10.0, False, True),
    ]
    assert restored.rows(
        "select count(*), sum(failed_runs), sum(execution_time_s)::double, "
        "sum(notional_cost)::double, count(credits) from monitoring.monitoring_run_costs"
    ) == [(7, 1, float(sum(seconds)), sum(seconds) * 0.0005, 0)]


LAST_DAY = "(select max(purchased_local_at)::date from base_orders)"
# The same weekday, a week before and a week after, is busy: the day between becomes a hole.
LOST_FILE = f"""
create temp table busy as
    select purchased_local_at::date as day from base_orders
    where purchased_local_at::date < {LAST_DAY} - 20
    group by 1 having count(*) >= {MINIMUM_ROWS} order by 1 desc limit 1;
insert into base_orders
    select base_orders.* replace (
        record_key || n as record_key,
        order_id || n as order_id,
        purchased_local_at + to_days(14) as purchased_local_at,
        purchased_at + to_days(14) as purchased_at
    )
    from base_orders, range({MINIMUM_ROWS}) copies(n)
    where purchased_local_at::date = (select day from busy);
delete from base_orders where purchased_local_at::date = (select day + 7 from busy)
"""
# A fault for each family, by the test that must go red.
FAULTS = {
    "mean_within_bounds_stg_order_items_item_price_mean_bounds__price": (
        "update base_order_items set price = price * 100"
    ),
    "null_share_is_bounded_stg_orders_approved_at__max_missing_approval_share": (
        "update base_orders set approved_at = null where hash(order_id) % 5 = 0"
    ),
    "credit_card_share_stg_payments": (
        "update base_payments set payment_type = 'boleto' where payment_type = 'credit_card'"
    ),
    "has_no_missing_day_stg_orders_purchase_date": LOST_FILE,
}


def test_faults_of_distribution_and_volume_turn_their_tests_red(restored: Workspace) -> None:
    """All at once: each is in columns or rows that the tests of the others do not look at."""
    restored.change(*FAULTS.values())
    restored.olist("dbt", "--", "test", "--quiet", "--select", *FAULTS, "--vars", SMALL, expect=1)
    assert restored.dbt_statuses() == dict.fromkeys(FAULTS, "fail")


def test_news_of_the_last_days_warns(restored: Workspace) -> None:
    """A day of ten times the orders, all paid alike, from one state."""
    selected = ["--select", "int_orders", "monitoring_volume", "monitoring_segment_volume"]
    restored.change(
        "insert into int_order_facts select * replace (order_id || ' copy' as order_id, "
        "'RR' as customer_state, 'debit_card' as main_payment_type, "
        f"{LAST_DAY} as purchase_date) from int_order_facts "
        "where is_in_staging order by order_id limit 300"
    )
    # That the copies are in no payment and no staging model is another test's to say.
    selected += ["--exclude", "test_type:singular"]
    restored.olist("dbt", "--", "build", "--quiet", *selected, "--vars", SMALL)
    assert red_nodes(restored, "warn") >= {
        "volume_is_expected_int_orders_purchase_date",
        "category_mix_is_stable_int_orders_customer_state__purchase_date",
        "category_mix_is_stable_int_orders_main_payment_type__purchase_date",
        "no_row_matches_monitoring_volume_is_anomaly_and_is_in_detection_window",
    }


def test_findings_of_monitoring_go_red(restored: Workspace) -> None:
    restored.change(
        "update monitoring.monitoring_column_profile set out_of_bounds = 'mean' "
        "where column_name = 'gmv'",
        "update monitoring.monitoring_column_profile set max_null_share = null "
        "where column_name = 'price'",
        "update monitoring.monitoring_data_quality set quality_tier = 'Poor' "
        "where dataset = 'orders'",
    )
    restored.olist(
        "dbt", "--", "test", "--quiet", "--select", "monitoring", "--exclude-resource-type",
        "unit_test", "--vars", SMALL, expect=1,
    )  # fmt: skip
    assert red_nodes(restored, "fail") == {
        "no_row_matches_monitoring_column_profile_out_of_bounds_is_not_null",
        "every_profiled_column_has_bounds",
        "no_row_matches_monitoring_data_quality_quality_tier_Poor_",
    }


def test_a_profile_out_of_bounds_says_where(restored: Workspace) -> None:
    restored.change("update base_order_items set price = price * 100")
    restored.olist(
        "dbt", "--", "run", "--quiet", "--select", "monitoring_column_profile", "--vars", SMALL
    )
    assert restored.rows(
        "select column_name, out_of_bounds from monitoring.monitoring_column_profile "
        "where out_of_bounds is not null"
    ) == [("price", "mean")]


# The next two follow each other: with equal variables dbt does not parse again.
LATER = ("--vars", "{as_of_date: '2018-12-24'}")


def test_a_stopped_feed_is_stale(restored: Workspace) -> None:
    restored.olist("dbt", "--", "run", "--quiet", "--select", "monitoring_freshness", *LATER)
    stale = dict(
        restored.rows(
            "select relation, business_lag_days from monitoring.monitoring_freshness "
            "where freshness_status = 'stale'"
        )
    )
    ((last,),) = restored.rows("select max(order_purchase_timestamp)::date from raw.orders")
    assert stale["stg_orders"] == (date(2018, 12, 24) - last).days
    assert {"stg_reviews", "mart_executive_kpis", "mart_financial_performance"} <= stale.keys()


def test_data_older_than_the_as_of_date_stop_the_build(built: Workspace) -> None:
    too_old = {
        "is_recent_stg_orders_purchase_date__purchase_recency_days",
        "is_recent_stg_reviews_created_date__review_recency_days",
    }
    built.olist("dbt", "--", "test", "--quiet", "--select", *too_old, *LATER, expect=1)
    assert red_nodes(built, "fail") == too_old


# What these say of a row or a key does not depend on how many there are.
OF_ANY_SIZE = [
    f"test_name:{name}"
    for name in (
        *("not_null_columns", "accepted_ranges", "accepted_value_sets", "unique", "relationships"),
    )
]


def test_no_test_of_distribution_is_red_on_little_data(
    make_workspace: Callable[[str], Workspace],
) -> None:
    workspace = make_workspace("little")
    workspace.olist("generate", workspace.home / "files", "--orders", "600", "--seed", "11")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist(
        "dbt", "--", "build", "--quiet", "--warn-error", "--exclude-resource-type", "unit_test",
        "--exclude", *OF_ANY_SIZE,
    )  # fmt: skip
    statuses = workspace.dbt_statuses()
    assert {statuses[test] for test in FAULTS} == {"pass"}


def test_the_real_sample_raises_no_false_alarm(copy_of_sample: Callable[[str], Workspace]) -> None:
    # The build that made it ended well with `--warn-error`.
    workspace = copy_of_sample("sample_monitoring")
    statuses = workspace.dbt_statuses()
    assert {statuses[test] for test in FAULTS} == {"pass"}
    assert workspace.rows("select count(*) from monitoring.monitoring_volume where is_anomaly") == [
        (0,)
    ]
