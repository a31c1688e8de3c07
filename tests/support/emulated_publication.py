"""Published marts on an emulated Snowflake account: those of a copy published on DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from olist_platform.naming import EnvironmentName, Names
from snowflake_emulator import SnowflakeEmulator, snowflake_emulator


@contextmanager
def emulated_publication(serving: Path) -> Iterator[SnowflakeEmulator]:
    """Serve what a DuckDB file holds as the published marts of dev."""
    with snowflake_emulator(Names(EnvironmentName.DEV)) as emulator:
        connection = emulator.connection
        connection.execute(f"attach '{serving}' as copy (read_only)")
        connection.execute("create schema OLIST_DEV.SERVING; create schema OLIST_DEV.MONITORING")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'copy'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(
                f"create table OLIST_DEV.SERVING.{table.upper()} as from copy.{table}"
            )
        connection.execute("detach copy")
        yield emulator
