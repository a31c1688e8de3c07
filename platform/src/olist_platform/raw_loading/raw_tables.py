"""The raw tables: one per dataset, all text, append-only."""

from collections.abc import Iterator
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from olist_platform.naming import Layer, Names
from olist_platform.source_catalog import CATALOG, LOADED_AT, SOURCE_FILE, SOURCE_ROW, Dataset

_INCOMING = "_olist_incoming"
# Large enough for many row groups, small against the memory of any machine.
_STATEMENT_BYTES = 128 << 20
_METADATA = (
    (SOURCE_FILE, pa.string()),
    (SOURCE_ROW, pa.int64()),
    (LOADED_AT, pa.timestamp("us")),
)


def quoted(*parts: str) -> str:
    """Return a qualified SQL identifier."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def raw_table(names: Names, dataset: Dataset) -> str:
    """Return the qualified, quoted name of a dataset's raw table."""
    return quoted(names.schema(Layer.RAW), names.raw_table(dataset))


def create_raw_tables(connection: duckdb.DuckDBPyConnection, names: Names) -> None:
    """Create the raw schema and a table for every dataset, where they do not exist."""
    connection.execute(f"create schema if not exists {quoted(names.schema(Layer.RAW))}")
    for dataset in CATALOG:
        columns = "".join(f"{quoted(name)} varchar, " for name in dataset.header)
        connection.execute(
            f"create table if not exists {raw_table(names, dataset)} ({columns}"
            f"{SOURCE_FILE} varchar not null, {SOURCE_ROW} bigint not null, "
            f"{LOADED_AT} timestamp not null)"
        )


def append_records(
    connection: duckdb.DuckDBPyConnection,
    names: Names,
    dataset: Dataset,
    *,
    files: list[tuple[str, int]],
    loaded_at: datetime,
    batches: Iterator[pa.RecordBatch],
) -> int:
    """Append parsed records to a raw table, in the caller's transaction, and return their number.

    Args:
        connection: The warehouse.
        names: Names of its tables.
        dataset: The dataset of all files.
        files: Landing-relative path and number of records of each file.
        loaded_at: `_loaded_at` of all rows, UTC.
        batches: The records of these files, one file after the other.
    """
    schema = pa.schema([*((name, pa.string()) for name in dataset.header), *_METADATA])
    numbered = _with_metadata(batches, schema, files, loaded_at)
    columns = ", ".join(quoted(name) for name in schema.names)
    insert = (
        f"insert into {raw_table(names, dataset)} ({columns}) select {columns} from {_INCOMING}"  # noqa: S608
    )
    appended = 0
    for segment in _segments(numbered):
        connection.register(_INCOMING, pa.RecordBatchReader.from_batches(schema, segment))
        try:
            result = connection.execute(insert).fetchone()
        finally:
            connection.unregister(_INCOMING)
        appended += int(result[0]) if result else 0
    return appended


def _segments(batches: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """Split a stream into one stream per statement; each must be used up before the next.

    In one statement DuckDB writes whole row groups compressed, but it also holds on to a part of
    Arrow's memory until the statement ends.
    """

    def up_to_limit(first: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        size = first.nbytes
        yield first
        while size < _STATEMENT_BYTES and (batch := next(batches, None)) is not None:
            size += batch.nbytes
            yield batch

    for first in batches:
        yield up_to_limit(first)


def _with_metadata(
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    files: list[tuple[str, int]],
    loaded_at: datetime,
) -> Iterator[pa.RecordBatch]:
    """Add to each record its file, its number in that file and the time of the load."""
    paths = pa.array([path for path, _ in files], pa.string())
    ends: NDArray[np.int64] = np.cumsum([records for _, records in files])
    starts: NDArray[np.int64] = np.concatenate(([0], ends[:-1]))
    moment = pa.scalar(loaded_at, pa.timestamp("us"))
    done = 0
    for batch in batches:
        numbers = np.arange(done, done + batch.num_rows)
        # A record beyond the last file cannot be; the caller compares the numbers.
        index = np.minimum(np.searchsorted(ends, numbers, side="right"), len(files) - 1)
        metadata = [
            paths.take(pa.array(index)),
            pa.array(numbers - starts[index] + 1),
            pa.repeat(moment, batch.num_rows),
        ]
        yield pa.RecordBatch.from_arrays([*batch.columns, *metadata], schema=schema)
        done += batch.num_rows
