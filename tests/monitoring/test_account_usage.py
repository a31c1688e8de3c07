"""Costs and checks on Snowflake, asked over HTTP of an emulated account with its usage views.

What it cannot show: that the live views answer so, their latency, and the privileges they ask for.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from account_usage import give_account_usage
from monitored_place import freshness, node_run, quality, volume_day
from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.router import open_outbox
from olist_platform.cost import account_usage
from olist_platform.cost.month import ask, read_month
from olist_platform.cost.report import CostReport, read_cost_report
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.monitoring import history, hourly
from olist_platform.monitoring.check_result import Check
from olist_platform.monitoring.monitored_warehouse import MonitoredWarehouse, SnowflakeSession
from olist_platform.monitoring.status import read_status
from olist_platform.naming import EnvironmentName, Names, Workload
from olist_platform.snowflake_connection import open_snowflake
from olist_workspace import ROOT
from recorded_figures import figures_of
from snowflake_emulator import SnowflakeEmulator, new_private_key, snowflake_emulator

pytestmark = pytest.mark.slow

NOW = datetime(2026, 9, 14, 13, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
# Two days of 0.26 + 1.57 + 0.43, two of 0.06, today 1.15, and a warehouse of somebody else's.
SPENT = 2 * 2.26 + 2 * 0.06 + 1.15 + 0.125
TRANSFORM, REPORT, LOAD = (f"OLIST_DEV_{name}_WH" for name in ("TRANSFORM", "REPORT", "LOAD"))


@pytest.fixture(scope="module")
def emulator() -> Iterator[SnowflakeEmulator]:
    with snowflake_emulator(Names(EnvironmentName.DEV)) as emulator:
        give_account_usage(emulator)
        emulator.connection.execute("create schema OLIST_DEV.MONITORING")
        yield emulator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("snowflake_monitoring")
    for folder in ("dbt", "environments"):
        (home / folder).symlink_to(ROOT / folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(home))
        patch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
        patch.setenv("OLIST_ALERTS_DATABASE", f"sqlite:///{home}/outbox.sqlite")
        patch.setenv("OLIST_AIRFLOW_DATABASE", f"sqlite:///{home}/airflow.sqlite")
        yield home


@pytest.fixture
def environment(home: Path) -> Environment:
    del home
    return load_environment(EnvironmentName.DEV)


@pytest.fixture
def session(environment: Environment, emulator: SnowflakeEmulator) -> Iterator[SnowflakeSession]:
    with opened(environment, emulator) as connection:
        yield SnowflakeSession(connection)


@contextmanager
def opened(environment: Environment, emulator: SnowflakeEmulator) -> Iterator[Any]:
    options = {"host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
    with open_snowflake(environment, Workload.REPORT, **options) as connection:
        yield connection


@pytest.fixture
def hide(emulator: SnowflakeEmulator) -> Iterator[Callable[[str], None]]:
    """Makes a view of account usage answer as it does to a role that may not read it."""
    hidden: list[str] = []

    def hide(view: str) -> None:
        emulator.connection.execute(f"alter table SNOWFLAKE.ACCOUNT_USAGE.{view} rename to HIDDEN")
        hidden.append(view)

    yield hide
    for view in hidden:
        emulator.connection.execute(f"alter table SNOWFLAKE.ACCOUNT_USAGE.HIDDEN rename to {view}")


def report(environment: Environment, session: SnowflakeSession) -> CostReport:
    @contextmanager
    def open_warehouse(_: Environment) -> Iterator[MonitoredWarehouse]:
        yield session

    return read_cost_report(environment, NOW, SINCE, open_warehouse)


def test_a_warehouse_day_is_queries_unexplained_idle_and_cloud_services(
    session: SnowflakeSession,
) -> None:
    days = account_usage.warehouse_days(
        ask(session, account_usage.metering(SINCE)), ask(session, account_usage.attribution(SINCE))
    )
    assert [(day.day, day.warehouse) for day in days] == [
        (date(2026, 9, 14), REPORT),
        (date(2026, 9, 14), TRANSFORM),
        (date(2026, 9, 13), "COMPUTE_WH"),
        *((date(2026, 9, 13), name) for name in (LOAD, REPORT, TRANSFORM)),
        *((date(2026, 9, 12), name) for name in (LOAD, REPORT, TRANSFORM)),
        (date(2026, 9, 11), REPORT),
        (date(2026, 9, 10), REPORT),
    ]
    busy = next(day for day in days if (day.day, day.warehouse) == (date(2026, 9, 13), TRANSFORM))
    assert busy.metered == pytest.approx(1.57)
    assert busy.cloud_services == pytest.approx(0.07)
    # 0.5 and 0.25 in the first hour, 0.2 in the second.
    assert busy.queries == pytest.approx(0.95)
    assert busy.unexplained == pytest.approx(1.2 - 0.95)
    assert busy.idle == pytest.approx(1.5 - 1.2)
    for day in days:
        parts = day.queries + day.unexplained + day.idle + day.cloud_services
        assert parts == pytest.approx(day.metered, abs=1e-9), day


def test_the_month_is_judged_by_the_resource_monitors_quotas(
    environment: Environment, session: SnowflakeSession
) -> None:
    months = {month.subject: month for month in report(environment, session).months}
    assert {name: month.budget for name, month in months.items()} == {
        "month": 40,
        TRANSFORM: 25,
        REPORT: 10,
        LOAD: 5,
    }
    assert {month.unit for month in months.values()} == {"credits"}
    assert months["month"].spent == pytest.approx(SPENT)
    # Four days are known before today, which costs at least as much; sixteen are to come.
    rate = (SPENT - 1.15) / 4
    assert months["month"].forecast == pytest.approx(SPENT + (rate - 1.15) + 16 * rate)
    assert months[REPORT].spent == pytest.approx(2 * 0.43 + 0.22)
    assert read_month(environment, session, NOW) == months["month"]


def test_the_dearest_queries_have_a_recommendation_that_fits_them(
    environment: Environment, session: SnowflakeSession
) -> None:
    dearest = report(environment, session).dearest
    assert [(item.name, round(item.cost, 2), item.runs) for item in dearest] == [
        ("model.olist.int_customer_360", 1.0, 2),
        ("model.olist.int_orders", 0.5, 2),
        ("model.olist.mart_unit_economics", 0.4, 2),
        ("01-14-d", 0.28, 5),
    ]
    spills, scans, waits, reads = (item.recommendation for item in dearest)
    assert "spills 6.0 GiB to remote storage" in spills
    assert "the next size, SMALL" in spills
    assert "reads 1,900 of 2,000 micro-partitions" in scans
    assert "waits 50% of its time" in waits
    assert "5.0 GiB read in 5 runs" in reads
    assert sum(item.share for item in dearest) == pytest.approx(1)
    # The text of a query may hold what somebody looked for: it is never asked for.
    assert "sao paulo" not in str(dearest)


def test_what_is_asked_for_of_two_months_ago_is_metered_too(
    environment: Environment, session: SnowflakeSession
) -> None:
    """The queries of 62 days are held against the credits of as many."""
    now = datetime(2026, 11, 10, 13, tzinfo=UTC)

    @contextmanager
    def open_warehouse(_: Environment) -> Iterator[MonitoredWarehouse]:
        yield session

    found = read_cost_report(environment, now, now - timedelta(days=62), open_warehouse)
    assert found.table("day").rows[-1][0] == "2026-09-10"
    assert sum(row[1] for row in found.table("day").rows) == pytest.approx(SPENT)
    assert sum(item.cost for item in found.dearest) == pytest.approx(2.18)
    assert sum(item.share for item in found.dearest) == pytest.approx(1)
    # The month costs what it did.
    assert found.months[0].spent == 0


def test_tables_by_warehouse_and_day_add_up(
    environment: Environment, session: SnowflakeSession
) -> None:
    found = report(environment, session)
    by_warehouse, by_day = found.table("warehouse"), found.table("day")
    assert by_warehouse.columns[1:] == (
        "credits", "queries", "unexplained", "idle", "cloud services",
    )  # fmt: skip
    for column in range(1, 6):
        total = sum(row[column] for row in by_warehouse.rows)
        assert total == pytest.approx(sum(row[column] for row in by_day.rows))
    assert [row[0] for row in by_day.rows] == [f"2026-09-{day}" for day in (14, 13, 12, 11, 10)]


def test_a_pass_on_snowflake_judges_tells_and_keeps_its_figures(
    environment: Environment, emulator: SnowflakeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def open_here(_: Environment, workload: Workload) -> Iterator[Any]:
        assert workload is Workload.REPORT
        with opened(environment, emulator) as connection:
            yield connection

    monkeypatch.setattr(history, "open_snowflake", open_here)
    leave(emulator, "MONITORING_FRESHNESS", [freshness("stg_orders")])
    leave(emulator, "MONITORING_DATA_QUALITY", [quality("orders"), quality("reviews", 0.7)])
    leave(emulator, "MONITORING_VOLUME", [volume_day(), volume_day(0, dataset="payments")])
    days = [NOW - timedelta(days=n) for n in range(4, -1, -1)]
    estimated: dict[str, Any] = {"cost_basis": "estimate", "notional_cost": None, "target": "dev"}
    leave(
        emulator,
        "DBT_RUN_COSTS",
        [node_run(started_at=day, credits_estimated=0.5, **estimated) for day in days],
    )

    @contextmanager
    def open_warehouse(_: Environment) -> Iterator[MonitoredWarehouse]:
        with opened(environment, emulator) as connection:
            yield SnowflakeSession(connection)

    done = hourly.run_checks(environment, lambda: NOW, open_warehouse)
    failing = {(each.check, each.subject) for each in done.failing}
    assert failing == {
        (Check.QUALITY_SCORE, "reviews"),
        (Check.VOLUME, "payments"),
        (Check.QUERY_DURATION, "query dd44"),
        # 4.19 credits by now and sixteen days of 1.57 to come are more than its quota of 25.
        (Check.BUDGET, f"{TRANSFORM} {NOW:%Y-%m} forecast"),
        # There is no such database here, and that is told too.
        (Check.OBSERVATION, "airflow database"),
    }
    told = {each.alert.subject: each.alert.severity for each in open_outbox(environment).alerts()}
    assert told["payments"] is Severity.HIGH
    assert len(told) == 5
    assert done.recorded > 10
    kept = (emulator.connection, "OLIST_DEV.MONITORING.CHECK_RESULTS", NOW - timedelta(hours=1))
    recorded = figures_of(*kept)
    assert len(recorded) == done.recorded
    spent = next(each for each in recorded if each.subject == "month spent")
    assert (spent.check, spent.unit, spent.expected_high) == ("budget", "credits", 40)
    assert spent.value == pytest.approx(SPENT)
    hourly.run_checks(environment, lambda: NOW + timedelta(hours=1), open_warehouse)
    assert len(figures_of(*kept)) == 2 * done.recorded


def test_of_too_many_queries_the_newest_are_judged(session: SnowflakeSession) -> None:
    every = ask(session, account_usage.query_durations(SINCE, REPORT))
    newest = ask(session, account_usage.query_durations(SINCE, REPORT, most=2))
    assert len(every) > 2
    assert newest == every[:2]
    moments = [row["start_time"] for row in every]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("view", ["WAREHOUSE_METERING_HISTORY", "QUERY_ATTRIBUTION_HISTORY"])
def test_usage_that_may_not_be_read_is_not_a_month_without_cost(
    environment: Environment, session: SnowflakeSession, hide: Callable[[str], None], view: str
) -> None:
    hide(view)
    with pytest.raises(OlistError) as caught:
        read_month(environment, session, NOW)
    assert caught.value.message == (
        f"Snowflake: the transformer's role may not read snowflake.account_usage.{view.lower()}:"
        " it needs the database roles SNOWFLAKE.GOVERNANCE_VIEWER and SNOWFLAKE.USAGE_VIEWER"
    )
    assert "pulumi -C infra up" in caught.value.mend
    # What dbt has not built yet is empty all the same.
    assert session.rows("serving.mart_not_built", "*") == []


def test_queries_that_may_not_be_read_leave_the_other_checks(
    environment: Environment,
    emulator: SnowflakeEmulator,
    session: SnowflakeSession,
    hide: Callable[[str], None],
) -> None:
    hide("QUERY_HISTORY")
    leave(emulator, "MONITORING_DATA_QUALITY", [quality("reviews", 0.7)])

    @contextmanager
    def open_warehouse(_: Environment) -> Iterator[MonitoredWarehouse]:
        yield session

    status = read_status(environment, NOW, open_warehouse)
    found = {(each.check, each.subject): each.details for each in status.findings}
    [why] = found[Check.OBSERVATION, "account usage"]
    assert "may not read snowflake.account_usage.query_history" in why
    assert (Check.QUALITY_SCORE, "reviews") in found
    assert status.months == ()
    assert not any(check is Check.BUDGET for check, _ in found)


def test_an_account_out_of_reach_is_one_alert_and_no_more(
    environment: Environment, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_ALERTS_DATABASE", f"sqlite:///{home}/other.sqlite")
    monkeypatch.setenv("OLIST_AIRFLOW_DATABASE", "sqlite://")

    def refused(_: Environment) -> AbstractContextManager[MonitoredWarehouse]:
        raise OlistError("Snowflake account OLIST-ANALYTICS_DEV: JWT token is invalid.")

    done = hourly.run_checks(environment, lambda: NOW, refused)
    warehouse = [each for each in open_outbox(environment).alerts() if "warehouse" in str(each)]
    assert [each.alert.details for each in warehouse] == [
        ("Snowflake account OLIST-ANALYTICS_DEV: JWT token is invalid.",)
    ]
    assert done.recorded == 0


def test_a_key_that_is_none_is_named(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", "my password")
    with (
        pytest.raises(OlistError, match="private key of environment 'dev' is no PEM"),
        open_snowflake(environment, Workload.REPORT),
    ):
        pass


def leave(emulator: SnowflakeEmulator, table: str, rows: list[dict[str, Any]]) -> None:
    """Make a table of the monitoring schema, its names upper case as Snowflake's are."""
    upper = [{name.upper(): value for name, value in row.items()} for row in rows]
    emulator.connection.register("rows", pa.Table.from_pylist(upper))
    emulator.connection.execute(
        f"create or replace table OLIST_DEV.MONITORING.{table} as select * from rows"
    )
    emulator.connection.unregister("rows")
