"""How far Snowpipe is, judged from rows of the shape that Snowflake documents."""

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from olist_platform.environment import load_environment
from olist_platform.landing.folder_store import FolderStore
from olist_platform.landing.stored_file import StoredFile
from olist_platform.naming import EnvironmentName
from olist_platform.raw_loading import snowpipe
from olist_platform.raw_loading.snowpipe import look_at_snowpipe, snowpipe_progress
from olist_platform.source_catalog import CATALOG, dataset_named

_ORDERS = "orders/dt=2018-09-02/olist_orders_dataset.csv.gz"
_ITEMS = "order_items/dt=2018-09-02/olist_order_items_dataset.csv.gz"
_SELLERS = "sellers/dt=2018-09-02/olist_sellers_dataset.csv.gz"
_PAYMENTS = "payments/dt=2018-09-02/olist_order_payments_dataset.csv.gz"
_NOW = datetime(2018, 9, 3, 6, tzinfo=UTC)


def landed(*paths: str, at: datetime = _NOW) -> list[StoredFile]:
    return [StoredFile(path, 100, None, at) for path in paths]


def row(
    path: str, status: str, error: str | None = None, *, at: datetime | None = _NOW
) -> dict[str, Any]:
    return {
        "file_name": path,
        "status": status,
        "first_error_message": error,
        "last_load_time": at,
    }


def status(state: str = "RUNNING", pending: int = 0) -> str:
    return json.dumps({"executionState": state, "pendingFileCount": pending})


def test_it_waits_for_what_has_landed_and_is_not_told_of() -> None:
    history = [row(_ORDERS, "Loaded"), row(_ITEMS, "Load in progress", at=None)]
    seen = snowpipe_progress(landed(_ORDERS, _ITEMS, _SELLERS), history, {"ORDERS_PIPE": status()})
    assert seen.waiting == (_ITEMS, _SELLERS)
    assert seen.rejected == {}
    assert seen.stopped == ()


def test_it_is_done_when_every_file_is_loaded() -> None:
    history = [row(path, "Loaded") for path in (_ORDERS, _ITEMS, "orders/dt=2018-08-01/x.csv.gz")]
    seen = snowpipe_progress(landed(_ORDERS, _ITEMS), history, {"ORDERS_PIPE": status(pending=3)})
    assert (seen.waiting, seen.rejected, seen.stopped) == ((), {}, ())


def test_a_file_that_failed_is_rejected_with_snowflakes_words_unless_loaded_since() -> None:
    history = [
        row(_ORDERS, "Load failed", "Numeric value 'x' is not recognized"),
        row(_ITEMS, "Partially loaded"),
        row(_SELLERS, "Load failed", "wrong header"),
        row(_SELLERS, "Loaded"),
    ]
    seen = snowpipe_progress(landed(_ORDERS, _ITEMS, _SELLERS), history, {})
    assert seen.rejected == {
        _ORDERS: "Numeric value 'x' is not recognized",
        _ITEMS: "partially loaded",
    }
    assert seen.waiting == ()


def test_a_pipe_that_does_not_run_is_named_with_its_state() -> None:
    statuses = {"ORDERS_PIPE": status("PAUSED"), "SELLERS_PIPE": status()}
    assert snowpipe_progress([], [], statuses).stopped == ("ORDERS_PIPE (PAUSED)",)


def test_new_content_under_a_loaded_name_is_told_of_because_a_pipe_reads_a_name_once() -> None:
    history = [row(_ORDERS, "Loaded"), row(_ITEMS, "Loaded")]
    files = [
        *landed(_ORDERS, at=_NOW + timedelta(hours=1)),
        *landed(_ITEMS, at=_NOW - timedelta(seconds=30)),
    ]
    seen = snowpipe_progress(files, history, {})
    assert list(seen.rejected) == [_ORDERS]
    assert "written again" in seen.rejected[_ORDERS]
    assert "another name" in seen.rejected[_ORDERS]


def test_a_misplaced_file_is_told_of_and_not_waited_for() -> None:
    misplaced = "shops/dt=2018-09-02/olist_sellers_dataset.csv.gz"
    seen = snowpipe_progress(landed(misplaced, "README.txt"), [], {})
    assert seen.waiting == ()
    assert list(seen.rejected) == [misplaced]
    assert "no dataset is named 'shops'" in seen.rejected[misplaced]


