"""The warehouse as fitting and back-tests use it: frames out, rows of parameters in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb
import polars as pl

from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.naming import Workload
from olist_platform.snowflake_connection import open_snowflake


class PredictionWarehouse(Protocol):
    """An open warehouse."""

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of a select; names of columns in lower case."""

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows, all of them or none.

        Args:
            table: `<schema>.<name>`.
            rows: Values by column; each row has the same columns.
        """


class DuckDBPredictions:
    """The embedded warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of a select; see `PredictionWarehouse`."""
        frame: pl.DataFrame = self._connection.execute(sql).pl()
        return frame

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows; see `PredictionWarehouse`."""
        columns = list(rows[0])
        places = ", ".join(["?"] * len(columns))
        self._connection.execute("begin")
        try:
            self._connection.executemany(
                f"insert into {table} ({', '.join(columns)}) values ({places})",  # noqa: S608
                [[row[column] for column in columns] for row in rows],
            )
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


class SnowflakePredictions:
    """An open session on Snowflake, in the environment's database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of a select; see `PredictionWarehouse`."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column.name.lower() for column in cursor.description]
            return pl.DataFrame(
                cursor.fetchall(), schema=names, orient="row", infer_schema_length=None
            )

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows by one statement, which Snowflake does whole or not at all."""
        columns = list(rows[0])
        places = f"({', '.join(['%s'] * len(columns))})"
        statement = (
            f"insert into {table} ({', '.join(columns)}) values {', '.join([places] * len(rows))}"  # noqa: S608
        )
        values = [row[column] for row in rows for column in columns]
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)


@contextmanager
def open_predictions(
    environment: Environment, *, read_only: bool = True
) -> Iterator[PredictionWarehouse]:
    """Open the warehouse of an environment for the time of the block.

    On DuckDB that is the working file, which one process may write: nothing else can build while
    the block lasts.

    Raises:
        OlistError: It is missing, locked or cannot be reached, or a statement fails.
    """
    settings = environment.warehouse
    if isinstance(settings, DuckDBWarehouse):
        with open_warehouse(
            environment.duckdb_path,
            read_only=read_only,
            threads=settings.threads,
            memory_limit_gib=settings.memory_limit_gib,
        ) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield DuckDBPredictions(connection)
        return
    with open_snowflake(environment, Workload.TRANSFORM) as connection:
        yield SnowflakePredictions(connection)
