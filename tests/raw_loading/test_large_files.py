"""Large files: row numbers in the file's order, and memory that does not grow with the file."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from olist_platform.environment import Environment
from olist_platform.raw_loading.results import LoadResult

ROWS = 500_000


@pytest.mark.slow
def test_rows_keep_their_order_with_line_breaks_in_quotes(
    landing: Path, load: Callable[[], LoadResult], query: Callable[[str], list[tuple[object, ...]]]
) -> None:
    path = landing / "sellers/dt=2018-01-01/olist_sellers_dataset.csv.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"seller_id,seller_zip_code_prefix,seller_city,seller_state\n")
        for start in range(0, ROWS, 1000):
            rows = range(start + 1, start + 1001)
            file.write(
                b"".join(
                    b'%d,01001,"line one, of ""%d""\nline two ' % (row, row) + b"x" * 50 + b'",SP\n'
                    for row in rows
                )
            )
        size = file.tell()
    assert size > 40 << 20
    result = load()
    assert (result.loaded, result.rows) == (1, ROWS)
    assert query(
        "select count(*), min(_source_row), max(_source_row), count(distinct _source_row),"
        " count(*) filter (seller_id <> _source_row::varchar),"
        """ count(*) filter (seller_city not like 'line one, of "' || _source_row || '"%')"""
        " from raw.sellers"
    ) == [(ROWS, 1, ROWS, ROWS, 0, 0)]


_LOAD = """
import re, sys
from pathlib import Path
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.landing.folder_store import FolderStore
from olist_platform.naming import EnvironmentName, Names
from olist_platform.raw_loading.loader import Loader

path = Path(sys.argv[2])
with open_warehouse(path, threads=1, memory_limit_gib=0.25) as connection:
    print(
        Loader(
            connection, Names(EnvironmentName.LOCAL), FolderStore(Path(sys.argv[1])), path.parent
        ).run().rows
    )
# Not getrusage: its peak counts the process that started this one, which is pytest.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_file(landing: Path, environment: Environment) -> None:
    path = landing / "sellers/dt=2018-01-01/olist_sellers_dataset.csv.gz"
    path.parent.mkdir(parents=True)
    chunk = b"s,01001," + b"x" * 500 + b",SP\n"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"seller_id,seller_zip_code_prefix,seller_city,seller_state\n")
        for _ in range(800):
            file.write(chunk * 2000)
    environment.duckdb_path.parent.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(landing), str(environment.duckdb_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak = (int(line) for line in done.stdout.split())
    assert rows == 1_600_000
    unpacked = 800 * 2000 * len(chunk)
    assert unpacked > 800e6
    assert peak * 1024 < unpacked, "the whole file seems to have been in memory"
