"""The manifest that everything reads: whole and of today's project, or made anew."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest

from olist_platform import dbt_command
from olist_platform.column_lineage import read_project_lineage
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.publication import published_marts
from olist_workspace import ROOT


@pytest.mark.parametrize("left_by_a_killed_dbt", [b"", b'{"nodes": {"model.olist.a": {'])
def test_half_a_manifest_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_by_a_killed_dbt: bytes
) -> None:
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    local = load_environment(EnvironmentName.LOCAL)
    # Younger than every file of the project.
    manifest = dbt_command.manifest_path(local)
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(left_by_a_killed_dbt)
    asked = []

    def run_dbt(
        environment: Environment, arguments: Sequence[str], *, quiet: bool
    ) -> CompletedProcess[str]:
        assert environment is local
        assert quiet
        asked.append(arguments)
        manifest.write_text('{"nodes": {}}', encoding="utf-8")
        return CompletedProcess(arguments, 0)

    monkeypatch.setattr(dbt_command, "run_dbt", run_dbt)
    for _ in range(2):
        assert dbt_command.fresh_manifest(local) == manifest
        assert json.loads(manifest.read_bytes()) == {"nodes": {}}
    assert asked == [["parse"]]


@pytest.mark.parametrize(
    "read",
    [
        dbt_command.read_manifest,
        published_marts,
        partial(read_project_lineage, dialect="duckdb"),
    ],
)
def test_a_manifest_that_another_dbt_is_writing_is_told(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"nodes": {"model.olist.a": {', encoding="utf-8")
    with pytest.raises(OlistError) as raised:
        read(manifest)
    assert raised.value.message == f"{manifest}: dbt has not written it to its end"
    assert raised.value.mend.endswith("run the same command again")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment with a warehouse."""
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    local = load_environment(EnvironmentName.LOCAL)
    with open_warehouse(local.duckdb_path):
        pass
    return local


@pytest.fixture
def holder(local: Environment) -> Iterator[int]:
    """Number of another process that has the warehouse open."""
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(local.duckdb_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process.pid
        process.communicate(b"\n")


def test_a_captured_dbt_that_finds_the_warehouse_locked_tells_who_has_it(
    local: Environment, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(duckdb.IOException) as said:
        duckdb.connect(local.duckdb_path)
    answer = CompletedProcess([], 2, f"Encountered an error:\nRuntime Error\n  {said.value}", "")
    monkeypatch.setattr(dbt_command, "run_captured", lambda *_: answer)
    with pytest.raises(OlistError) as raised:
        dbt_command.run_dbt(local, ["test"], quiet=True)
    assert raised.value.message.startswith(f"{local.duckdb_path}: the warehouse is locked by ")
    assert raised.value.message.endswith(f"(PID {holder})")
    assert "run the same command again" in raised.value.mend


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "no space left on the disk"),
        ("OSError: [Errno 27] File too large", "the file-size limit is reached"),
        ("OSError: [Errno 30] Read-only file system: 'x'", "the disk is read-only"),
    ],
)
def test_a_captured_dbt_that_cannot_write_is_told_in_one_line(
    local: Environment, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    pages = f"Encountered an error:\nTraceback (most recent call last):\n  File ...\n{said}"
    monkeypatch.setattr(dbt_command, "run_captured", lambda *_: CompletedProcess([], 2, pages, ""))
    with pytest.raises(OlistError) as raised:
        dbt_command.run_dbt(local, ["parse"], quiet=True)
    assert raised.value.message == f"{dbt_command.dbt_target_path(local)}: {told}"
    assert raised.value.mend
    words = "1 of 2 FAIL not_null_orders_order_id"
    monkeypatch.setattr(dbt_command, "run_captured", lambda *_: CompletedProcess([], 1, words, ""))
    assert dbt_command.run_dbt(local, ["test"], quiet=True).stdout == words


def test_dbt_is_not_begun_on_a_warehouse_in_use_but_where_it_needs_none(
    local: Environment, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[str]] = []

    def run(command: list[str], *_: object) -> CompletedProcess[str]:
        begun.append(command[1:])
        return CompletedProcess(command, 0)

    monkeypatch.setattr(dbt_command, "run_in_foreground", run)
    monkeypatch.setattr(dbt_command, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(OlistError, match=rf"\(PID {holder}\)"):
        dbt_command.run_dbt_on_free_warehouse(local, ["--quiet", "build", "-s", "stg_orders"])
    assert begun == []
    assert dbt_command.run_dbt_on_free_warehouse(local, ["parse"]) == 0
    assert begun == [["parse"]]


def test_dbt_that_ran_nothing_because_another_came_first_is_explained(
    local: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = dbt_command.dbt_target_path(local) / "run_results.json"

    def overtaken(*_: object) -> CompletedProcess[str]:
        local.duckdb_path.write_bytes(b"what another made of it")
        return CompletedProcess([], 2)

    def failed_test(*_: object) -> CompletedProcess[str]:
        results.write_text("{}", encoding="utf-8")
        return CompletedProcess([], 1)

    monkeypatch.setattr(dbt_command, "run_in_foreground", failed_test)
    assert dbt_command.run_dbt_on_free_warehouse(local, ["build"]) == 1
    monkeypatch.setattr(dbt_command, "run_in_foreground", overtaken)
    with pytest.raises(OlistError, match="it is not a DuckDB database"):
        dbt_command.run_dbt_on_free_warehouse(local, ["build"])


@pytest.mark.parametrize("mark", ["#", "?"])
def test_a_path_that_dbt_reads_as_an_address_is_refused(
    local: Environment, tmp_path: Path, mark: str
) -> None:
    """dbt would name the warehouse after what stands before the mark."""
    assert isinstance(local.warehouse, DuckDBWarehouse)
    warehouse = local.warehouse.model_copy(update={"folder": tmp_path / f"no {mark}1"})
    with pytest.raises(OlistError, match=f"no \\{mark}1.*marks of an address"):
        dbt_command.dbt_variables(local.model_copy(update={"warehouse": warehouse}))
