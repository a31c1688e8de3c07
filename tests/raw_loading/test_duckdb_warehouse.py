"""Opening the warehouse: every way in which it can fail says what and what to do."""

from pathlib import Path

import duckdb
import pytest

from olist_platform.duckdb_warehouse import explain_duckdb_error, open_warehouse
from olist_platform.errors import OlistError


def refused(path: Path, *, read_only: bool = False) -> OlistError:
    with pytest.raises(OlistError) as raised, open_warehouse(path, read_only=read_only):
        pass
    assert str(path) in raised.value.message or str(path.parent) in raised.value.message
    return raised.value


def test_writing_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a/b/x.duckdb"
    with open_warehouse(path, threads=1, memory_limit_gib=0.5) as connection:
        connection.execute("create table t as select 42 as answer")
        settings = "select current_setting('threads'), current_setting('memory_limit')"
        assert connection.execute(settings).fetchall() == [(1, "512.0 MiB")]
    with open_warehouse(path, read_only=True) as connection:
        assert connection.execute("from t").fetchall() == [(42,)]
        made = "select tags['storage_version'] from duckdb_databases() where database_name = 'x'"
        assert connection.execute(made).fetchall() == [("v1.4.0+",)]
        # One process cannot have the same file open in both ways.
        assert "in another way" in refused(path).message


def test_there_is_no_warehouse_yet(tmp_path: Path) -> None:
    error = refused(tmp_path / "x.duckdb", read_only=True)
    assert "there is no warehouse yet" in error.message
    assert "make demo" in error.mend


@pytest.mark.parametrize("content", [b"hi", b"no database " * 10_000])
def test_the_file_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(content)
    assert "it is not a DuckDB database" in refused(path).message


def test_the_path_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "folder.duckdb").mkdir()
    assert "it is a folder" in refused(tmp_path / "folder.duckdb").message
    (tmp_path / "file").write_bytes(b"")
    assert "in the way" in refused(tmp_path / "file/x.duckdb").message


def test_the_disk_is_read_only(read_only_disk: Path) -> None:
    assert "the disk is read-only" in refused(read_only_disk / "x.duckdb").message
    assert "the disk is read-only" in refused(read_only_disk / "folder/x.duckdb").message


def test_a_reader_that_writes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with open_warehouse(path):
        pass
    with (
        pytest.raises(OlistError, match="opened for reading only"),
        open_warehouse(path, read_only=True) as connection,
    ):
        connection.execute("create table t (a int)")


def test_other_errors_keep_duckdbs_first_line() -> None:
    error = explain_duckdb_error(duckdb.BinderException("Binder Error: what\n\nLINE 1"), Path("x"))
    assert error.message == "x: Binder Error: what"
    memory = duckdb.OutOfMemoryException("Out of Memory Error: 1 GiB")
    assert "memory_limit_gib" in explain_duckdb_error(memory, Path("x")).mend
