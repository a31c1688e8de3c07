"""Landing: from the source's CSV files to the landing layout, as a backfill or day by day."""

import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa

from olist_platform.errors import OlistError
from olist_platform.landing.event_dates import EVENT_COLUMNS, required_extract_date
from olist_platform.landing.gzip_files import gzipped
from olist_platform.landing.layout import landing_path, lies_in_the_future
from olist_platform.landing.replay import (
    WHOLE_ON_FIRST_DAY,
    Replay,
    plan_replay,
    rows_by_day,
    state_on,
)
from olist_platform.landing.source_files import SourceFile, find_source_files, reading
from olist_platform.landing.store import LandingStore
from olist_platform.landing.stored_file import WriteOutcome
from olist_platform.landing.strict_csv import CsvFaultError, parse_csv, scan_csv
from olist_platform.progress import Progress
from olist_platform.source_catalog import CATALOG, Dataset, dataset_named

# Files waiting for a writer: enough to keep it busy, few enough to bound the memory.
_WAITING_PER_WRITER = 4


@dataclass(frozen=True, slots=True)
class LandResult:
    """What a landing wrote.

    Attributes:
        written: Files written, new or with new content.
        unchanged: Files that already held that content.
        size_bytes: Bytes of all these files as stored.
        days: Days that have a file, in order.
        missing: Names of the datasets that the input lacks.
    """

    written: int
    unchanged: int
    size_bytes: int
    days: tuple[date, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Extract:
    """One file to be written; its content is made when its turn comes."""

    dataset: Dataset
    day: date
    open: Callable[[], BinaryIO]


def land_backfill(
    source: Path,
    store: LandingStore,
    *,
    extract_date: date | None = None,
    allow_missing: bool = False,
    progress: Progress | None = None,
) -> LandResult:
    """Land every file as it is, as the extract of one day.

    Args:
        source: Folder or zip of the CSV files.
        store: The landing.
        extract_date: That day; the latest event's in the input unless told.
        allow_missing: Whether to land what there is when datasets are missing.
        progress: Told after each file.

    Raises:
        OlistError: The input is refused (nothing was written then), or the landing fails.
    """
    if extract_date and lies_in_the_future(extract_date):
        raise OlistError(
            f"the day {extract_date} lies in the future; every extract to come would be older",
            "name the day of the extract: --date YYYY-MM-DD",
        )
    files = find_source_files(source, allow_missing=allow_missing)
    day = extract_date or required_extract_date(
        {
            dataset.name: _read_table(file, dataset)
            for dataset, file in files.items()
            if dataset.name in EVENT_COLUMNS
        },
        "name it: --date YYYY-MM-DD",
    )
    extracts = [_whole_file(dataset, file, day) for dataset, file in files.items()]
    return _write(extracts, store, files, progress)


def land_daily(
    source: Path,
    store: LandingStore,
    *,
    first: date | None = None,
    until: date | None = None,
    allow_missing: bool = False,
    progress: Progress | None = None,
) -> LandResult:
    """Land the files that a nightly extract would have written on each day.

    Args:
        source: Folder or zip of the CSV files.
        store: The landing.
        first: Days before it are not written.
        until: Days after it are not written.
        allow_missing: Whether to land what there is when datasets are missing.
        progress: Told after each file.

    Raises:
        OlistError: The input is refused (nothing was written then), or the landing fails.
    """
    if first and until and first > until:
        raise OlistError(f"the first day {first} lies after the last day {until}", "swap them")
    files = find_source_files(source, allow_missing=allow_missing)
    by_name = {dataset.name: file for dataset, file in files.items()}
    replay = _replay(files)
    extracts = [
        _whole_file(dataset_named(name), by_name[name], replay.first_day)
        for name in WHOLE_ON_FIRST_DAY
        if name in by_name and _in_window(replay.first_day, first, until)
    ]
    extracts += [
        _rows_of_day(dataset_named(name), day, rows)
        for name, table in replay.tables.items()
        for day, rows in rows_by_day(table)
        if _in_window(day, first, until)
    ]
    return _write(extracts, store, files, progress)


def land_state(
    source: Path, store: LandingStore, *, day: date, progress: Progress | None = None
) -> LandResult:
    """Land, as the extract of one day, what the source held at the end of that day.

    It is what the daily extracts up to that day say together; those of later days continue it.

    Args:
        source: Folder or zip of the CSV files.
        store: The landing.
        day: That day.
        progress: Told after each file.

    Raises:
        OlistError: The input is refused (nothing was written then), or the landing fails.
    """
    files = find_source_files(source)
    extracts = [
        _whole_file(dataset, file, day)
        for dataset, file in files.items()
        if dataset.name in WHOLE_ON_FIRST_DAY
    ]
    extracts += [
        _rows_of_day(dataset_named(name), day, rows)
        for name, rows in state_on(_replay(files), day).items()
    ]
    return _write(extracts, store, files, progress)


def _replay(files: Mapping[Dataset, SourceFile]) -> Replay:
    tables = {
        dataset.name: _read_table(file, dataset)
        for dataset, file in files.items()
        if dataset.name not in WHOLE_ON_FIRST_DAY
    }
    last_day = required_extract_date(
        tables, "land the files whole, on a day that you name: olist land --date YYYY-MM-DD"
    )
    return plan_replay(tables, last_day)


def _in_window(day: date, first: date | None, until: date | None) -> bool:
    return (first is None or day >= first) and (until is None or day <= until)


def _read_table(file: SourceFile, dataset: Dataset) -> pl.DataFrame:
    """Read a file strictly, all columns as text."""
    with reading(file) as content:
        shape = scan_csv(content, dataset.header)
    schema = pa.schema([(name, pa.string()) for name in dataset.header])
    if not shape.records:
        return pl.DataFrame(schema=dict.fromkeys(dataset.header, pl.String))
    with reading(file) as content:
        try:
            table = pa.Table.from_batches(parse_csv(content, shape.longest_record), schema)
        except pa.ArrowInvalid as error:
            raise CsvFaultError(str(error)) from error
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table never becomes a series
    return frame


def _whole_file(dataset: Dataset, file: SourceFile, day: date) -> _Extract:
    def content() -> BinaryIO:
        with reading(file) as source:
            return gzipped(source)

    return _Extract(dataset, day, content)


def _rows_of_day(dataset: Dataset, day: date, rows: pl.DataFrame) -> _Extract:
    def content() -> BinaryIO:
        return gzipped(io.BytesIO(rows.write_csv(null_value="").encode()))

    return _Extract(dataset, day, content)


def _write(
    extracts: list[_Extract],
    store: LandingStore,
    files: Mapping[Dataset, SourceFile],
    progress: Progress | None,
) -> LandResult:
    sizes = []
    written = 0
    for size, is_new in _written_in_parallel(extracts, store):
        sizes.append(size)
        written += is_new
        if progress:
            progress(len(sizes), len(extracts))
    return LandResult(
        written=written,
        unchanged=len(extracts) - written,
        size_bytes=sum(sizes),
        days=tuple(sorted({extract.day for extract in extracts})),
        missing=tuple(dataset.name for dataset in CATALOG if dataset not in files),
    )


def _write_version(store: LandingStore, extract: _Extract, content: BinaryIO) -> bool:
    """Write an extract beside earlier ones of its day; False where one of them is the same."""
    for version in count(1):
        path = landing_path(extract.dataset, extract.day, version)
        outcome = store.write(path, content)
        if outcome is not WriteOutcome.TAKEN:
            return outcome is WriteOutcome.WRITTEN
    raise AssertionError("there is always a next version")


def _written_in_parallel(
    extracts: list[_Extract], store: LandingStore
) -> Iterator[tuple[int, bool]]:
    """Write the extracts; tell of each its size and whether it was new."""

    def write(extract: _Extract) -> tuple[int, bool]:
        with extract.open() as content:
            is_new = _write_version(store, extract, content)
            return content.seek(0, io.SEEK_END), is_new

    limit = _WAITING_PER_WRITER * store.parallelism
    waiting: deque[Future[tuple[int, bool]]] = deque()
    with ThreadPoolExecutor(store.parallelism) as pool:
        try:
            for extract in extracts:
                if len(waiting) >= limit:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(write, extract))
            while waiting:
                yield waiting.popleft().result()
        finally:
            # After an error the others are not begun; the error itself is enough to report.
            for future in waiting:
                future.cancel()