class Account:
    """Answers what `look_at_snowpipe` asks, as a connection of Snowflake's would.

    Attributes:
        history: Rows of COPY_HISTORY by raw table.
        states: States of pipes that do not run, by name.
        asked: Every statement.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[tuple[object, ...]]] = {}
        self.states: dict[str, str] = {}
        self.asked: list[str] = []
        self._answer: list[tuple[object, ...]] = []

    def cursor(self) -> "Account":
        return self

    def execute(self, statement: str) -> "Account":
        self.asked.append(statement)
        if "pipe_status" in statement:
            pipe = statement.split("'")[1].rsplit(".", 1)[1]
            self._answer = [(status(self.states.get(pipe, "RUNNING")),)]
        else:
            table = statement.split("'")[1].rsplit(".", 1)[1]
            self._answer = self.history.get(table, [])
        return self

    def fetchall(self) -> list[tuple[object, ...]]:
        return self._answer


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """An account whose pipes run; the landing is a folder of this test."""
    account = Account()

    @contextmanager
    def connected(*_: object) -> Iterator[Account]:
        yield account

    monkeypatch.setattr(snowpipe, "open_snowflake", connected)
    monkeypatch.setattr(snowpipe, "landing_store", lambda _: FolderStore(tmp_path / "landing"))
    return account


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def put(landing: Path, path: str, text: str, at: datetime) -> None:
    target = landing / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(text.encode()))
    os.utime(target, (at.timestamp(), at.timestamp()))


def csv_of(dataset: str, *rows: str) -> str:
    return "\n".join([",".join(dataset_named(dataset).header), *rows, ""])


def test_a_file_of_a_day_long_past_is_waited_for_when_it_landed_now(
    account: Account, landing: Path
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    now = datetime.now(UTC)
    old = "sellers/dt=2017-01-01/olist_sellers_dataset.csv.gz"
    put(landing, _SELLERS, csv_of("sellers", "s1,01001,santos,SP"), now)
    put(landing, old, csv_of("sellers", "s2,01001,santos,SP"), now - timedelta(days=30))
    assert look_at_snowpipe(dev, now).waiting == (_SELLERS,)
    # Some relations of Snowflake tell a file's path within the pipe's folder.
    loaded = (_SELLERS.removeprefix("sellers/"), "Loaded", None, now)
    account.history["SELLERS"] = [loaded]
    seen = look_at_snowpipe(dev, now)
    assert (seen.waiting, seen.rejected, seen.stopped) == ((), {}, ())


def test_every_pipe_is_asked_and_history_as_far_back_as_snowflake_keeps_it(
    account: Account, landing: Path
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    landing.mkdir()
    sellers, reviews = (dev.names.pipe(dataset_named(name)) for name in ("sellers", "reviews"))
    account.states = {sellers: "PAUSED", reviews: "STALLED_COMPILATION_ERROR"}
    stopped = look_at_snowpipe(dev, datetime(2018, 9, 30, 6, tzinfo=UTC)).stopped
    assert stopped == (f"{reviews} (STALLED_COMPILATION_ERROR)", f"{sellers} (PAUSED)")
    histories = [statement for statement in account.asked if "copy_history" in statement]
    assert len(histories) == len(account.asked) / 2 == len(CATALOG)
    since = "start_time => to_timestamp_ltz('2018-09-17T06:00:00+00:00')"
    assert all(since in statement for statement in histories)


def test_a_failed_file_is_not_forgotten_while_copy_history_keeps_it(
    account: Account, landing: Path
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    now = datetime.now(UTC)
    failed_at = now - timedelta(days=12)
    put(landing, _SELLERS, csv_of("sellers", "s1,01001,santos,SP"), failed_at)
    account.history["SELLERS"] = [(_SELLERS, "Load failed", "Invalid UTF8", failed_at)]
    assert look_at_snowpipe(dev, now).rejected == {_SELLERS: "Invalid UTF8"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # COPY would load each of these by the columns' order: prices would be freights.
        (
            csv_of("order_items", "o1,1,p1,s1,2018-01-01 00:00:00,90.00,8.00").replace(
                "price,freight_value", "freight_value,price"
            ),
            "wrong header: the columns are repeated or in another order",
        ),
        (
            csv_of("order_items", "o1,1,p1,s1,2018-01-01 00:00:00,90.00"),
            "line 2 (record 1): 6 columns instead of 7",
        ),
    ],
)
def test_what_the_local_loader_refuses_is_rejected_though_copy_has_loaded_it(
    account: Account, landing: Path, text: str, reason: str
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    now = datetime.now(UTC)
    put(landing, _ITEMS, text, now - timedelta(minutes=5))
    payments = csv_of("payments", "o1,1,boleto,1,98.00")
    put(landing, _PAYMENTS, payments, now - timedelta(minutes=5))
    account.history["ORDER_ITEMS"] = [(_ITEMS, "Loaded", None, now)]
    account.history["PAYMENTS"] = [(_PAYMENTS, "Loaded", None, now)]
    seen = look_at_snowpipe(dev, now)
    assert seen.waiting == ()
    assert list(seen.rejected) == [_ITEMS]
    assert reason in seen.rejected[_ITEMS]
    assert "its rows are in raw" in seen.rejected[_ITEMS]
