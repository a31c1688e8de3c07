"""Checks are functions of their rows: what they say, and when they say nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitored_place import (
    BUILT_AT,
    DIRECTORY,
    MORNING,
    MonitoredPlace,
    freshness,
    node_run,
    profile,
    volume_day,
)
from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.router import raise_alert
from olist_platform.monitoring.airflow_history import AirflowRun
from olist_platform.monitoring.anomalies import distribution, volume
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.dashboards import dashboards, last_due
from olist_platform.monitoring.data_tests import ALL_TESTS, data_tests
from olist_platform.monitoring.durations import node_durations, task_durations
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.freshness import data_freshness, mart_freshness, source_freshness
from olist_platform.monitoring.quality import quality_scores
from olist_platform.monitoring.robust_bounds import slowest_usual
from olist_platform.monitoring.settlement import is_over
from olist_platform.naming import EnvironmentName

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
EXPECTED = Expectations.of_project().model_copy(
    update={
        "run_history_runs": 20,
        "run_history_minimum_runs": 3,
        "slow_run_factor": 2,
        "slow_run_minimum_seconds": 5,
        "slow_run_deviations": 4,
    }
)


def test_expectations_are_the_projects_vars() -> None:
    expectations = Expectations.of_project()
    assert expectations.least_quality_score == 0.9
    assert expectations.run_history_days == 62


@pytest.mark.parametrize(
    ("history", "limit"),
    [
        # Too short to judge.
        ([10.0, 10.0], None),
        # Never varies: twice the median decides.
        ([10.0, 10.0, 10.0], 20.0),
        # Milliseconds: the seconds decide.
        ([0.1, 0.1, 0.1], 5.1),
        # 10, 30, 50, 70, 90: median 50, deviations 40 20 0 20 40, their median 20.
        ([10.0, 30.0, 50.0, 70.0, 90.0], 50 + 4 * 1.4826 * 20),
        # One absurd run moves nothing.
        ([10.0, 10.0, 10.0, 10.0, 9000.0], 20.0),
    ],
)
def test_what_is_slow(history: list[float], limit: float | None) -> None:
    assert slowest_usual(history, EXPECTED) == (None if limit is None else pytest.approx(limit))


def test_only_the_last_runs_count() -> None:
    assert slowest_usual([100.0] * 50 + [10.0] * 20, EXPECTED) == pytest.approx(20.0)


@given(st.lists(st.floats(0, 1e5), min_size=3, max_size=40))
def test_a_run_like_its_median_is_never_slow(history: list[float]) -> None:
    limit = slowest_usual(history, EXPECTED)
    assert limit is not None
    assert median(history[-20:]) + 5 <= limit


def test_the_age_of_a_load_is_by_the_clock() -> None:
    ages = {"stg_reviews": 61, "stg_orders": 31, "stg_products": 30}
    rows = [
        freshness(name, newest_loaded_at=(MORNING - timedelta(hours=age)).replace(tzinfo=None))
        for name, age in ages.items()
    ]
    rows.append(freshness("mart_executive_kpis", "marts"))
    results = source_freshness(rows, 30, MORNING)
    assert [(each.subject, each.value, each.severity) for each in results] == [
        ("raw.orders", 31, Severity.MEDIUM),
        ("raw.products", 30, None),
        ("raw.reviews", 61, Severity.HIGH),
    ]
    # One source that stops is one fault, however many datasets it has.
    assert [each.caused_by for each in results] == [
        None,
        None,
        (Check.SOURCE_FRESHNESS, "raw.orders"),
    ]
    unjudged = source_freshness(rows, None, MORNING)
    assert {each.state for each in unjudged} == {State.NOT_JUDGED}
    assert [each.value for each in unjudged] == [31, 30, 61]


def test_what_does_not_come_nightly_is_never_a_late_source() -> None:
    """Points of postal codes land when they change, and many a night has no new seller."""
    month_ago = (MORNING - timedelta(days=30)).replace(tzinfo=None)
    rows = [
        freshness("stg_orders"),
        freshness("stg_geolocation", newest_loaded_at=month_ago),
        freshness("stg_sellers", newest_loaded_at=month_ago),
    ]
    assert [
        (each.subject, each.value, each.state, each.at_most)
        for each in source_freshness(rows, 30, MORNING)
    ] == [
        ("raw.orders", 6.0, State.HEALTHY, 30),
        ("raw.geolocation", 720.0, State.NOT_JUDGED, None),
        ("raw.sellers", 720.0, State.NOT_JUDGED, None),
    ]


def test_what_the_project_does_not_have_any_more_neither_fails_nor_is_slow() -> None:
    """A wrong test is mended by another one, whose name differs; a slow model is taken apart."""
    kept, wrong, right = (f"test.olist.{name}.0a" for name in ("kept", "wrong", "right"))
    slow = "model.olist.int_customer_360"
    days = [BUILT_AT - timedelta(days=n) for n in range(4, 0, -1)]
    runs = [node_run(slow, started_at=day, seconds=10) for day in days]
    runs += [
        node_run(slow, seconds=300),
        node_run(kept),
        node_run(wrong, status="fail", failures=3),
    ]
    failing = [each.subject for each in data_tests(runs, DIRECTORY, MORNING) if each.is_failing]
    assert failing == ["wrong"]
    [of_slow] = [each for each in node_durations(runs, DIRECTORY, EXPECTED) if each.is_failing]
    assert of_slow.subject == "int_customer_360"

    directory = replace(DIRECTORY, nodes={kept, right})
    # Their own run is the newest: the manifest may be older than the release that ran.
    assert directory.removed(runs) == set()
    runs += [node_run(node, started_at=MORNING) for node in (kept, right)]
    assert directory.removed(runs) == {slow, wrong}
    count, *tests = data_tests(runs, directory, MORNING)
    assert (count.value, count.details) == (0.0, ("of 2 tests",))
    assert [(each.subject, each.state) for each in tests] == [
        ("kept", State.HEALTHY),
        ("right", State.HEALTHY),
        ("wrong", State.HEALTHY),
    ]
    by_name = {each.subject: each for each in node_durations(runs, directory, EXPECTED)}
    assert by_name["int_customer_360"].state is State.HEALTHY


def test_a_stale_mart_follows_from_its_stale_data() -> None:
    stale: dict[str, Any] = {"business_lag_days": 9, "freshness_status": "stale"}
    rows = [
        freshness("mart_fraud_monitoring", "marts", **stale),
        freshness("stg_orders", **stale),
        freshness("stg_products", business_lag_days=None, newest_business_date=None),
        freshness("stg_sellers", business_lag_days=None, freshness_status="empty"),
    ]
    results = data_freshness(rows, DIRECTORY, MORNING)
    assert [(each.subject, each.is_failing) for each in results] == [
        ("stg_orders", True),
        ("stg_sellers", True),
        ("mart_fraud_monitoring", True),
    ]
    assert results[0].owner == "sources"
    assert results[1].summary == "It holds no row."
    assert results[2].caused_by == (Check.DATA_FRESHNESS, "stg_orders")


def test_marts_are_as_old_as_their_publication() -> None:
    rows = [
        {"relation_name": "MART_UNIT_ECONOMICS", "published_at": BUILT_AT.replace(tzinfo=None)},
        {"relation_name": "mart_executive_kpis", "published_at": BUILT_AT},
    ]
    assert [
        (each.subject, each.value, each.state)
        for each in mart_freshness(rows, 6, DIRECTORY, MORNING)
    ] == [
        ("serving.mart_unit_economics", 6.0, State.HEALTHY),
        ("serving.mart_executive_kpis", 6.0, State.HEALTHY),
    ]
    late = mart_freshness(rows, 5.9, DIRECTORY, MORNING)
    assert [each.caused_by is None for each in late] == [True, False]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-09-14 06:29", "2026-09-13 06:30"),
        ("2026-09-14 06:30", "2026-09-14 06:30"),
        ("2026-09-14 23:59", "2026-09-14 06:30"),
    ],
)
def test_the_hour_that_counts_is_the_last_one(now: str, due: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=SAO_PAULO)
    expected = datetime.fromisoformat(due).replace(tzinfo=SAO_PAULO)
    assert last_due(time(6, 30), SAO_PAULO, moment.astimezone(UTC)) == expected


@pytest.mark.parametrize(
    ("published", "late"),
    [
        # 00:00 and 23:59 of Sao Paulo's day before, in UTC.
        ("2026-09-14 03:00", None),
        ("2026-09-14 02:59", 210),
        (None, 210),
    ],
)
def test_dashboards_are_ready_when_the_marts_of_the_day_are_out(
    published: str | None, late: float | None
) -> None:
    rows = [{"published_at": datetime.fromisoformat(published)}] if published else []
    [result] = dashboards(rows, time(6, 30), SAO_PAULO, MORNING)
    assert result.is_failing == (late is not None)
    assert result.value == (late or 0)
    assert dashboards(rows, None, SAO_PAULO, MORNING) == []


def test_dashboards_are_late_since_the_first_hour_that_was_missed() -> None:
    """Of Saturday's marts people wait for Sunday's, and on Monday for longer; clocks change too."""
    rows = [{"published_at": datetime(2017, 10, 14, 7, 20, tzinfo=UTC)}]
    # On Sunday, 2017-10-15, clocks went forward: 06:30 was 08:30 UTC.
    for now, late in (
        (datetime(2017, 10, 15, 8, 29, tzinfo=UTC), None),
        (datetime(2017, 10, 15, 8, 31, tzinfo=UTC), 1),
        (datetime(2017, 10, 16, 8, 31, tzinfo=UTC), 24 * 60 + 1),
    ):
        [result] = dashboards(rows, time(6, 30), SAO_PAULO, now)
        assert (result.is_failing, result.value) == (late is not None, late or 0)
        if late:
            assert result.summary.startswith(
                "The dashboards of 2017-10-15 were to be ready at 06:30"
            )


def test_the_newest_anomaly_of_the_window_counts() -> None:
    rows = [
        volume_day(10, date(2018, 8, 30)),
        volume_day(250, date(2018, 8, 31)),
        volume_day(900, dataset="reviews"),
        volume_day(900, dataset="payments", is_anomaly=False, is_judged=False),
    ]
    results = volume(rows, DIRECTORY, MORNING)
    assert [(each.subject, each.state, each.value) for each in results] == [
        ("orders", State.FAILING, 10),
        ("payments", State.NOT_JUDGED, 900),
        ("reviews", State.FAILING, 900),
    ]
    assert results[0].summary.startswith("Far fewer rows")
    assert results[0].summary.endswith("on 2018-08-30.")
    assert "Far more rows" in results[2].summary
    assert (results[0].at_least, results[0].at_most) == (182, 318)


@pytest.mark.parametrize(
    ("changes", "figure"),
    [
        ({"null_share": 0.2, "out_of_bounds": "null_share, mean"}, (0.2, None, 0.0, "null share")),
        ({"mean": 12.0, "out_of_bounds": "mean"}, (12.0, 80.0, 180.0, "mean")),
        ({"minimum": -3.0, "out_of_bounds": "minimum"}, (-3.0, 0.0, None, "minimum")),
    ],
)
def test_what_broke_a_distribution_is_its_figure(
    changes: dict[str, Any], figure: tuple[object, ...]
) -> None:
    [result] = distribution([profile(**changes)], DIRECTORY, MORNING)
    assert (result.value, result.at_least, result.at_most, result.unit) == figure
    assert result.is_failing


def test_little_data_are_not_judged_by_their_mean() -> None:
    [result] = distribution([profile(mean=12.0, is_judged=False)], DIRECTORY, MORNING)
    assert result.state is State.NOT_JUDGED


def test_quality_at_the_threshold_is_good_enough() -> None:
    row = {"completeness": 1.0, "avg_data_quality_score": 1.0, "quarantined_share": 0.1}
    rows = [
        {"dataset": name, "quality_score": score, **row}
        for name, score in (("a", 0.9), ("b", 0.8999), ("c", None))
    ]
    results = quality_scores(rows, 0.9, DIRECTORY, MORNING)
    assert [each.state for each in results] == [State.HEALTHY, State.FAILING, State.NOT_JUDGED]
    assert "quarantined_share: 0.1000" in results[1].details


def test_the_last_result_of_a_test_counts() -> None:
    test, unit = "test.olist.not_null_x.9f", "unit_test.olist.int_orders.sums_up"
    rows = [
        node_run(test, started_at=BUILT_AT - timedelta(days=2), status="fail", failures=3),
        node_run(unit, status="pass"),
        node_run(test, started_at=BUILT_AT - timedelta(days=1), status="pass"),
        node_run(unit, started_at=MORNING, status="error", message="Got 3 results"),
        # Held back by the failure above it: it says nothing.
        node_run(test, started_at=MORNING, status="skipped"),
        node_run("test.olist.poor.1", status="fail", tested_node_id="model.olist.monitoring_x"),
    ]
    count, *results = data_tests(rows, DIRECTORY, MORNING)
    assert (count.subject, count.value, count.details) == (ALL_TESTS, 1, ("of 2 tests",))
    assert [(each.subject, each.is_failing) for each in results] == [
        ("not_null_x", False),
        ("sums_up", True),
    ]
    assert results[1].summary == "A unit test of int_customer_360 failed."
    assert results[1].details == ("Got 3 results",)
    assert results[1].owner == "analytics_engineering"
    assert results[1].observed_at == MORNING + timedelta(minutes=5)


def test_full_refreshes_are_compared_with_full_refreshes() -> None:
    days = [BUILT_AT + timedelta(days=n) for n in range(5)]
    quick = [node_run(started_at=day, seconds=10) for day in days[:4]]
    results = node_durations(
        [*quick, node_run(started_at=days[4], seconds=300, full_refresh=True)], DIRECTORY, EXPECTED
    )
    assert [(each.state, each.at_most) for each in results] == [(State.NOT_JUDGED, None)]
    results = node_durations(
        [*quick, node_run(started_at=days[4], seconds=300)], DIRECTORY, EXPECTED
    )
    assert [(each.is_failing, each.at_most, each.owner) for each in results] == [
        (True, 20.0, "analytics_engineering")
    ]


def test_failed_runs_are_no_history_of_durations() -> None:
    days = [BUILT_AT + timedelta(days=n) for n in range(5)]
    rows = [node_run(started_at=day, seconds=0.1, status="error") for day in days[:4]]
    [result] = node_durations([*rows, node_run(started_at=days[4])], DIRECTORY, EXPECTED)
    assert result.state is State.NOT_JUDGED


def airflow_run(day: int, seconds: float | None, state: str = "success") -> AirflowRun:
    start = datetime(2026, 9, day, 7, tzinfo=UTC)
    end = None if seconds is None else start + timedelta(seconds=seconds)
    return AirflowRun("olist_production", None, f"run {day}", state, start, end)


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (airflow_run(14, 61), State.FAILING),
        (airflow_run(14, 59), State.HEALTHY),
        # It goes on for six hours.
        (airflow_run(14, None, "running"), State.FAILING),
        # A failed run says nothing of durations: the one before it does.
        (airflow_run(14, 600, "failed"), State.HEALTHY),
    ],
)
def test_a_run_is_judged_while_it_goes_on(last: AirflowRun, state: State) -> None:
    former = [airflow_run(day, 30) for day in (10, 11, 12, 13)]
    [result] = task_durations([*former, last], EXPECTED, MORNING)
    assert (result.check, result.state) == (Check.RUN_DURATION, state)
    assert result.at_most == 60


@pytest.mark.parametrize(("last", "state"), [(30, State.HEALTHY), (600, State.FAILING)])
def test_while_a_run_has_just_begun_the_last_one_that_is_done_is_judged(
    last: float, state: State
) -> None:
    done = [airflow_run(day, 30) for day in (9, 10, 11, 12)] + [airflow_run(13, last)]
    now = datetime(2026, 9, 14, 7, 0, 10, tzinfo=UTC)
    [result] = task_durations([*done, airflow_run(14, None, "running")], EXPECTED, now)
    assert (result.state, result.value, result.at_most) == (state, last, 60)


def duration(check: Check, subject: str, state: State = State.HEALTHY) -> CheckResult:
    is_slow = state is State.FAILING
    return CheckResult(
        check=check,
        subject=subject,
        state=state,
        observed_at=MORNING,
        severity=Severity.LOW if is_slow else None,
        summary="It took far longer." if is_slow else "",
    )


@pytest.mark.parametrize(
    ("left_out", "state_of_node", "is_over_of"),
    [
        (None, State.HEALTHY, {"query aa11", "int_orders"}),
        # Nobody could look at Airflow or at the queries: what is missing may be slow yet.
        (Check.TASK_DURATION, State.HEALTHY, {"int_orders"}),
        (Check.QUERY_DURATION, State.HEALTHY, {"int_orders"}),
        # It ran, as a full refresh without history.
        (None, State.NOT_JUDGED, {"query aa11"}),
        (None, State.FAILING, {"query aa11"}),
    ],
)
def test_a_slow_query_that_nobody_repeats_is_over(
    place: MonitoredPlace, left_out: Check | None, state_of_node: State, is_over_of: set[str]
) -> None:
    results = [
        duration(check, subject, state)
        for check, subject, state in (
            (Check.NODE_DURATION, "int_orders", state_of_node),
            (Check.TASK_DURATION, "olist_production.publish_marts", State.HEALTHY),
            (Check.RUN_DURATION, "olist_production", State.HEALTHY),
            (Check.QUERY_DURATION, "query bb22", State.HEALTHY),
        )
        if check is not left_out
    ]
    for check, subject in (
        (Check.QUERY_DURATION, "query aa11"),
        (Check.NODE_DURATION, "int_orders"),
    ):
        alert = duration(check, subject, State.FAILING).alert(place.environment.name)
        raise_alert(place.environment, alert, MORNING)
    found = {
        stored.alert.subject
        for stored in place.open_alerts()
        if is_over(place.environment, stored, results)
    }
    assert found == is_over_of


def test_a_first_run_that_goes_on_is_not_judged() -> None:
    now = datetime(2026, 9, 14, 7, 0, 10, tzinfo=UTC)
    [result] = task_durations([airflow_run(14, None, "running")], EXPECTED, now)
    assert (result.state, result.value) == (State.NOT_JUDGED, 10)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_figure_that_is_no_number_is_told_without_it(value: float) -> None:
    found = CheckResult(
        check=Check.DISTRIBUTION,
        subject="orders.price",
        state=State.FAILING,
        observed_at=MORNING,
        value=value,
        at_most=1.0,
        unit="BRL",
        severity=Severity.HIGH,
        summary="The mean is none.",
    )
    assert found.alert(EnvironmentName.PROD).measurement is None
    told = replace(found, value=2.0).alert(EnvironmentName.PROD).measurement
    assert told is not None
    assert (told.value, told.at_most) == (2.0, 1.0)
