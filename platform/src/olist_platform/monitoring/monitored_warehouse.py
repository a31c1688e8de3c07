"""What monitoring may ask of a warehouse, the same on both engines, without meeting a writer.

On DuckDB it is the published marts and what each dbt command left behind (macro export_monitoring),
never the warehouse's own file. Why: platform/docs/decisions/monitoring-reads-copies.md.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from olist_platform.access_model import TRANSFORMER, snowflake_database_roles
from olist_platform.dbt_command import monitoring_export_folder
from olist_platform.duckdb_warehouse import (
    PUBLISH_AGAIN,
    duckdb_errors_explained,
    sql_literal,
)
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.naming import Layer, Workload
from olist_platform.snowflake_connection import open_snowflake

Row = Mapping[str, Any]
"""A row by its columns' lower-case names."""

_EXPORT_AGAIN = "move that file away; the next dbt command leaves a new one"
# Or no privilege on it: Snowflake does not tell the two apart.
_NO_SUCH_OBJECT = 2003


class MonitoredWarehouse(Protocol):
    """A warehouse that answers questions about what it holds for monitoring."""

    def rows(self, relation: str, columns: str, clauses: str = "") -> list[Row]:
        """Return rows of a relation; none where it is a layer's and not built yet.

        Args:
            relation: `<schema>.<name>`, or `<database>.<schema>.<name>` of another database.
            columns: What to select.
            clauses: Everything behind the relation: `where ...`, `group by ...`.

        Raises:
            OlistError: A relation of another database cannot be read: that is no empty one.
        """


class DuckDBCopies:
    """The copies that writers left on this machine."""

    def __init__(self, exported: Path, serving: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        # What each relation is a copy of, and how one gets a new one.
        self._files: dict[str, tuple[Path, str]] = {}
        for path in sorted(exported.glob("*.parquet")):
            with duckdb_errors_explained(path, _EXPORT_AGAIN):
                self._show(
                    f"{Layer.MONITORING}.{path.stem}",
                    f"read_parquet({sql_literal(path)})",
                    (path, _EXPORT_AGAIN),
                )
        if serving.exists():
            with duckdb_errors_explained(serving, PUBLISH_AGAIN):
                self._connection.execute(f"attach {sql_literal(serving)} as published (read_only)")
                for (name,) in self._connection.execute(
                    "select table_name from duckdb_tables() where database_name = 'published'"
                ).fetchall():
                    self._show(
                        f"{Layer.SERVING}.{name}", f'published."{name}"', (serving, PUBLISH_AGAIN)
                    )

    def rows(self, relation: str, columns: str, clauses: str = "") -> list[Row]:
        """Return rows of a relation; see `MonitoredWarehouse`."""
        if relation not in self._files:
            return []
        with duckdb_errors_explained(*self._files[relation]):
            answer = self._connection.execute(_statement(relation, columns, clauses))
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def _show(self, relation: str, source: str, file: tuple[Path, str]) -> None:
        schema, _ = relation.split(".")
        self._connection.execute(f"create schema if not exists {schema}")
        self._connection.execute(f"create view {relation} as from {source}")
        self._files[relation] = file


class SnowflakeSession:
    """An open session on Snowflake, in the environment's database."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def rows(self, relation: str, columns: str, clauses: str = "") -> list[Row]:
        """Return rows of a relation; see `MonitoredWarehouse`."""
        import snowflake.connector  # noqa: PLC0415

        with self.connection.cursor() as cursor:
            try:
                cursor.execute(_statement(relation, columns, clauses))
            except snowflake.connector.errors.ProgrammingError as error:
                if error.errno != _NO_SUCH_OBJECT:
                    raise
                # dbt's session owns what is in the layers: there it is missing and nothing else.
                if relation.partition(".")[0] in set(Layer):
                    return []
                raise _unreadable(relation) from error
            names = [column.name.lower() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def open_monitored_warehouse(environment: Environment) -> Iterator[MonitoredWarehouse]:
    """Open what monitoring may ask in an environment, for the time of the block.

    Raises:
        OlistError: Snowflake cannot be reached, or a copy is broken.
    """
    if isinstance(environment.warehouse, DuckDBWarehouse):
        copies = DuckDBCopies(monitoring_export_folder(environment), environment.serving_path)
        try:
            yield copies
        finally:
            copies.close()
        return
    with open_snowflake(environment, Workload.REPORT) as connection:
        yield SnowflakeSession(connection)


def _unreadable(relation: str) -> OlistError:
    roles = " and ".join(f"SNOWFLAKE.{name}" for name in snowflake_database_roles(TRANSFORMER))
    return OlistError(
        f"Snowflake: the {TRANSFORMER.name}'s role may not read {relation.partition(' ')[0]}:"
        f" it needs the database roles {roles}",
        "deploy the grants: `pulumi -C infra up --policy-pack ../policies`",
    )


def _statement(relation: str, columns: str, clauses: str) -> str:
    return f"select {columns} from {relation} {clauses}"  # noqa: S608 - names of our own
