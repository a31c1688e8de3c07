"""Every kind of file that can lie in a landing: what loads, what is refused, and why."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.landing.folder_store import FolderStore
from olist_platform.raw_loading.loader import load_landing
from olist_platform.raw_loading.results import LoadResult
from olist_platform.source_catalog import CATALOG

Put = Callable[..., Path]
Load = Callable[[], LoadResult]
Query = Callable[[str], list[tuple[object, ...]]]

SELLERS = "sellers/dt=2018-01-01/olist_sellers_dataset.csv.gz"
GOOD = "sellers/dt=2018-01-02/olist_sellers_dataset.csv.gz"
HEADER = b"seller_id,seller_zip_code_prefix,seller_city,seller_state\n"


def test_rows_load_with_their_file_row_and_time(put: Put, load: Load, query: Query) -> None:
    put(b's1,01001,sao paulo,SP\ns2,,"a, ""b""\nc",\n')
    result = load()
    assert (result.loaded, result.rows, result.rejected) == (1, 2, ())
    assert query("select * from raw.sellers order by _source_row") == [
        ("s1", "01001", "sao paulo", "SP", SELLERS, 1, result.loaded_at),
        ("s2", None, 'a, "b"\nc', None, SELLERS, 2, result.loaded_at),
    ]
    history = "dataset, source_file, extract_date, row_count, status, reason, loaded_at"
    assert query(f"select {history} from raw.load_history") == [
        ("sellers", SELLERS, date(2018, 1, 1), 2, "loaded", None, result.loaded_at)
    ]
    types = query("select distinct data_type from duckdb_columns() where table_name = 'sellers'")
    assert {name for (name,) in types} == {"VARCHAR", "BIGINT", "TIMESTAMP"}


def test_every_dataset_has_its_table_though_nothing_of_it_landed(
    put: Put, load: Load, query: Query
) -> None:
    put()
    load()
    tables = query("select table_name from duckdb_tables() where schema_name = 'raw'")
    assert {name for (name,) in tables} == {*(d.name for d in CATALOG), "load_history"}


@pytest.mark.parametrize(
    ("body", "header", "reason"),
    [
        (b"", b"", "the file is empty; it needs a header at least"),
        (
            b"",
            b"seller_id,seller_city,seller_state\n",
            "wrong header: missing seller_zip_code_prefix",
        ),
        (b"", b"a,b,c,d\n", "wrong header: missing seller_id"),
        (b"s1,01001,x,SP\n", b"", "wrong header"),
        (b"s1,01001,x,SP\n", HEADER[:-1] + b",extra\n", "wrong header: unexpected 'extra'"),
        (b"s1,01001,x,SP,extra\n", HEADER, "line 2 (record 1): 5 columns instead of 4"),
        (b"s1,01001,x,SP\ns2,01001,x\n", HEADER, "line 3 (record 2): 3 columns instead of 4"),
        (b"s1,01001,s\xe3o paulo,SP\n", HEADER, "line 2: not UTF-8 (byte 0xe3)"),
        (b"s1,01001,x\x00,SP\n", HEADER, "line 2: a NUL byte"),
        (b's1,01001,"x"y,SP\n', HEADER, "line 2 (record 1): text after a closing quote"),
        (b's1,01001,x"y,SP\n', HEADER, "line 2 (record 1): a quote within an unquoted field"),
        (b's1,01001,"x,SP\ns2,1,y,SP\n', HEADER, "line 2 (record 1): a quoted field is never"),
        (b"s1,01001,'x,y',SP\n", HEADER, "line 2 (record 1): 5 columns instead of 4"),
    ],
)
def test_a_faulty_file_is_named_and_the_others_load(  # noqa: PLR0917 - fixtures and cases
    put: Put, load: Load, query: Query, body: bytes, header: bytes, reason: str
) -> None:
    put(body, header=header)
    put(path=GOOD)
    result = load()
    assert [file.path for file in result.rejected] == [SELLERS]
    assert reason in result.rejected[0].reason
    assert (result.loaded, result.rows) == (1, 1)
    assert query("select distinct _source_file from raw.sellers") == [(GOOD,)]
    assert query("select source_file, status, row_count from raw.load_history order by 1") == [
        (SELLERS, "rejected", 0),
        (GOOD, "loaded", 1),
    ]


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        (lambda content: gzip.compress(content)[:-9], "truncated gzip"),
        (lambda content: gzip.compress(content)[:-3], "truncated gzip"),
        (lambda content: gzip.compress(content)[:12], "truncated gzip"),
        (lambda content: gzip.compress(content) + b"junk", "corrupt gzip"),
        (lambda content: gzip.compress(content)[:-8] + b"\0" * 8, "corrupt gzip: CRC"),
        (lambda content: content, "not a gzip file"),
        (lambda _: b"", "the file is empty (0 bytes)"),
    ],
)
def test_a_file_that_does_not_unpack_is_named_and_the_others_load(
    put: Put, load: Load, query: Query, pack: Callable[[bytes], bytes], reason: str
) -> None:
    put(pack=pack)
    put(path=GOOD)
    result = load()
    assert [file.path for file in result.rejected] == [SELLERS]
    assert reason in result.rejected[0].reason
    assert query("select count(*) from raw.sellers") == [(1,)]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sellers/olist_sellers_dataset.csv.gz", "does not lie in sellers/dt=YYYY-MM-DD/"),
        ("sellers/dt=2018-02-30/x.csv.gz", "not a date of the calendar"),
        ("sellers/dt=20180101/x.csv.gz", "does not lie in sellers/dt=YYYY-MM-DD/"),
        ("sellers/dt=2018-01-01/deeper/x.csv.gz", "does not lie in sellers/dt=YYYY-MM-DD/"),
        ("sellers/dt=2018-01-01/olist_sellers_dataset.csv", "does not end in .csv.gz"),
        # S3 tells Snowpipe of .csv.gz only: elsewhere this file would wait for ever.
        ("sellers/dt=2018-01-01/olist_sellers_dataset.gz", "does not end in .csv.gz"),
        ("sellers/dt=2081-01-01/olist_sellers_dataset.csv.gz", "its day lies in the future"),
        ("shops/dt=2018-01-01/x.csv.gz", "no dataset is named 'shops'"),
    ],
)
def test_a_misplaced_file_is_not_ignored(
    put: Put, load: Load, query: Query, path: str, reason: str
) -> None:
    put(path=path)
    put(path=GOOD)
    result = load()
    assert [file.path for file in result.rejected] == [path]
    assert reason in result.rejected[0].reason
    assert query("select status, count(*) from raw.load_history group by 1 order by 1") == [
        ("loaded", 1),
        ("rejected", 1),
    ]


def test_files_beside_the_datasets_folders_are_told(put: Put, load: Load) -> None:
    put()
    put(path="README.txt")
    result = load()
    assert (result.ignored, result.rejected) == (("README.txt",), ())


@pytest.mark.parametrize("header", [HEADER, HEADER[:-1], b"\xef\xbb\xbf" + HEADER])
def test_header_only_is_a_file_without_rows(
    put: Put, load: Load, query: Query, header: bytes
) -> None:
    put(b"", header=header)
    result = load()
    assert (result.loaded, result.rows, result.rejected) == (1, 0, ())
    assert query("select status, row_count from raw.load_history") == [("loaded", 0)]
    assert load().already_loaded == 1


def test_a_field_of_one_mebibyte_loads_intact(put: Put, load: Load, query: Query) -> None:
    field = ('é,"\n' * (1 << 20))[: 1 << 20]
    quoted = '"' + field.replace('"', '""') + '"'
    put(f"s1,01001,{quoted},SP\ns2,1,x,SP\n".encode())
    assert load().rows == 2
    assert query("select seller_city from raw.sellers where seller_id = 's1'") == [(field,)]


def test_byte_order_mark_crlf_and_quoted_headers_are_fine(
    put: Put, load: Load, query: Query
) -> None:
    quoted = b",".join(b'"' + name + b'"' for name in HEADER.strip().split(b",")) + b"\r\n"
    put(b"s1,01001,x,SP\r\ns2,01001,y,SP", header=b"\xef\xbb\xbf" + quoted)
    put("\ufeffs3,01001,z,SP\n".encode(), path=GOOD)
    assert load().rows == 3
    ids = query("select seller_id, seller_state from raw.sellers order by 1")
    assert ids == [("s1", "SP"), ("s2", "SP"), ("\ufeffs3", "SP")]


def test_a_gzip_of_several_members_is_one_file(put: Put, load: Load) -> None:
    put(pack=lambda content: gzip.compress(content[:70]) + gzip.compress(content[70:]))
    assert load().rows == 1


def test_a_mended_file_loads_and_a_faulty_one_is_recorded_once(
    put: Put, load: Load, query: Query
) -> None:
    put(b"s1,too,few\n")
    first = load()
    again = load()
    assert [len(result.rejected) for result in (first, again)] == [1, 1]
    assert query("select count(*) from raw.load_history") == [(1,)]
    put(b"s1,too,few,columns,now\n")
    assert len(load().rejected) == 1
    assert query("select count(*) from raw.load_history where status = 'rejected'") == [(2,)]
    put(b"s1,01001,mended,SP\n")
    mended = load()
    assert (mended.loaded, mended.rejected) == (1, ())
    assert query("select status from raw.load_history order by loaded_at") == [
        ("rejected",),
        ("rejected",),
        ("loaded",),
    ]
    assert query("select seller_city from raw.sellers") == [("mended",)]
    # Again what it was before it was mended: that is news.
    put(b"s1,too,few,columns,now\n")
    assert [len(load().rejected) for _ in range(2)] == [1, 1]
    assert query("select count(*) from raw.load_history where status = 'rejected'") == [(3,)]


def test_every_file_is_told_of_as_it_is_done(
    put: Put, environment: Environment, landing: Path, settled_clock: None
) -> None:
    put()
    seen: list[tuple[int, int]] = []
    load_landing(environment, FolderStore(landing), progress=lambda *told: seen.append(told))
    put(path="sellers/dt=2018-01-02/x.csv.gz")
    put(b"bad\n", path="sellers/dt=2018-01-03/x.csv.gz")
    load_landing(environment, FolderStore(landing), progress=lambda *told: seen.append(told))
    assert settled_clock is None
    assert seen == [(1, 1), (2, 3), (3, 3)]


def test_a_folder_that_is_no_landing_is_refused(put: Put, load: Load, landing: Path) -> None:
    (landing / "sellers").rmdir()
    with pytest.raises(OlistError, match="holds no landing files"):
        load()
    put(path="notes/today.txt")
    with pytest.raises(OlistError, match="holds no landing files"):
        load()
    (landing / "notes/today.txt").unlink()
    (landing / "notes").rmdir()
    landing.rmdir()
    with pytest.raises(OlistError, match=r"the landing .* does not exist") as raised:
        load()
    assert "olist land" in raised.value.mend
