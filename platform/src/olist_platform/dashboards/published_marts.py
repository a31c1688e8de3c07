"""What dashboards read: the published marts, and the monitoring models beside them.

On DuckDB marts come from the published copy, on Snowflake from the serving schema. Monitoring
models are not published: they come from the warehouse or, while a build holds DuckDB's, from what
dbt left for monitoring, which may be less. Nothing waits: a model that cannot be read is one that
is not recorded yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from olist_platform.dbt_command import monitoring_export_folder
from olist_platform.duckdb_warehouse import PUBLISH_AGAIN, duckdb_errors_explained, sql_literal
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.moments import as_utc
from olist_platform.monitoring.history import history_path
from olist_platform.naming import Layer, Workload
from olist_platform.publication import published_copy
from olist_platform.snowflake_connection import open_snowflake

_PUBLISHED = "published"

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Answers a statement with its rows."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What stands in the published copy.

    Attributes:
        as_of_date: Reference date of the figures; their activity of that day is inside.
        published_at: When they were published, UTC.
        dbt_invocation_id: The dbt invocation that tested them; None where unknown.
    """

    as_of_date: date | None
    published_at: datetime
    dbt_invocation_id: str | None


class PublishedMarts:
    """Answers questions to marts and monitoring models."""

    def __init__(self, ask: Ask, publication_table: str) -> None:
        """Ask by `ask`; `publication_table` says what was published."""
        self._ask = ask
        self._publication_table = publication_table
        self._relations: dict[str, str] = {}

    def show(self, name: str, source: str) -> None:
        """Let a relation be asked by its name; the first source of a name counts."""
        self._relations.setdefault(name, source)

    def relation(self, name: str) -> str | None:
        """Return what to ask for a mart or monitoring model; None where it is not there."""
        return self._relations.get(name)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._ask(statement)

    def publication(self) -> Publication:
        """Return what was published last."""
        [(day, moment, invocation)] = self.rows(
            "select max(as_of_date), max(published_at), max(dbt_invocation_id)"  # noqa: S608
            f" from {self._publication_table}"
        )
        return Publication(day, as_utc(moment), invocation)


@contextmanager
def open_published_marts(environment: Environment) -> Iterator[PublishedMarts]:
    """Open what an environment has published, for the time of the block.

    Raises:
        OlistError: Nothing is published, or the warehouse cannot be reached.
    """
    if isinstance(environment.warehouse, DuckDBWarehouse):
        with _on_duckdb(environment) as marts:
            yield marts
    else:
        with open_snowflake(environment, Workload.REPORT) as connection:
            yield marts_on_snowflake(connection, environment)


def marts_on_snowflake(connection: Any, environment: Environment) -> PublishedMarts:
    """Return what a session on Snowflake finds published.

    Raises:
        OlistError: Nothing is published.
    """
    names = environment.names

    def ask(statement: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = connection.cursor().execute(statement).fetchall()
        return rows

    serving, monitoring = names.schema(Layer.SERVING), names.schema(Layer.MONITORING)
    marts = PublishedMarts(ask, f"{names.database}.{serving}.{names.publication_table}")
    for schema in (serving, monitoring):
        for (name,) in ask(
            "select table_name from information_schema.tables"  # noqa: S608 - our own names
            f" where table_schema = '{schema.upper()}' order by table_name"
        ):
            marts.show(name.lower(), f"{names.database}.{schema}.{name}")
    if marts.relation(names.publication_table) is None:
        raise OlistError(
            f"nothing is published yet in {names.database}.{serving}",
            f"run `olist publish --env {environment.name}`, or the production DAG",
        )
    return marts


@contextmanager
def _on_duckdb(environment: Environment) -> Iterator[PublishedMarts]:
    copy = published_copy(environment)
    with duckdb_errors_explained(copy, PUBLISH_AGAIN), duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
        connection.execute(f"attach {sql_literal(copy)} as {_PUBLISHED} (read_only)")
        marts = PublishedMarts(
            lambda statement: connection.execute(statement).fetchall(),
            f"{_PUBLISHED}.{environment.names.publication_table}",
        )
        for (name,) in _tables(connection, _PUBLISHED, "main"):
            marts.show(name, f'{_PUBLISHED}."{name}"')
        if marts.relation(environment.names.publication_table) is None:
            raise OlistError(f"{copy}: it is no published copy", PUBLISH_AGAIN)
        _show_monitoring(marts, connection, environment)
        for path in sorted(monitoring_export_folder(environment).glob("monitoring_*.parquet")):
            marts.show(path.stem, f"read_parquet({sql_literal(path)})")
        yield marts


def _show_monitoring(
    marts: PublishedMarts, connection: duckdb.DuckDBPyConnection, environment: Environment
) -> None:
    schema = environment.names.schema(Layer.MONITORING)
    for path, schema_of_file in (
        (environment.duckdb_path, schema),
        (history_path(environment), "main"),
    ):
        if not path.exists():
            continue
        try:
            # By the name of its file, which the warehouse's views use.
            connection.execute(f"attach {sql_literal(path)} (read_only)")
        except duckdb.IOException:
            # A writer has it.
            continue
        for (name,) in _tables(connection, path.stem, schema_of_file):
            marts.show(name, f'{path.stem}.{schema_of_file}."{name}"')


def _tables(connection: duckdb.DuckDBPyConnection, catalog: str, schema: str) -> list[tuple[str]]:
    return connection.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = ? and table_schema = ? order by table_name",
        [catalog, schema],
    ).fetchall()
