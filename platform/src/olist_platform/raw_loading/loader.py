"""The load: landing files into raw tables, each file exactly once.

A file's rows and its entry in the history are in one transaction, so a process killed at any
moment leaves either both or neither, and the next run goes on from there. Everything that can be
wrong with a file is found before its transaction begins, so one bad file never spoils another.
"""

import contextlib
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb

from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.landing.store import LandingStore, landing_store
from olist_platform.landing.stored_file import StoredFile
from olist_platform.landing.strict_csv import parse_csv
from olist_platform.naming import Names
from olist_platform.progress import Progress
from olist_platform.raw_loading.load_history import HistoryEntry, LoadHistory, LoadStatus
from olist_platform.raw_loading.raw_tables import append_records, create_raw_tables
from olist_platform.raw_loading.results import LoadResult, RejectedFile
from olist_platform.raw_loading.staged_file import (
    SMALL_CONTENT_BYTES,
    FaultyFile,
    StagedFile,
    stage_file,
)
from olist_platform.source_catalog import CATALOG, Dataset

# Small files of one dataset are loaded together: DuckDB is fast by the million rows, not by ten.
_BATCH_BYTES = 32 << 20
_WAITING_PER_READER = 2


def load_landing(
    environment: Environment,
    store: LandingStore | None = None,
    *,
    progress: Progress | None = None,
) -> LoadResult:
    """Load every landing file that is not loaded yet.

    Args:
        environment: Names the warehouse, and the landing unless `store` does.
        store: Another landing.
        progress: Told after each file.

    Returns:
        What was done. Rejected files are part of it and raise nothing.

    Raises:
        OlistError: The warehouse is not DuckDB, is locked or cannot be written, or the landing
            cannot be read.
    """
    warehouse = environment.warehouse
    if not isinstance(warehouse, DuckDBWarehouse):
        raise OlistError(
            f"environment '{environment.name}' runs on Snowflake, where Snowpipe loads what lands",
            "use `olist load` with --env local",
        )
    store = store or landing_store(environment)
    with open_warehouse(
        environment.duckdb_path,
        threads=warehouse.threads,
        memory_limit_gib=warehouse.memory_limit_gib,
    ) as connection:
        # One checkpoint when the load is done, instead of compressing again after every few files.
        connection.execute("set checkpoint_threshold = '1GiB'")
        scratch = environment.duckdb_path.parent
        return Loader(connection, environment.names, store, scratch).run(progress)


