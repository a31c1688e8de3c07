"""Read-only questions to the embedded warehouse and to its published copy."""

from pathlib import Path

import duckdb
import pyarrow as pa

from olist_platform.duckdb_warehouse import LOAD_AGAIN, PUBLISH_AGAIN, open_warehouse
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


def query_warehouse(path: Path, sql: str, *, is_published: bool = False) -> pa.Table:
    """Answer one statement; models and raw tables need no schema in front of their name.

    It reaches no other file, nor does it write one: COPY ... TO needs no writable database.

    The published copy has one schema, DuckDB's own; there, too, a mart needs none.

    Args:
        path: The DuckDB file.
        sql: One SQL statement.
        is_published: The file is the published copy.

    Raises:
        OlistError: The file is missing or locked, or the statement is wrong or would write.
    """
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        # So Python hands over bytes of the command line that it cannot read.
        raise OlistError(
            "the statement is no text in UTF-8", "let the terminal write UTF-8: export LANG=C.UTF-8"
        ) from error
    mend = PUBLISH_AGAIN if is_published else LOAD_AGAIN
    with open_warehouse(path, read_only=True, mend_broken=mend) as connection:
        existing = {
            name
            for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()
        }
        schemas = [layer.value for layer in SEARCH_ORDER if layer.value in existing]
        connection.execute(f"set search_path = '{','.join(schemas) or 'main'}'")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_external_access = false")
        try:
            statements = len(connection.extract_statements(sql))
            if statements != 1:
                raise OlistError(
                    f"one statement is answered at a time, not {statements}",
                    "ask one after another",
                )
            return connection.sql(sql).to_arrow_table()
        except AttributeError:
            raise OlistError("the statement returns no rows", "ask with a select") from None
        except duckdb.Error as error:
            raise OlistError(str(error).strip(), "tables: olist query 'show all tables'") from error
