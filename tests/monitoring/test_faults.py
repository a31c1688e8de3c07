"""Each fault ends in one alert to the right people with a runbook that exists, and is resolved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from monitored_place import (
    BUILT_AT,
    DIRECTORY,
    MORNING,
    MakePlace,
    MonitoredPlace,
    anomaly_month,
    node_run,
    profile,
    quality,
    quiet_tables,
    segment_day,
    volume_day,
)
from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Channel, Severity, Signal
from olist_platform.alerts.router import open_outbox, raise_alert
from olist_platform.cost.budget import NOTIONAL, MonthCost, month_cost
from olist_platform.dbt_command import monitoring_export_folder
from olist_platform.errors import OlistError
from olist_platform.monitoring.budget_check import budgets
from olist_platform.monitoring.hourly import run_checks
from olist_platform.monitoring.monitored_warehouse import open_monitored_warehouse
from olist_platform.monitoring.settlement import settle
from olist_workspace import ROOT

Change = Callable[[MonitoredPlace], None]


@dataclass(frozen=True)
class Fault:
    """A fault, the one alert it has to end in, and how it is mended."""

    break_it: Change
    signal: Signal
    subject: str
    severity: Severity
    told: set[tuple[Channel, str]]
    mend: Change


def quiet_again(place: MonitoredPlace) -> None:
    place.tables = quiet_tables()


def stop_the_source(place: MonitoredPlace) -> None:
    for row in place.tables["monitoring_freshness"]:
        if row["newest_loaded_at"]:
            row["newest_loaded_at"] -= timedelta(hours=40)


def stop_reviews(place: MonitoredPlace) -> None:
    row = place.tables["monitoring_freshness"][1]
    row |= {"business_lag_days": 9, "freshness_status": "stale"}


def miss_the_hour(place: MonitoredPlace) -> None:
    """Nothing was published today, and what there is becomes stale as well."""
    place.published_at -= timedelta(days=1, hours=8)


def publish(place: MonitoredPlace) -> None:
    place.published_at = place.now


def lose_a_file(place: MonitoredPlace) -> None:
    """All orders of a day are gone, with their items, in every state."""
    place.tables["monitoring_volume"] = [
        volume_day(0, dataset=dataset) for dataset in ("orders", "order_items", "payments")
    ]
    place.tables["monitoring_segment_volume"] = [segment_day(0), segment_day(0, "RJ")]


def lose_a_state(place: MonitoredPlace) -> None:
    place.tables["monitoring_segment_volume"] = [segment_day(), segment_day(10, "RJ")]


def price_in_cents(place: MonitoredPlace) -> None:
    place.tables["monitoring_column_profile"][0] = profile(mean=12000.0, out_of_bounds="mean")


def empty_column(place: MonitoredPlace) -> None:
    place.tables["monitoring_data_quality"][1] = quality("reviews", 0.8)


def fail_a_test(place: MonitoredPlace) -> None:
    place.tables["dbt_run_costs"][-1] |= {"status": "fail", "failures": 3, "message": "Got 3"}


def pass_it_later(place: MonitoredPlace) -> None:
    test = "test.olist.not_null_int_orders.0a1b"
    place.tables["dbt_run_costs"].append(node_run(test, started_at=place.now, seconds=0.1))


def slow_model(place: MonitoredPlace) -> None:
    """A model takes minutes, and with it the run of the whole DAG."""
    place.tables["dbt_run_costs"][-2]["execution_time_s"] = 300.0
    days = [BUILT_AT - timedelta(days=n) for n in range(6, -1, -1)]
    place.airflow_runs = [
        (
            "olist_production",
            task,
            "success",
            day,
            day + timedelta(minutes=15 if day == BUILT_AT else 5),
        )
        for day in days
        for task in (None, "marts.dbt_producer_watcher", "marts.int_orders.run", "publish_marts")
    ]


def hanging_task(place: MonitoredPlace) -> None:
    place.airflow_runs = [
        ("olist_production", "publish_marts", "success", day, day + timedelta(seconds=20))
        for day in (BUILT_AT - timedelta(days=n) for n in (3, 2, 1))
    ] + [("olist_production", "publish_marts", "running", BUILT_AT, None)]


def task_ends(place: MonitoredPlace) -> None:
    *former, _ = place.airflow_runs
    start = place.now - timedelta(seconds=20)
    place.airflow_runs = [*former, (*former[0][:3], start, place.now)]


def exhaust_the_budget(place: MonitoredPlace) -> None:
    place.tables["dbt_run_costs"][-2]["notional_cost"] = 50.5


def forecast_an_overrun(place: MonitoredPlace) -> None:
    """A fifth is spent on the fourteenth day, all of it in the last two days."""
    for row in place.tables["dbt_run_costs"][-4::2]:
        row["notional_cost"] = 6.0
    del place.tables["dbt_run_costs"][:-4]


def next_month(place: MonitoredPlace) -> None:
    place.now = MORNING.replace(month=10, day=1)
    place.rebuild()


def more_anomalies(place: MonitoredPlace) -> None:
    """Severe ones, and so more of all."""
    place.tables["monitoring_order_anomalies"].append(anomaly_month(0.15, date(2018, 9, 1)))
    few = {"is_judged": False, "orders": 3}
    place.tables["monitoring_order_anomalies"].append(anomaly_month(0.9, date(2018, 10, 1), **few))


def urgent_fraud(place: MonitoredPlace) -> None:
    place.fraud += [("P0", "Open", 3000.0), ("P0", "Overdue", 412.5)]


def no_fraud(place: MonitoredPlace) -> None:
    place.fraud = [("P2", "Open", 80.0)]


def bad_week(place: MonitoredPlace) -> None:
    place.figures.append(("week", date(2018, 8, 27), True, "on_time_rate"))


def good_week(place: MonitoredPlace) -> None:
    place.figures[-1] = ("week", date(2018, 8, 27), False, None)


def stop_airflow(place: MonitoredPlace) -> None:
    place.environment = place.environment.model_copy(
        update={
            "monitoring": type(place.environment.monitoring).model_validate(
                place.environment.monitoring.model_dump()
                | {"airflow_database": {"environment_variable": "OLIST_TEST_AIRFLOW"}}
            )
        }
    )


def start_airflow(place: MonitoredPlace) -> None:
    place.environment = place.environment.model_copy(
        update={
            "monitoring": type(place.environment.monitoring).model_validate(
                place.environment.monitoring.model_dump() | {"airflow_database": None}
            )
        }
    )


EMAIL, SLACK = Channel.EMAIL, Channel.SLACK
DATA_TEAM = {(EMAIL, "analytics_engineering")}
EXECUTIVES = {(EMAIL, "executives"), (SLACK, "executives")}
FINANCE = {(EMAIL, "finance"), (SLACK, "finance")}
OPERATIONS = {(SLACK, "operations")}
BUSINESS = {(SLACK, "business")}

FAULTS = {
    "late source": Fault(
        stop_the_source, Signal.FRESHNESS, "raw.orders", Severity.MEDIUM, DATA_TEAM, quiet_again
    ),
    "stale data": Fault(
        stop_reviews, Signal.FRESHNESS, "stg_reviews", Severity.MEDIUM, DATA_TEAM, quiet_again
    ),
    "missed hour": Fault(
        miss_the_hour, Signal.DASHBOARDS_LATE, "dashboards", Severity.CRITICAL, EXECUTIVES, publish
    ),
    "lost file": Fault(lose_a_file, Signal.VOLUME, "orders", Severity.HIGH, DATA_TEAM, quiet_again),
    "lost state": Fault(
        lose_a_state, Signal.VOLUME, "customer_state RJ", Severity.LOW, DATA_TEAM, quiet_again
    ),
    "price in cents": Fault(
        price_in_cents,
        Signal.DISTRIBUTION,
        "stg_order_items.price",
        Severity.LOW,
        DATA_TEAM,
        quiet_again,
    ),
    "empty column": Fault(
        empty_column, Signal.QUALITY_SCORE, "reviews", Severity.MEDIUM, DATA_TEAM, quiet_again
    ),
    "failing test": Fault(
        fail_a_test,
        Signal.TEST_FAILURE,
        "not_null_int_orders",
        Severity.HIGH,
        DATA_TEAM,
        pass_it_later,
    ),
    "slow model": Fault(
        slow_model, Signal.SLOW_RUN, "int_customer_360", Severity.LOW, OPERATIONS, quiet_again
    ),
    "hanging task": Fault(
        hanging_task,
        Signal.SLOW_RUN,
        "olist_production.publish_marts",
        Severity.LOW,
        OPERATIONS,
        task_ends,
    ),
    "exhausted budget": Fault(
        exhaust_the_budget,
        Signal.COST_BUDGET,
        "month 2026-09",
        Severity.CRITICAL,
        FINANCE,
        next_month,
    ),
    "overrun forecast": Fault(
        forecast_an_overrun,
        Signal.COST_BUDGET,
        "month 2026-09 forecast",
        Severity.MEDIUM,
        FINANCE,
        next_month,
    ),
    "more anomalies": Fault(
        more_anomalies,
        Signal.ORDER_ANOMALIES,
        "severe_anomaly_share 2018-09",
        Severity.HIGH,
        BUSINESS,
        quiet_again,
    ),
    "urgent fraud": Fault(
        urgent_fraud, Signal.FRAUD_QUEUE, "P0", Severity.CRITICAL, BUSINESS, no_fraud
    ),
    "bad week": Fault(
        bad_week,
        Signal.BUSINESS_FIGURES,
        "week from 2018-08-27",
        Severity.HIGH,
        BUSINESS,
        good_week,
    ),
    "blind": Fault(
        stop_airflow,
        Signal.PLATFORM_HEALTH,
        "airflow database",
        Severity.HIGH,
        OPERATIONS,
        start_airflow,
    ),
}


def test_a_quiet_morning_raises_nothing(place: MonitoredPlace) -> None:
    done = place.run_checks()
    assert [result for result in done.results if result.is_failing] == []
    assert place.open_alerts() == []
    assert place.deliver().outcomes == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_alert_to_the_right_people_until_it_is_mended(
    place: MonitoredPlace, name: str
) -> None:
    fault = FAULTS[name]
    place.run_checks()
    fault.break_it(place)
    for _ in range(2):
        place.run_checks()
        place.wait(minutes=1)
    assert place.told() == [(fault.signal, fault.subject, fault.severity)]
    [alert] = place.open_alerts()
    assert alert.occurrences == 2
    assert (ROOT / "platform" / "docs" / "runbooks" / alert.alert.signal.runbook).is_file()

    # A day later the digest has gone too, and so has every escalation.
    place.wait(minutes=31)
    sent = {(each.channel, each.recipient) for each in place.deliver().outcomes}
    place.wait(hours=24)
    sent |= {(each.channel, each.recipient) for each in place.deliver().outcomes}
    assert sent >= fault.told
    route = place.environment.alerts.routes.of(fault.signal.kind)
    allowed = {(each.channel, each.recipient) for each in (*route.to, *route.escalation)}
    assert sent <= allowed
    assert any(fault.signal.runbook in message for message in place.messages())

    place.rebuild()
    fault.mend(place)
    if fault.mend is quiet_again:
        place.rebuild()
    done = place.run_checks()
    assert place.open_alerts() == []
    assert [(each.signal, each.subject) for each in done.settlement.resolved][-1:] == [
        (fault.signal, fault.subject)
    ]
    place.wait(hours=24)
    place.deliver()
    assert any("RESOLVED" in message for message in place.messages())


def test_a_backlog_is_one_alert_and_ends_with_it(place: MonitoredPlace) -> None:
    bad_week(place)
    place.run_checks()
    # Nobody delivers for an hour, and a look says so.
    place.wait(hours=1)
    place.run_checks()
    assert place.told()[-1] == (Signal.ALERT_DELIVERY, "outbox", Severity.HIGH)
    assert len(place.told()) == 2
    place.deliver()
    place.run_checks()
    assert [signal for signal, *_ in place.told()] == [Signal.BUSINESS_FIGURES]


def test_a_second_bad_week_is_told_by_itself(place: MonitoredPlace) -> None:
    bad_week(place)
    place.run_checks()
    place.figures.append(("week", date(2018, 9, 3), True, "review_score"))
    place.rebuild()
    settled = place.run_checks().settlement
    assert [each.subject for each in settled.raised] == ["week from 2018-09-03"]
    assert [each.subject for each in settled.resolved] == ["week from 2018-08-27"]
    settled = place.run_checks().settlement
    assert (settled.raised, settled.resolved) == ((), ())


def test_a_second_month_of_anomalies_is_told_by_itself(place: MonitoredPlace) -> None:
    told = []
    for month in (date(2026, 9, 1), date(2026, 10, 1), date(2026, 10, 1)):
        place.tables["monitoring_order_anomalies"].append(anomaly_month(0.15, month))
        place.rebuild()
        settled = place.run_checks().settlement
        told.append(([each.subject for each in settled.raised], len(settled.resolved)))
    assert told == [
        (["severe_anomaly_share 2026-09"], 0),
        # The one that followed from the former alert ends with it.
        (["severe_anomaly_share 2026-10"], 1),
        ([], 0),
    ]
    stored = open_outbox(place.environment).alerts()
    assert [each.alert.subject for each in stored] == [
        "severe_anomaly_share 2026-10",
        "anomaly_share 2026-10",
    ]


def test_more_urgent_orders_are_told_again_and_fewer_are_not(place: MonitoredPlace) -> None:
    told, sent = [], []
    for orders in (1, 1, 3, 2, 3, 0):
        place.fraud = [("P2", "Open", 80.0), *[("P0", "Open", 100.0)] * orders]
        place.rebuild()
        settled = place.run_checks().settlement
        told.append((len(settled.raised), len(settled.resolved)))
        sent += place.deliver().sent
        place.wait(minutes=5)
    assert told == [(1, 0), (0, 0), (1, 0), (0, 0), (1, 0), (0, 1)]
    titles = [str(each.title) for each in sent]
    assert titles == ["CRITICAL Fraud: P0"] * 3 + ["RESOLVED Fraud: P0"]


def test_a_budget_is_told_again_only_at_the_next_threshold(place: MonitoredPlace) -> None:
    run = place.tables["dbt_run_costs"][-2]
    told = []
    for spent in (24.0, 25.5, 30.0, 38.0, 45.5, 49.0, 50.5, 60.0):
        run["notional_cost"] = spent
        # Spent at once: two weeks behind it cost next to nothing each.
        place.now = MORNING.replace(day=30)
        place.rebuild()
        run["run_started_at"] = BUILT_AT.replace(day=30, tzinfo=None)
        raised = place.run_checks().settlement.raised
        told.append([(each.severity, each.measurement) for each in raised])
    shown = [
        [(severity, measured and round(measured.value)) for severity, measured in each]
        for each in told
    ]
    assert shown == [
        [],
        [(Severity.LOW, 51)],
        [],
        [(Severity.MEDIUM, 76)],
        [(Severity.HIGH, 91)],
        [],
        [(Severity.CRITICAL, 101)],
        [],
    ]
    assert len(place.open_alerts()) == 1


def test_each_month_is_told_of_anew_and_each_threshold_once(place: MonitoredPlace) -> None:
    """Three months of daily checks: what people are told on which day."""
    first = datetime(2026, 9, 1, 22, tzinfo=UTC)
    daily: dict[date, float] = {}
    told: dict[str, list[str]] = {}
    for number in range(91):
        now = first + timedelta(days=number)
        # September costs 4 a day, October less but for a day, November nothing but for two.
        spend = {9: 4.0, 10: 2.5, 11: 0.0}[now.month]
        daily[now.date()] = {"10-20": 38.0, "11-09": 92.0, "11-12": 9.0}.get(f"{now:%m-%d}", spend)
        month = month_cost(daily, now, subject="month", unit=NOTIONAL, budget=100)
        open_alerts = place.open_alerts()
        subjects = [stored.alert.subject for stored in open_alerts]
        results = budgets([month], DIRECTORY, now, subjects)
        done = settle(place.environment, results, open_alerts, now)
        news = [f"{each.severity} {each.subject}" for each in done.raised]
        news += [f"over: {each.subject}" for each in done.resolved]
        if news:
            told[f"{now:%m-%d}"] = news
    assert told == {
        "09-01": ["medium month 2026-09 forecast"],
        "09-13": ["low month 2026-09"],
        "09-19": ["medium month 2026-09"],
        "09-23": ["high month 2026-09"],
        "09-25": ["critical month 2026-09"],
        # At the pace of September; then October is cheaper, and people are told that too.
        "10-01": [
            "medium month 2026-10 forecast",
            "over: month 2026-09 forecast",
            "over: month 2026-09",
        ],
        "10-09": ["over: month 2026-10 forecast"],
        # From 48 to 83 %: of half the budget nobody is told besides.
        "10-20": ["medium month 2026-10", "medium month 2026-10 forecast"],
        "10-22": ["high month 2026-10"],
        "10-26": ["critical month 2026-10"],
        "11-01": [
            "medium month 2026-11 forecast",
            "over: month 2026-10",
            "over: month 2026-10 forecast",
        ],
        "11-04": ["over: month 2026-11 forecast"],
        "11-09": ["high month 2026-11", "medium month 2026-11 forecast"],
        "11-12": ["critical month 2026-11"],
    }


def test_a_forecast_that_hovers_at_the_budget_is_told_once(place: MonitoredPlace) -> None:
    told = []
    for hour, forecast in enumerate([99, 101, 99, 102, 96, 94, 99, 100]):
        now = MORNING + timedelta(hours=hour)
        open_alerts = place.open_alerts()
        subjects = [stored.alert.subject for stored in open_alerts]
        month = MonthCost("month", NOTIONAL, 100, 10, forecast)
        done = settle(
            place.environment, budgets([month], DIRECTORY, now, subjects), open_alerts, now
        )
        told.append((len(done.raised), len(done.resolved)))
    assert told == [(0, 0), (1, 0), (0, 0), (0, 0), (0, 0), (0, 1), (0, 0), (1, 0)]


def test_a_forecast_is_told_against_the_whole_budget(place: MonitoredPlace) -> None:
    """Below 95 % it is over; what it is told against is the budget, however often it is seen."""
    shown = []
    for forecast in (137, 137, 97, 94):
        month = MonthCost("month", NOTIONAL, 100, 10, forecast)
        subjects = [stored.alert.subject for stored in place.open_alerts()]
        results = budgets([month], DIRECTORY, place.now, subjects)
        settle(place.environment, results, open_outbox(place.environment).alerts(), place.now)
        shown += [
            (measured.describe_value(), measured.describe_expectation())
            for stored in place.open_alerts()
            if (measured := stored.alert.measurement)
        ]
    assert shown == [
        ("137%", "at most 100%"),
        ("137%", "at most 100%"),
        ("97%", "at most 95%"),
    ]


def test_a_warehouse_worse_than_the_month_is_told_itself(place: MonitoredPlace) -> None:
    told = []
    for number, (whole, warehouse) in enumerate([(51, 52), (60, 76), (77, 77), (78, 91)]):
        now = MORNING + timedelta(hours=number)
        months = [
            MonthCost(subject, NOTIONAL, 100, spent, spent)
            for subject, spent in (("month", whole), ("wh", warehouse))
        ]
        done = settle(place.environment, budgets(months, DIRECTORY, now), place.open_alerts(), now)
        told.append([f"{each.severity} {each.subject}" for each in done.raised])
    assert told == [
        ["low month 2026-09"],
        ["medium wh 2026-09"],
        ["medium month 2026-09"],
        ["high wh 2026-09"],
    ]


def test_a_late_landing_that_a_dag_told_of_is_not_told_again_as_late_sources(
    place: MonitoredPlace,
) -> None:
    alert = Alert(
        environment=place.environment.name,
        signal=Signal.FRESHNESS,
        subject="landing",
        severity=Severity.HIGH,
        owner="data_platform",
        summary="The source is late.",
    )
    raise_alert(place.environment, alert, place.now)
    stop_the_source(place)
    place.run_checks()
    assert place.told() == [(Signal.FRESHNESS, "landing", Severity.HIGH)]
    # It landed and the run began, and still nothing is loaded.
    open_outbox(place.environment).resolve(alert.fingerprint, place.now)
    place.run_checks()
    assert place.told() == [(Signal.FRESHNESS, "raw.orders", Severity.MEDIUM)]


def test_a_run_for_a_day_of_the_past_is_one_alert_and_settles_nothing(
    place: MonitoredPlace,
) -> None:
    lose_a_file(place)
    more_anomalies(place)
    urgent_fraud(place)
    bad_week(place)
    place.run_checks()
    open_before = place.told()
    assert len(open_before) == 4
    today = dict(place.tables)
    # All is quiet on that day but the volume of a state, and more urgent orders waited.
    place.tables = quiet_tables()
    lose_a_state(place)
    place.fraud += [("P0", "Open", 100.0)] * 9
    for row in place.tables["monitoring_freshness"]:
        row["as_of_date"] = date(2018, 6, 30)
    settled = place.run_checks().settlement
    assert [(each.subject, each.severity) for each in settled.raised] == [
        ("reference date", Severity.MEDIUM)
    ]
    assert settled.resolved == ()
    assert settled.raised[0].summary == (
        "The figures are of 2018-06-30, though purchases up to 2018-08-31 are loaded: a run was"
        " asked for a day of the past."
    )
    place.tables, place.fraud = today, place.fraud[:-9]
    settled = place.run_checks().settlement
    assert [each.subject for each in settled.resolved] == ["reference date"]
    assert settled.raised == ()
    assert place.told() == open_before


def test_a_failed_build_is_no_late_source(place: MonitoredPlace) -> None:
    """What counts the loads stands behind all marts: it is as old as the last good run."""
    counted = "model.olist.monitoring_freshness"
    place.tables["dbt_run_costs"].append(node_run(counted, seconds=0.1))
    stop_the_source(place)
    place.run_checks()
    assert place.told() == [(Signal.FRESHNESS, "raw.orders", Severity.MEDIUM)]
    place.rebuild()
    place.run_checks()
    assert place.told() == []
    place.deliver()
    # A day later the source was loaded, and a mart that could not be built held back the count.
    place.wait(hours=40)
    place.published_at = place.now
    place.tables["dbt_run_costs"] += [
        node_run("model.olist.mart_unit_economics", started_at=place.now, status="error"),
        node_run(counted, started_at=place.now, status="skipped", seconds=0),
    ]
    place.run_checks()
    assert place.told() == []


def test_what_a_dag_told_as_a_failed_test_is_not_told_twice(place: MonitoredPlace) -> None:
    test = "no_row_matches_monitoring_data_quality_quality_tier_Poor_"
    raise_alert(
        place.environment,
        Alert(
            environment=place.environment.name,
            signal=Signal.TEST_FAILURE,
            subject=test,
            severity=Severity.HIGH,
            owner="data_platform",
            summary="A data test of monitoring_data_quality failed.",
        ),
        place.now,
    )
    empty_column(place)
    tested = "model.olist.monitoring_data_quality"
    place.tables["dbt_run_costs"].append(
        node_run(f"test.olist.{test}.1", status="fail", tested_node_id=tested)
    )
    place.run_checks()
    assert place.told() == [(Signal.TEST_FAILURE, test, Severity.HIGH)]


@pytest.mark.parametrize(
    ("signal", "subject"),
    [(Signal.FRESHNESS, "landing"), (Signal.TASK_FAILURE, "olist_production.load_raw")],
)
def test_alerts_of_others_are_theirs_to_resolve(
    place: MonitoredPlace, signal: Signal, subject: str
) -> None:
    raise_alert(
        place.environment,
        Alert(
            environment=place.environment.name,
            signal=signal,
            subject=subject,
            severity=Severity.HIGH,
            owner="data_platform",
            summary="The run did not begin.",
        ),
        place.now,
    )
    place.run_checks()
    assert place.told() == [(signal, subject, Severity.HIGH)]


def test_an_older_look_does_not_resolve_what_a_dag_raised_since(place: MonitoredPlace) -> None:
    place.run_checks()
    fail_a_test(place)
    place.run_checks()
    [raised] = place.told()
    # A copy of before the failing run says that the test passed: that is no news.
    place.tables = quiet_tables()
    place.run_checks()
    assert place.told() == [raised]
    pass_it_later(place)
    place.run_checks()
    assert place.told() == []


def damaged(content: bytes) -> bytes:
    """Its pages are gone; its ends are there."""
    return content[:20] + bytes(len(content) - 600) + content[-580:]


@pytest.mark.parametrize(
    ("name", "damage", "what"),
    [
        ("dbt_run_costs", lambda _: b"", "it is not a Parquet file"),
        ("monitoring_volume", lambda content: content[:100], "it is not a Parquet file"),
        ("dbt_run_costs", damaged, "the file is damaged"),
    ],
)
def test_a_copy_that_is_damaged_is_a_finding_that_names_it(
    place: MonitoredPlace, name: str, damage: Callable[[bytes], bytes], what: str
) -> None:
    place.leave()
    path = monitoring_export_folder(place.environment) / f"{name}.parquet"
    path.write_bytes(damage(path.read_bytes()))
    run_checks(place.environment, place.clock)
    [stored] = place.open_alerts()
    assert (stored.alert.signal, stored.alert.subject) == (Signal.PLATFORM_HEALTH, "warehouse")
    assert stored.alert.details == (f"{path}: {what}",)
    with (
        pytest.raises(OlistError) as caught,
        open_monitored_warehouse(place.environment) as warehouse,
    ):
        warehouse.rows(f"monitoring.{name}", "*")
    assert caught.value.mend == "move that file away; the next dbt command leaves a new one"


def test_a_publication_that_is_damaged_is_a_finding_that_names_it(place: MonitoredPlace) -> None:
    place.leave()
    place.environment.serving_path.write_text("no database")
    run_checks(place.environment, place.clock)
    [stored] = place.open_alerts()
    assert stored.alert.details == (
        f"{place.environment.serving_path}: it is not a DuckDB database",
    )


def test_what_cannot_be_seen_is_not_over(place: MonitoredPlace) -> None:
    lose_a_file(place)
    place.run_checks()
    del place.tables["monitoring_volume"]
    (
        place.environment.duckdb_path.parent / "monitoring/exported/monitoring_volume.parquet"
    ).unlink()
    place.run_checks()
    assert (Signal.VOLUME, "orders", Severity.HIGH) in place.told()


def test_nothing_built_yet_is_no_fault_but_of_the_hour(make_place: MakePlace) -> None:
    place = make_place(dashboards_ready_by=None)
    done = run_checks(place.environment, place.clock)
    assert done.failing == []
    assert place.open_alerts() == []
