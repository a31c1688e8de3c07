"""Read-only questions to the embedded warehouse and to its published copy."""

from pathlib import Path

import duckdb
import pyarrow as pa

from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.errors import OlistError
from olist_platform.naming import Layer

# What people read first comes first, so that an unqualified name finds the mart.
SEARCH_ORDER = (
    Layer.MARTS,
    Layer.INTERMEDIATE,
    Layer.STAGING,
    Layer.SNAPSHOTS,
    Layer.MONITORING,
    Layer.RAW,
)


def query_warehouse(path: Path, sql: str) -> pa.Table:
    """Answer one statement; models and raw tables need no schema in front of their name.

    The published copy has one schema, DuckDB's own; there, too, a mart needs none.

    Args:
        path: The DuckDB file.
        sql: One SQL statement.

    Raises:
        OlistError: The file is missing or locked, or the statement is wrong or would write.
    """
    with open_warehouse(path, read_only=True) as connection:
        existing = {
            name
            for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()
        }
        schemas = [layer.value for layer in SEARCH_ORDER if layer.value in existing]
        connection.execute(f"set search_path = '{','.join(schemas) or 'main'}'")
        connection.execute("set TimeZone = 'UTC'")
        try:
            return connection.sql(sql).to_arrow_table()
        except AttributeError:
            raise OlistError("the statement returns no rows", "ask with a select") from None
        except duckdb.Error as error:
            raise OlistError(str(error).strip(), "tables: olist query 'show all tables'") from error
