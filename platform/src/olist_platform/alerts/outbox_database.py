"""Where an outbox lies: a SQLite file of this machine, or a database that machines share."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from olist_platform.alerts.outbox_tables import METADATA
from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.repository import state_folder

_SECONDS_TO_WAIT_FOR_A_LOCK = 30
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_CHECK_ITS_PLACE = (
    "check that its disk has room and its database can be reached and written,"
    " then run the same command again"
)
_BEGIN_ANEW = (
    "move that file away, and what lies beside it under its name: the next alert begins a new one,"
    " `olist monitor` raises again what is still wrong, messages that waited are lost"
)
_ADVISORY_LOCK = 0x6F6C697374


class OutboxDatabase:
    """The outbox's database, whose transactions never run side by side.

    SQLite's write lock does that, an advisory lock on PostgreSQL. The tables are made where there
    are none.
    """

    def __init__(self, url: URL) -> None:
        self._shown_url = url.render_as_string(hide_password=True)
        self._engine = _engine(url)
        with self.transaction() as connection:
            METADATA.create_all(connection)

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """Open the SQLite database of a file.

        Raises:
            OlistError: It cannot be read or written, or its folder cannot be made.
        """
        with os_errors_explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        return cls(URL.create("sqlite", database=str(path)))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection in a transaction of its own: all of the block holds, or nothing.

        Raises:
            OlistError: The database cannot be reached or written.
        """
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            is_damaged = getattr(reason, "sqlite_errorcode", None) in _DAMAGED
            raise OlistError(
                f"the outbox of alerts ({self._shown_url}) cannot be used: {reason}",
                _BEGIN_ANEW if is_damaged else _CHECK_ITS_PLACE,
            ) from error


def open_database(environment: Environment) -> OutboxDatabase:
    """Open the database of an environment's outbox.

    Raises:
        OlistError: It cannot be reached or written.
    """
    reference = environment.alerts.outbox
    if reference is None:
        return OutboxDatabase.in_file(alerts_folder(environment) / "outbox.sqlite")
    try:
        return OutboxDatabase(make_url(reference.read().get_secret_value()))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise OlistError(
            f"{reference.environment_variable} does not lead to a database",
            "give it an SQLAlchemy address, such as postgresql+psycopg2://user:password@host/name",
        ) from error


def alerts_folder(environment: Environment) -> Path:
    """Folder of what alerts keep on this machine."""
    return state_folder(environment.name) / "alerts"


def _engine(url: URL) -> Engine:
    # A connection for each transaction: nothing is held open, and nothing is shared after a fork.
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _take_the_write_lock)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    # No transaction of the driver's own: it would begin as a reader and fail when it writes.
    connection.isolation_level = None
    connection.execute(f"pragma busy_timeout = {_SECONDS_TO_WAIT_FOR_A_LOCK * 1000}")
    if connection.execute("pragma journal_mode").fetchone() != ("wal",):
        connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")


def _take_the_write_lock(connection: Connection) -> None:
    connection.exec_driver_sql("begin immediate")
