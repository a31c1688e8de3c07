"""The load history: which file was loaded, when, with what content."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import duckdb
import pyarrow as pa

from olist_platform.naming import Layer, Names
from olist_platform.raw_loading.raw_tables import quoted

_INCOMING = "_olist_history"


class LoadStatus(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One row of the history.

    Attributes:
        dataset: First folder of the path; of a rejected file it need not be a dataset.
        source_file: Landing-relative path.
        extract_date: Day that the path tells, if it does.
        content_sha256: Of the uncompressed content; of a rejected file, as stored.
        size_bytes: Size as stored.
        row_count: Rows added to the raw table: 0 unless loaded.
        status: What became of the file.
        reason: Why it was not loaded; None where it was.
        fingerprint: The store's; None where it promises nothing.
    """

    dataset: str
    source_file: str
    extract_date: date | None
    content_sha256: str
    size_bytes: int
    row_count: int
    status: LoadStatus
    reason: str | None
    fingerprint: str | None


class LoadHistory:
    """The history table, and what it says, kept in step with what this run adds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: Names) -> None:
        self._connection = connection
        self._table = quoted(names.schema(Layer.RAW), names.load_history_table)
        self._create()
        self._known_paths: set[tuple[str, str]] = set()
        self._extracts: dict[tuple[str, date | None, str], str] = {}
        self._fingerprints: dict[str, str | None] = {}
        self._rejected: dict[str, tuple[str, str | None]] = {}
        latest: datetime | None = None
        rows = connection.execute(
            "select dataset, source_file, extract_date, content_sha256, size_bytes, row_count,"  # noqa: S608
            f" status, reason, fingerprint, loaded_at from {self._table} order by loaded_at"
        ).fetchall()
        for row in rows:
            self.remember(_entry(row))
            latest = row[-1]
        self.loaded_at = _later_than(latest)

    def is_unchanged(self, path: str, fingerprint: str | None) -> bool:
        """Whether the store's fingerprint alone tells that this file was dealt with."""
        return fingerprint is not None and self._fingerprints.get(path) == fingerprint

    def knows(self, path: str, sha256: str) -> bool:
        """Whether this content was loaded, or found a duplicate, under this path."""
        return (path, sha256) in self._known_paths

    def same_extract(self, dataset: str, extract_date: date, sha256: str) -> str | None:
        """Return the path under which this dataset's content of that day was loaded, if it was."""
        return self._extracts.get((dataset, extract_date, sha256))

    def was_rejected(self, entry: HistoryEntry) -> bool:
        """Whether the newest thing known of the file is the same rejection of the same content."""
        return self._rejected.get(entry.source_file) == (entry.content_sha256, entry.reason)

    def remember(self, entry: HistoryEntry) -> None:
        """Take an entry into account for the files that follow."""
        path = entry.source_file
        self._rejected.pop(path, None)
        self._fingerprints.pop(path, None)
        if entry.status is LoadStatus.REJECTED:
            self._rejected[path] = (entry.content_sha256, entry.reason)
            return
        self._known_paths.add((path, entry.content_sha256))
        self._fingerprints[path] = entry.fingerprint
        if entry.status is LoadStatus.LOADED:
            key = (entry.dataset, entry.extract_date, entry.content_sha256)
            self._extracts.setdefault(key, path)

    def write(self, entries: list[HistoryEntry]) -> None:
        """Add entries to the table, in the caller's transaction."""
        columns = {
            name: [getattr(entry, name) for entry in entries] for name in HistoryEntry.__slots__
        }
        columns["status"] = [entry.status.value for entry in entries]
        table = pa.table(columns, schema=_SCHEMA)
        self._connection.register(_INCOMING, table)
        try:
            self._connection.execute(
                f"insert into {self._table} by name select *, ?::timestamp as loaded_at"  # noqa: S608
                f" from {_INCOMING}",
                [self.loaded_at],
            )
        finally:
            self._connection.unregister(_INCOMING)

    def refresh_fingerprints(self, fingerprints: dict[str, tuple[str, str]]) -> None:
        """Note that files, read again, still hold what the history says.

        Args:
            fingerprints: Content's SHA-256 and new fingerprint by path.
        """
        if not fingerprints:
            return
        incoming = pa.table(
            {
                "source_file": list(fingerprints),
                "content_sha256": [sha256 for sha256, _ in fingerprints.values()],
                "fingerprint": [fingerprint for _, fingerprint in fingerprints.values()],
            }
        )
        self._connection.register(_INCOMING, incoming)
        try:
            self._connection.execute(
                f"update {self._table} as history set fingerprint = incoming.fingerprint"  # noqa: S608
                f" from {_INCOMING} as incoming"
                " where history.source_file = incoming.source_file"
                " and history.content_sha256 = incoming.content_sha256"
                " and history.status <> 'rejected'"
            )
        finally:
            self._connection.unregister(_INCOMING)

    def _create(self) -> None:
        self._connection.execute(
            f"create table if not exists {self._table} ("
            "dataset varchar not null, source_file varchar not null, extract_date date, "
            "content_sha256 varchar not null, size_bytes bigint not null, "
            "row_count bigint not null, status varchar not null, reason varchar, "
            "fingerprint varchar, loaded_at timestamp not null)"
        )


_SCHEMA = pa.schema(
    {
        "dataset": pa.string(),
        "source_file": pa.string(),
        "extract_date": pa.date32(),
        "content_sha256": pa.string(),
        "size_bytes": pa.int64(),
        "row_count": pa.int64(),
        "status": pa.string(),
        "reason": pa.string(),
        "fingerprint": pa.string(),
    }
)


def _entry(row: tuple[Any, ...]) -> HistoryEntry:
    dataset, source_file, extract_date, sha256, size, rows, status, reason, fingerprint, _ = row
    return HistoryEntry(
        dataset,
        source_file,
        extract_date,
        sha256,
        size,
        rows,
        LoadStatus(status),
        reason,
        fingerprint,
    )


def _later_than(latest: datetime | None) -> datetime:
    """Return now in UTC, or the smallest later time where the clock was set back."""
    now = datetime.now(UTC).replace(tzinfo=None)
    if latest is None:
        return now
    return max(now, latest + timedelta(microseconds=1))
