"""Exactly once per file: repeats, renamed copies, new versions, and processes that are killed."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from olist_platform.environment import Environment
from olist_platform.landing.folder_store import FolderStore
from olist_platform.raw_loading import loader
from olist_platform.raw_loading.results import LoadResult

Put = Callable[..., Path]
Load = Callable[[], LoadResult]
Query = Callable[[str], list[tuple[object, ...]]]
Writer = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]

SELLERS = "sellers/dt=2018-01-01/olist_sellers_dataset.csv.gz"


def test_the_same_file_twice_loads_once(put: Put, load: Load, query: Query) -> None:
    path = put()
    load()
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 9, mtime=1))
    again = load()
    assert (again.loaded, again.already_loaded, again.rows) == (0, 1, 0)
    assert query("select count(*) from raw.sellers") == [(1,)]
    assert query("select count(*) from raw.load_history") == [(1,)]


@pytest.mark.usefixtures("settled_clock")
def test_an_untouched_file_is_not_read_again(
    put: Put, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    load()
    monkeypatch.setattr(FolderStore, "read", lambda *_: pytest.fail("it was read"))
    assert load().already_loaded == 1


@pytest.mark.usefixtures("settled_clock")
def test_a_touched_file_is_read_once_more_only(
    put: Put,
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    touch_later: Callable[[Path], None],
) -> None:
    path = put()
    load()
    touch_later(path)
    assert load().already_loaded == 1
    monkeypatch.setattr(FolderStore, "read", lambda *_: pytest.fail("it was read"))
    assert load().already_loaded == 1


def test_a_file_written_just_now_is_never_taken_for_unchanged(
    put: Put, load: Load, query: Query
) -> None:
    path = put(b"s1,01001,old,SP\n", pack=lambda content: gzip.compress(content, 0, mtime=0))
    before = path.stat()
    load()
    put(b"s1,01001,new,SP\n", pack=lambda content: gzip.compress(content, 0, mtime=0))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert load().loaded == 1
    assert query("select seller_city from raw.sellers order by 1") == [("new",), ("old",)]


@pytest.mark.parametrize("in_one_run", [True, False])
def test_a_renamed_copy_is_recorded_and_not_loaded(
    put: Put, load: Load, query: Query, in_one_run: bool
) -> None:
    first = put()
    if not in_one_run:
        load()
    shutil.copyfile(first, first.with_name("renamed.csv.gz"))
    result = load()
    assert result.duplicates == 1
    assert query("select count(*) from raw.sellers") == [(1,)]
    assert query("select status, row_count from raw.load_history order by 1") == [
        ("duplicate", 0),
        ("loaded", 1),
    ]
    ((reason,),) = query("select reason from raw.load_history where status = 'duplicate'")
    assert str(reason).startswith("same content as sellers/dt=2018-01-01/")
    again = load()
    assert (again.already_loaded, again.duplicates) == (2, 0)
    assert query("select count(*) from raw.load_history") == [(2,)]


def test_the_same_content_on_another_day_is_a_new_extract(
    put: Put, load: Load, query: Query
) -> None:
    put(b"s1,01001,a,SP\n")
    put(b"s1,01001,b,SP\n", path=SELLERS.replace("01-01", "01-02"))
    put(b"s1,01001,a,SP\n", path=SELLERS.replace("01-01", "01-03"))
    assert load().loaded == 3
    assert query("select seller_city from raw.sellers order by _source_file desc limit 1") == [
        ("a",)
    ]


def test_new_content_under_the_same_name_loads_as_a_further_version(
    put: Put, load: Load, query: Query
) -> None:
    put(b"s1,01001,a,SP\n")
    first = load()
    put(b"s1,01001,b,SP\n")
    second = load()
    assert second.loaded_at > first.loaded_at
    assert query("select seller_city, _loaded_at from raw.sellers order by 2") == [
        ("a", first.loaded_at),
        ("b", second.loaded_at),
    ]


def test_each_run_is_later_than_every_earlier_one_whatever_the_clock_says(
    put: Put, load: Load, query: Query, writer: Writer
) -> None:
    put(b"s1,01001,a,SP\n")
    load()
    with writer() as connection:
        connection.execute("update raw.load_history set loaded_at = timestamp '2199-01-01'")
    put(b"s1,01001,b,SP\n")
    result = load()
    assert query("select max(_loaded_at) from raw.sellers") == [(result.loaded_at,)]
    assert query("select timestamp '2199-01-01'")[0][0] == result.loaded_at - timedelta(
        microseconds=1
    )


def test_row_numbers_follow_the_files_when_many_load_together(
    put: Put, load: Load, query: Query
) -> None:
    for day in range(1, 29):
        body = "".join(f"d{day}r{row},{row},x,SP\n" for row in range(1, day))
        put(body.encode(), path=f"sellers/dt=2018-01-{day:02d}/x.csv.gz")
    assert load().rows == sum(range(28))
    assert query(
        "select count(*) from raw.sellers where seller_id <> 'd' || "
        "day(split_part(split_part(_source_file, 'dt=', 2), '/', 1)::date) || 'r' || _source_row"
    ) == [(0,)]
    assert query("select sum(row_count) from raw.load_history") == [(sum(range(28)),)]


_KILLED_LOAD = """
import os, signal, sys
from pathlib import Path
from olist_platform.landing.folder_store import FolderStore
from olist_platform.naming import EnvironmentName, Names
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.raw_loading import load_history, loader, raw_tables

