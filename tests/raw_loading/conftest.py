import gzip
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
import typer

from olist_platform.cli.console import fail
from olist_platform.cli.land import land as land_command
from olist_platform.cli.load import load as load_command
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.landing.folder_store import FolderStore
from olist_platform.naming import EnvironmentName
from olist_platform.raw_loading.loader import load_landing
from olist_platform.raw_loading.results import LoadResult
from olist_platform.repository import repository_root
from olist_platform.source_catalog import dataset_named


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Olist = Callable[..., Outcome]

SELLERS = "sellers/dt=2018-01-01/olist_sellers_dataset.csv.gz"
HEADER = ",".join(dataset_named("sellers").header).encode() + b"\n"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """The local environment with its warehouse in a folder of this test."""
    local = load_environment(EnvironmentName.LOCAL)
    assert isinstance(local.warehouse, DuckDBWarehouse)
    warehouse = local.warehouse.model_copy(update={"folder": tmp_path / "warehouse"})
    return local.model_copy(update={"warehouse": warehouse})


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    (folder / "sellers").mkdir(parents=True)
    return folder


@pytest.fixture
def put(landing: Path) -> Callable[..., Path]:
    """Write a landing file: gzipped sellers with the right header, unless told otherwise."""

    def write(
        body: bytes = b"s1,01001,sao paulo,SP\n",
        path: str = SELLERS,
        header: bytes = HEADER,
        *,
        pack: Callable[[bytes], bytes] = lambda content: gzip.compress(content, 1, mtime=0),
    ) -> Path:
        target = landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pack(header + body))
        return target

    return write


@pytest.fixture
def load(environment: Environment, landing: Path) -> Callable[[], LoadResult]:
    return lambda: load_landing(environment, FolderStore(landing))


@pytest.fixture
def query(environment: Environment) -> Callable[[str], list[tuple[object, ...]]]:
    def run(sql: str) -> list[tuple[object, ...]]:
        with open_warehouse(environment.duckdb_path, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return run


@pytest.fixture
def writer(
    environment: Environment,
) -> Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]:
    return lambda: open_warehouse(environment.duckdb_path)


@pytest.fixture
def settled_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folder store trust the times of files that were written a moment ago."""
    monkeypatch.setattr("olist_platform.landing.folder_store._CLOCK_TICK_NS", -(10**12))


@pytest.fixture
def touch_later() -> Callable[[Path], None]:
    def touch(path: Path) -> None:
        state = path.stat()
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))

    return touch


@pytest.fixture
def olist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Olist:
    """Run `olist land` and `olist load` in a checkout of this test: exit code, output, errors."""
    home = tmp_path / "checkout"
    (home / "dbt").mkdir(parents=True)
    shutil.copytree(repository_root() / "environments", home / "environments")
    monkeypatch.setenv("OLIST_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "300")
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("land")(land_command)
    app.command("load")(load_command)

    def run(*arguments: str) -> Outcome:
        code: int | str | None = 0
        try:
            try:
                app([*arguments], standalone_mode=True)
            except OlistError as error:
                fail(error)
        except SystemExit as ended:
            code = ended.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    with _mounted(tmp_path / "small-disk", "size=3m") as folder:
        yield folder


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    with _mounted(tmp_path / "read-only-disk", "ro,size=1m") as folder:
        yield folder


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a disk for this test")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a disk: {done.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
