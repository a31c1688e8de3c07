"""What is checked before a production run begins: the landing's age, the budget, secrets, locks."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from alert_scenario import environment
from olist_platform.cost.budget import MonthCost
from olist_platform.environment import Environment
from olist_platform.errors import BudgetUsedUpError, OlistError, SourceLateError
from olist_platform.naming import EnvironmentName
from olist_platform.preflight import (
    check_environment,
    check_landing,
    latest_purchase_date,
    require_budget_left,
    require_fresh_extracts,
    require_whole_extract,
)

MORNING = datetime(2018, 9, 3, 7, 0, tzinfo=UTC)
LOCAL = EnvironmentName.LOCAL


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for folder in ("environments", "dbt"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    return environment(LOCAL)


@pytest.mark.parametrize("day", [date(2018, 9, 2), date(2018, 9, 3)])
def test_yesterdays_extract_is_fresh_in_the_morning(day: date) -> None:
    # Yesterday ended at 03:00 UTC, four hours ago.
    require_fresh_extracts([date(2018, 1, 1), day], 4, MORNING, "landing")


def test_a_day_without_extract_is_a_late_source() -> None:
    with pytest.raises(
        SourceLateError, match=r"newest extract is of 2018-09-01, which ended 28 hours"
    ):
        require_fresh_extracts([date(2018, 9, 1)], 24, MORNING, "landing")


def test_any_file_will_do_where_the_environment_sets_no_limit() -> None:
    require_fresh_extracts([date(2016, 9, 1)], None, MORNING, "landing")


NIGHTLY = ("customers", "orders", "order_items", "payments", "reviews", "products")


def test_a_night_is_whole_with_all_that_comes_nightly() -> None:
    """Sellers and reference data of former days do, and a correction may be younger than orders."""
    newest = dict.fromkeys(NIGHTLY, date(2018, 9, 2)) | {
        "sellers": date(2018, 8, 30),
        "payments": date(2018, 9, 3),
    }
    require_whole_extract(newest, "landing")


@pytest.mark.parametrize("day", [None, date(2018, 9, 1)])
def test_orders_without_what_belongs_to_them_are_no_extract(day: date | None) -> None:
    newest = dict.fromkeys(NIGHTLY, date(2018, 9, 2))
    for name in ("order_items", "payments"):
        newest.pop(name)
        if day:
            newest[name] = day
    with pytest.raises(
        SourceLateError,
        match="extract of 2018-09-02 is not whole: order_items, payments has not landed",
    ):
        require_whole_extract(newest, "landing")
    newest.pop("orders")
    with pytest.raises(SourceLateError, match="no extract of orders has landed"):
        require_whole_extract(newest, "landing")


def test_only_what_comes_by_a_clock_has_to_be_whole(local: Environment) -> None:
    folder = Path(local.landing_url) / "orders" / "dt=2018-09-02"
    folder.mkdir(parents=True)
    (folder / "olist_orders_dataset.csv.gz").touch()
    check_landing(local, MORNING)
    production = local.production.model_copy(update={"landing_within_hours": 24})
    with pytest.raises(SourceLateError, match="is not whole: customers, order_items, payments"):
        check_landing(local.model_copy(update={"production": production}), MORNING)


def test_an_empty_landing_is_told_with_its_place(local: Environment) -> None:
    with pytest.raises(OlistError, match=r"landing .*landing does not exist") as caught:
        check_landing(local, MORNING)
    assert not isinstance(caught.value, SourceLateError)
    Path(local.landing_url).mkdir(parents=True)
    with pytest.raises(SourceLateError, match=r"landing: no landing file of any dataset"):
        check_landing(local, MORNING)


@pytest.mark.parametrize("spent", [50, 50.01])
def test_a_budget_that_is_used_up_to_the_last_cent_is_used_up(spent: float) -> None:
    month = MonthCost("month", "BRL notional", budget=50, spent=49.99, forecast=80)
    require_budget_left(month, MORNING)
    with pytest.raises(
        BudgetUsedUpError, match=rf"used up: {spent:.2f} of 50.00 BRL notional \(100%\)"
    ):
        require_budget_left(replace(month, spent=spent), MORNING)


def test_the_newest_purchase_is_read_from_raw(local: Environment) -> None:
    assert latest_purchase_date(local) is None
    local.duckdb_path.parent.mkdir(parents=True)
    with duckdb.connect(str(local.duckdb_path)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.orders as from (values ('2018-08-29 15:00:37'), ('not a date'),"
            " ('2017-01-01 00:00:00')) as orders(order_purchase_timestamp)"
        )
    assert latest_purchase_date(local) == date(2018, 8, 29)


def test_all_secrets_that_are_not_set_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLIST_SLACK_TOKEN", "OLIST_SMTP_PASSWORD", "OLIST_SNOWFLAKE_PRIVATE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLIST_SLACK_TOKEN", "set")
    with pytest.raises(OlistError) as raised:
        check_environment(environment(EnvironmentName.PROD))
    assert "OLIST_SMTP_PASSWORD, OLIST_SNOWFLAKE_PRIVATE_KEY" in raised.value.message
    assert "OLIST_SLACK_TOKEN" not in raised.value.message


def test_a_locked_warehouse_names_who_holds_it(local: Environment) -> None:
    local.duckdb_path.parent.mkdir(parents=True)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(1, flush=True); input()",
            str(local.duckdb_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "1\n"
        with pytest.raises(OlistError, match=f"locked by .* \\(PID {holder.pid}\\)"):
            check_environment(local)
    finally:
        holder.communicate("\n", timeout=10)
    check_environment(local)
