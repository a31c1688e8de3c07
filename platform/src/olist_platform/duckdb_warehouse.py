"""Opening the embedded warehouse, and what DuckDB says when it cannot, in a user's words."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from olist_platform.errors import OlistError, os_errors_explained

# Of a new file; DuckDB would make one that its version 0.10 can read. This one keeps a column of
# few texts (tiers, states, segments) in a form that takes a third less time to write.
_STORAGE_VERSION = "v1.4.0"

_LOCK_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
# All that DuckDB leaves of a KeyboardInterrupt.
_INTERRUPTED = "Query interrupted"
_RUN_AGAIN = "then run the same command again"

# How one gets a new file: of the warehouse, and of its published copy.
LOAD_AGAIN = "move that file away; `olist load` makes a new one from the landing"
PUBLISH_AGAIN = "move that file away; the next publication makes a new one: olist publish"

# A part of DuckDB's message -> what is wrong with the file itself.
_BROKEN: tuple[tuple[str, str], ...] = (
    ("not a valid DuckDB database file", "it is not a DuckDB database"),
    ("Could not read enough bytes", "the file is cut off"),
    ("Corrupt database file", "the file is damaged"),
    ("too small to be a Parquet file", "it is not a Parquet file"),
    ("No magic bytes found", "it is not a Parquet file"),
    ("TProtocolException", "the file is damaged"),
)
# A part of DuckDB's message -> what is wrong, and the mend.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    ("No space left", "no space left on the disk", f"free some space, {_RUN_AGAIN}"),
    ("Disk quota exceeded", "the disk quota is used up", f"free some space, {_RUN_AGAIN}"),
    ("File too large", "the file-size limit is reached", "raise the limit (ulimit -f)"),
    ("Read-only file system", "the disk is read-only", "choose a writable place, or remount it"),
    (
        "attached in read-only mode",
        "the warehouse is opened for reading only",
        "use a command that writes, such as olist load",
    ),
    ("Permission denied", "permission denied", "check the owner and the mode of that path"),
    ("Is a directory", "it is a folder, not a warehouse", "move that folder away"),
    ("Not a directory", "a part of the path is not a folder", "check warehouse.folder"),
    (
        "Trying to read a database file with version",
        "another version of DuckDB wrote it",
        "run `make setup`, or move that file away and load again",
    ),
    (
        "different configuration",
        "this process has it open in another way already",
        "close the other connection first",
    ),
)


@contextmanager
def open_warehouse(
    path: Path,
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit_gib: float | None = None,
    mend_broken: str = LOAD_AGAIN,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for the time of the block; DuckDB's errors in it become an OlistError.

    Args:
        path: The file; made with its folder when opened for writing.
        read_only: Open for reading; any number of readers may, as long as nobody writes.
        threads: Threads of DuckDB; one per core unless told.
        memory_limit_gib: Memory of DuckDB; DuckDB's default unless told.
        mend_broken: How one gets a new file where this one is broken.

    Raises:
        OlistError: The file is missing, locked, broken or not writable, or the disk is full.
    """
    if read_only and not path.exists():
        raise OlistError(
            f"there is no warehouse yet: {path} does not exist",
            "run `make demo`, or `olist load` after `olist land`",
        )
    if not read_only:
        with os_errors_explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb_errors_explained(path, mend_broken):
        if not path.exists():
            _make_file(path)
        connection = duckdb.connect(path, read_only=read_only)
        try:
            # DuckDB would draw a bar of its own on standard output, in files and pipes too.
            connection.execute("set enable_progress_bar = false")
            # Set after connecting: options of connect() must agree within one process.
            if threads is not None:
                connection.execute(f"set threads = {threads:d}")
            if memory_limit_gib is not None:
                connection.execute(f"set memory_limit = '{memory_limit_gib:f}GiB'")
            yield connection
        except BaseException:
            # Closing waits for threads of a statement that Ctrl-C has cut short, were it for hours.
            connection.interrupt()
            raise
        finally:
            connection.close()


def _make_file(path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"attach {sql_literal(path)} as made (storage_version '{_STORAGE_VERSION}')"
        )


@contextmanager
def duckdb_errors_explained(path: Path, mend_broken: str = LOAD_AGAIN) -> Iterator[None]:
    """Raise DuckDB's errors from the block as an OlistError that names the file.

    Ctrl-C while DuckDB is at work stays what it is elsewhere.
    """
    try:
        yield
    except duckdb.Error as error:
        raise explain_duckdb_error(error, path, mend_broken) from error
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


def explain_duckdb_error(
    error: duckdb.Error, path: Path, mend_broken: str = LOAD_AGAIN
) -> OlistError:
    """Translate an error of DuckDB into one a user can act on.

    Args:
        error: What DuckDB said.
        path: The file at work; the warehouse's unless told otherwise.
        mend_broken: How one gets a new file where this one is broken.
    """
    text = str(error)
    if "Could not set lock" in text:
        holder = _LOCK_HOLDER.search(text)
        by = f" by {holder['program']} (PID {holder['pid']})" if holder else " by another process"
        return OlistError(
            f"{path}: the warehouse is locked{by}",
            "wait until that process ends, or stop it, " + _RUN_AGAIN,
        )
    for part, what in _BROKEN:
        if part in text:
            return OlistError(f"{path}: {what}", mend_broken)
    for part, what, mend in _KNOWN:
        if part in text:
            return OlistError(f"{path}: {what}", mend)
    if isinstance(error, duckdb.OutOfMemoryException):
        return OlistError(
            f"{path}: not enough memory: {_first_line(text)}",
            "raise warehouse.memory_limit_gib of the environment",
        )
    return OlistError(f"{path}: {_first_line(text)}")


def sql_literal(value: str | os.PathLike[str]) -> str:
    """Return a text or path as a string of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
