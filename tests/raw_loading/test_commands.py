"""`olist land` and `olist load`: what a user sees, and one clear message for each mistake."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.source_catalog import dataset_named


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Olist = Callable[..., Outcome]
Put = Callable[..., Path]

ORDER = "o1,c1,created,2018-01-01 10:00:00,,,,2018-01-20 00:00:00\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    orders, sellers = dataset_named("orders"), dataset_named("sellers")
    (folder / orders.file_name).write_text(",".join(orders.header) + "\n" + ORDER)
    # Random text, so that it does not fit on a small disk even when compressed.
    body = "".join(f"{os.urandom(400).hex()},01001,sao paulo,SP\n" for _ in range(9_000))
    (folder / sellers.file_name).write_text(",".join(sellers.header) + "\n" + body)
    return folder


def test_landing_and_loading_into_the_environments_own_places(olist: Olist, source: Path) -> None:
    landed = olist("land", str(source), "--allow-missing")
    assert landed.code == 0, landed.err
    assert "landed 2 files, 0 unchanged" in landed.out
    assert "2018-01-01" in landed.out
    assert "not in the input: customers, order_items" in landed.out
    loaded = olist("load")
    assert loaded.code == 0, loaded.err
    assert "loaded 2 files, 9,001 rows; 0 already loaded, 0 duplicates, 0 rejected" in loaded.out
    assert "sellers                     9,000" in loaded.out
    assert "loaded 0 files, 0 rows; 2 already loaded" in olist("load").out
    daily = olist("land", str(source), "--allow-missing", "--daily", "--until", "2017-12-31")
    assert "nothing to land" in daily.out


def test_help_shows_examples(olist: Olist) -> None:
    assert "olist land archive.zip" in olist("land", "--help").out
    assert "olist load --from s3://" in olist("load", "--help").out


def test_rejected_files_are_named_and_end_with_one(olist: Olist, put: Put, landing: Path) -> None:
    put()
    put(b"s1,too,few\n", path="sellers/dt=2018-01-02/x.csv.gz")
    put(path="README.md")
    loaded = olist("load", "--from", str(landing))
    assert loaded.code == 1
    assert "loaded 1 files, 1 rows" in loaded.out
    assert "ignored: README.md" in loaded.out
    assert (
        "error: sellers/dt=2018-01-02/x.csv.gz: line 2 (record 1): 3 columns instead of 4"
        in loaded.err
    )
    assert "mend:" in loaded.err


def test_many_rejected_files_are_counted(olist: Olist, put: Put, landing: Path) -> None:
    for number in range(25):
        put(b"bad\n", path=f"sellers/dt=2018-01-01/{number:02d}.csv.gz")
    loaded = olist("load", "--from", str(landing))
    assert loaded.err.count("error: ") == 20
    assert "... and 5 more; see raw.load_history" in loaded.err


@pytest.mark.parametrize(
    ("arguments", "error", "mend"),
    [
        (["land", "/no/such/place"], "/no/such/place does not exist", "Kaggle's zip"),
        (["land", "{source}"], "missing in {source}: customers (olist_cust", "--allow-missing"),
        (["land", "{source}", "--env", "qa"], "unknown environment 'qa'", "local, dev, prod"),
        (["load", "--env", "qa"], "unknown environment 'qa'", "local, dev, prod"),
        (["load"], "does not exist", "olist land"),
        (["load", "--from", "{source}"], "holds no landing files", "olist land"),
        (["load", "--env", "dev"], "runs on Snowflake, where Snowpipe loads", "--env local"),
        (["load", "--from", "ftp://x/y"], "neither a folder nor S3", "s3://bucket/prefix"),
        (["load", "--from", "s3://"], "names no bucket", "s3://bucket/prefix"),
        (["load", "--endpoint-url", "http://x"], "an S3 endpoint makes no sense", "s3://"),
        (["land", "{source}", "--from", "2018-01-01"], "need --daily", "add --daily"),
        (["land", "{source}", "--daily", "--date", "2018-01-01"], "--date names", "--until"),
    ],
)
def test_mistakes_get_one_clear_message(
    olist: Olist, source: Path, arguments: list[str], error: str, mend: str
) -> None:
    outcome = olist(*(argument.format(source=source) for argument in arguments))
    assert outcome.code == 1
    assert outcome.err.count("error:") == 1
    assert error.format(source=source) in outcome.err
    assert mend in outcome.err.partition("mend:")[2]


def test_a_locked_warehouse_names_who_holds_it(olist: Olist, put: Put, landing: Path) -> None:
    put()
    assert olist("load", "--from", str(landing)).code == 0
    warehouse = load_environment(EnvironmentName.LOCAL).duckdb_path
    holding = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", holding, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        outcome = olist("load", "--from", str(landing))
    finally:
        holder.communicate(b"\n")
    assert outcome.code == 1
    assert f"{warehouse}: the warehouse is locked by" in outcome.err
    assert f"(PID {holder.pid})" in outcome.err
    assert "wait until that process ends" in outcome.err


def test_a_full_disk_while_landing(olist: Olist, source: Path, small_disk: Path) -> None:
    outcome = olist("land", str(source), "--allow-missing", "--to", str(small_disk / "landing"))
    assert outcome.code == 1
    assert "no space left on the disk" in outcome.err
    assert str(small_disk) in outcome.err
    assert not list(small_disk.rglob("*.part"))


def test_a_full_disk_while_loading_loses_nothing(
    olist: Olist, source: Path, small_disk: Path, tmp_path: Path
) -> None:
    landing = str(tmp_path / "landing")
    assert olist("land", str(source), "--allow-missing", "--to", landing).code == 0
    environment = tmp_path / "checkout/environments/local.yaml"
    complete = environment.read_text()
    environment.write_text(complete.replace("folder: data/local\n", f"folder: {small_disk}\n"))
    outcome = olist("load", "--from", landing)
    assert outcome.code == 1
    assert "no space left on the disk" in outcome.err
    assert str(small_disk) in outcome.err
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    again = olist("load", "--from", landing)
    assert again.code == 0, again.err
    assert "0 rejected" in again.out
    assert "loaded 0 files" in olist("load", "--from", landing).out


def test_read_only_disks(  # noqa: PLR0917 - fixtures
    olist: Olist, source: Path, put: Put, landing: Path, read_only_disk: Path, tmp_path: Path
) -> None:
    landed = olist("land", str(source), "--allow-missing", "--to", str(read_only_disk / "landing"))
    assert landed.code == 1
    assert "the disk is read-only" in landed.err
    put()
    environment = tmp_path / "checkout/environments/local.yaml"
    complete = environment.read_text()
    environment.write_text(complete.replace("folder: data/local\n", f"folder: {read_only_disk}\n"))
    loaded = olist("load", "--from", str(landing))
    assert loaded.code == 1
    assert "the disk is read-only" in loaded.err


_WITH_SMALL_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import typer
from olist_platform.cli.console import fail
from olist_platform.cli.land import land
from olist_platform.cli.load import load
from olist_platform.errors import OlistError
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(land)
app.command()(load)
try:
    app()
except OlistError as error:
    fail(error)
"""


@pytest.mark.slow
def test_a_file_size_limit_is_a_clear_error_for_any_user(
    olist: Olist, source: Path, tmp_path: Path
) -> None:
    landing = str(tmp_path / "landing")
    assert olist("land", str(source), "--allow-missing", "--to", landing).code == 0
    for arguments in (
        ["land", str(source), "--allow-missing", "--to", str(tmp_path / "other")],
        ["load", "--from", landing],
    ):
        done = subprocess.run(
            [sys.executable, "-c", _WITH_SMALL_FILES, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert "the file-size limit is reached" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list((tmp_path / "other").rglob("*.part"))