landing, warehouse, place, countdown = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
loader._BATCH_BYTES = 1


def killing(function, when):
    def wrapped(*args, **kwargs):
        global countdown
        countdown -= 1
        if countdown == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


where, when = place.split()
owner, name = {
    "stage": (loader, "stage_file"),
    "rows": (loader, "append_records"),
    "history": (load_history.LoadHistory, "write"),
    "commit": (loader.Loader, "_commit"),
}[where]
setattr(owner, name, killing(getattr(owner, name), when))
with open_warehouse(warehouse) as connection:
    loader.Loader(
        connection, Names(EnvironmentName.LOCAL), FolderStore(Path(landing)), warehouse.parent
    ).run()
print("finished")
"""


@pytest.mark.slow
@pytest.mark.parametrize("countdown", [1, 4])
@pytest.mark.parametrize("place", ["stage before", "rows after", "history after", "commit after"])
def test_after_a_kill_the_next_run_completes(  # noqa: PLR0917 - fixtures and cases
    put: Put,
    load: Load,
    query: Query,
    landing: Path,
    environment: Environment,
    place: str,
    countdown: int,
) -> None:
    for day in range(1, 7):
        put(
            "".join(f"d{day}r{row},{row},x,SP\n" for row in range(200)).encode(),
            path=f"sellers/dt=2018-01-{day:02d}/x.csv.gz",
        )
    put(b"broken\n", path="sellers/dt=2018-01-07/x.csv.gz")
    environment.duckdb_path.parent.mkdir(parents=True)
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            _KILLED_LOAD,
            str(landing),
            str(environment.duckdb_path),
            place,
            str(countdown),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # Each commit was one file here, so exactly those before the kill may be there.
    done = query("select count(*) from raw.load_history") if place != "stage before" else [(0,)]
    assert done == [({"commit after": countdown, "stage before": 0}.get(place, countdown - 1),)]
    result = load()
    assert len(result.rejected) == 1
    assert query("select count(*), count(distinct seller_id) from raw.sellers") == [(1200, 1200)]
    assert query(
        "select status, count(*), sum(row_count) from raw.load_history group by 1 order by 1"
    ) == [("loaded", 6, 1200), ("rejected", 1, 0)]
    left = [path.name for path in environment.duckdb_path.parent.iterdir()]
    assert left == [environment.duckdb_path.name]


def test_a_failing_batch_takes_nothing_with_it(
    put: Put, load: Load, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    put(path=SELLERS.replace("sellers", "orders"), header=b"", body=b"x")
    with monkeypatch.context() as patch:
        patch.setattr(loader, "append_records", lambda *_, **__: 0)
        with pytest.raises(Exception, match="1 records were checked, but 0 were parsed"):
            load()
    assert query("select count(*) from raw.load_history") == [(0,)]
    assert load().rows == 1