class Loader:
    """One run of the load on an open warehouse."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        names: Names,
        store: LandingStore,
        scratch: Path,
    ) -> None:
        """Create what is missing of the raw schema and read the history.

        Args:
            connection: The warehouse, outside a transaction.
            names: Names of its schemas and tables.
            store: The landing.
            scratch: Folder with room for the largest file, unpacked.
        """
        self._connection = connection
        self._names = names
        self._store = store
        self._scratch = scratch
        create_raw_tables(connection, names)
        self._history = LoadHistory(connection, names)
        self._batch: list[tuple[StagedFile, HistoryEntry]] = []
        self._batch_bytes = 0
        self._notes: list[HistoryEntry] = []
        self._fingerprints: dict[str, tuple[str, str]] = {}
        self._rejected: list[RejectedFile] = []
        self._rows = dict.fromkeys((dataset.name for dataset in CATALOG), 0)
        self._loaded = self._already_loaded = self._duplicates = 0

    def run(self, progress: Progress | None = None) -> LoadResult:
        """Load what is new and return what was done."""
        files, ignored = _landing_files(self._store)
        new = []
        for stored in files:
            if self._history.is_unchanged(stored.path, stored.fingerprint):
                self._already_loaded += 1
            else:
                new.append(stored)
        done = len(files) - len(new)
        for outcome in self._staged(new):
            self._take(outcome)
            done += 1
            if progress:
                progress(done, len(files))
        self._flush()
        self._history.refresh_fingerprints(self._fingerprints)
        return LoadResult(
            loaded_at=self._history.loaded_at,
            loaded=self._loaded,
            already_loaded=self._already_loaded,
            duplicates=self._duplicates,
            rejected=tuple(self._rejected),
            ignored=ignored,
            rows_by_dataset=self._rows,
        )

    def _staged(self, files: list[StoredFile]) -> Iterator[StagedFile | FaultyFile]:
        """Unpack and check files ahead of the load, in order, a bounded number at a time."""
        limit = _WAITING_PER_READER * self._store.parallelism
        waiting: deque[Future[StagedFile | FaultyFile]] = deque()
        with ThreadPoolExecutor(self._store.parallelism) as pool:
            try:
                for stored in files:
                    if len(waiting) >= limit:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(stage_file, self._store, stored, self._scratch))
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _take(self, outcome: StagedFile | FaultyFile) -> None:
        if isinstance(outcome, FaultyFile):
            self._reject(outcome)
            return
        path, sha256 = outcome.stored.path, outcome.content_sha256
        if self._history.knows(path, sha256):
            outcome.content.close()
            self._already_loaded += 1
            if outcome.stored.fingerprint is not None:
                self._fingerprints[path] = (sha256, outcome.stored.fingerprint)
            return
        twin = self._history.same_extract(
            outcome.place.dataset.name, outcome.place.extract_date, sha256
        )
        if twin is not None:
            outcome.content.close()
            self._duplicates += 1
            self._note(_entry(outcome, LoadStatus.DUPLICATE, f"same content as {twin}"))
            return
        self._add(outcome)

    def _reject(self, faulty: FaultyFile) -> None:
        path = faulty.stored.path
        self._rejected.append(RejectedFile(path, faulty.reason))
        entry = HistoryEntry(
            dataset=path.partition("/")[0],
            source_file=path,
            extract_date=faulty.place.extract_date if faulty.place else None,
            content_sha256=faulty.stored_sha256,
            size_bytes=faulty.stored.size,
            row_count=0,
            status=LoadStatus.REJECTED,
            reason=faulty.reason,
            fingerprint=None,
        )
        if not self._history.was_rejected(entry):
            self._note(entry)

    def _note(self, entry: HistoryEntry) -> None:
        """Record a file that has no rows to load, together with the next batch."""
        self._notes.append(entry)
        self._history.remember(entry)

    def _add(self, staged: StagedFile) -> None:
        """Load a large file by itself, and small ones of a dataset together."""
        entry = _entry(staged, LoadStatus.LOADED)
        dataset = staged.place.dataset
        if self._batch and self._batch[0][0].place.dataset is not dataset:
            self._flush()
        is_large = staged.content_size > SMALL_CONTENT_BYTES
        if is_large:
            self._flush()
        self._batch.append((staged, entry))
        self._batch_bytes += staged.content_size
        self._history.remember(entry)
        if is_large or self._batch_bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Commit the rows and the history of what is waiting."""
        batch, notes = self._batch, self._notes
        self._batch, self._notes, self._batch_bytes = [], [], 0
        if not batch and not notes:
            return
        try:
            self._commit(batch, notes)
        finally:
            for staged, _ in batch:
                staged.content.close()
        self._loaded += len(batch)
        for staged, entry in batch:
            self._rows[staged.place.dataset.name] += entry.row_count

    def _commit(
        self, batch: list[tuple[StagedFile, HistoryEntry]], notes: list[HistoryEntry]
    ) -> None:
        self._connection.begin()
        try:
            if batch:
                self._append(batch[0][0].place.dataset, [staged for staged, _ in batch])
            self._history.write([*(entry for _, entry in batch), *notes])
            self._connection.commit()
        except BaseException:
            # After a fatal error, such as a full disk, there is nothing left to roll back.
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def _append(self, dataset: Dataset, batch: list[StagedFile]) -> None:
        files = [(staged.stored.path, staged.shape.records) for staged in batch]
        expected = sum(records for _, records in files)
        if not expected:
            return
        content = batch[0].content if len(batch) == 1 else _concatenated(dataset, batch)
        longest = max(staged.shape.longest_record for staged in batch)
        appended = append_records(
            self._connection,
            self._names,
            dataset,
            files=files,
            loaded_at=self._history.loaded_at,
            batches=parse_csv(content, longest),
        )
        if appended != expected:
            # Cannot happen as long as scanner and parser agree; if it does, nothing is committed.
            raise OlistError(
                f"{files[0][0]} to {files[-1][0]}: {expected} records were checked, but "
                f"{appended} were parsed",
                "report this as a bug and keep the files",
            )


def _landing_files(store: LandingStore) -> tuple[list[StoredFile], tuple[str, ...]]:
    """List the landing, and the files at its root, which are no part of it."""
    listed = store.list_files()
    folders = {stored.path.partition("/")[0] for stored in listed if "/" in stored.path}
    datasets = [dataset.name for dataset in CATALOG]
    if not folders.intersection(datasets):
        raise OlistError(
            f"{store.url} holds no landing files: it has none of the folders {', '.join(datasets)}",
            "land some data first (olist land <folder>), or name the landing: --from",
        )
    files = [stored for stored in listed if "/" in stored.path]
    ignored = tuple(stored.path for stored in listed if "/" not in stored.path)
    return files, ignored


def _concatenated(dataset: Dataset, batch: list[StagedFile]) -> io.BytesIO:
    """Return the records of small files as one CSV."""
    whole = io.BytesIO()
    whole.write(",".join(dataset.header).encode() + b"\n")
    for staged in batch:
        if staged.shape.records:
            staged.content.seek(staged.shape.body_offset)
            whole.write(staged.content.read())
            if not staged.shape.ends_with_newline:
                whole.write(b"\n")
    whole.seek(0)
    return whole


def _entry(staged: StagedFile, status: LoadStatus, reason: str | None = None) -> HistoryEntry:
    return HistoryEntry(
        dataset=staged.place.dataset.name,
        source_file=staged.stored.path,
        extract_date=staged.place.extract_date,
        content_sha256=staged.content_sha256,
        size_bytes=staged.stored.size,
        row_count=staged.shape.records if status is LoadStatus.LOADED else 0,
        status=status,
        reason=reason,
        fingerprint=staged.stored.fingerprint,
    )
