"""The strict CSV reader: one meaning per file, or a fault that names the line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_platform.landing.strict_csv import (
    MAX_RECORD_BYTES,
    CsvFaultError,
    CsvScanner,
    CsvShape,
    parse_csv,
    scan_csv,
)

HEADER = ("a", "b", "c")


def scan(content: bytes, piece: int | None = None) -> CsvShape:
    scanner = CsvScanner(HEADER)
    size = piece or max(len(content), 1)
    for start in range(0, len(content), size):
        scanner.feed(content[start : start + size])
    return scanner.finish()


@pytest.mark.parametrize("piece", [None, 1, 2, 3])
@pytest.mark.parametrize(
    ("content", "shape"),
    [
        # Records, first byte of the first, bytes of the longest with a line end, last line end.
        (b"a,b,c", CsvShape(0, 6, 6, False)),
        (b"a,b,c\n", CsvShape(0, 6, 6, True)),
        (b"a,b,c\r\n1,2,3\r\n", CsvShape(1, 7, 7, True)),
        (b"\xef\xbb\xbfa,b,c\n1,2,3", CsvShape(1, 9, 6, False)),
        (b'"a","b","c"\n1,2,3\n', CsvShape(1, 12, 12, True)),
        (b'a,b,c\n1,"2\n,""x""\r\n",3\n4,,\n', CsvShape(2, 6, 17, True)),
        (b'a,b,c\n1,2,3\n1,"2\n2\n2",33\n1,2,3\n', CsvShape(3, 6, 13, True)),
        (b'a,b,c\n,"",""', CsvShape(1, 6, 7, False)),
        ("a,b,c\n1,é,😀\n".encode(), CsvShape(1, 6, 10, True)),
    ],
)
def test_good_files_have_their_shape(content: bytes, shape: CsvShape, piece: int | None) -> None:
    assert scan(content, piece) == shape


@pytest.mark.parametrize("piece", [None, 1, 2, 3])
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"x,b,c\n1,2,3\n", "wrong header: missing a; unexpected 'x'"),
        (b"a,c,b\n1,2,3\n", "wrong header: the columns are repeated or in another order"),
        (b"a;b;c\n1;2;3\n", "wrong header: missing a, b, c; unexpected 'a;b;c'"),
        (b"1,2,3\n", "wrong header"),
        (b"a,b,c\n1,2\n", "line 2 (record 1): 2 columns instead of 3"),
        (b"a,b,c\n1,2,3\n1,2,3,4\n", "line 3 (record 2): 4 columns instead of 3"),
        (b"a,b,c\n1,2,3\n\n", "line 3 (record 2): 1 column instead of 3"),
        (b'a,b,c\n1,"2\n2",3\n4,"5,6\n', "line 4 (record 2): a quoted field is never closed"),
        (b'a,b,c\n1,2"x,3\n', "line 2 (record 1): a quote within an unquoted field"),
        (b'a,b,c\n1,"2"x,3\n', "line 2 (record 1): text after a closing quote"),
        (b"a,b,c\n1,2\r3,4\n", "line 2 (record 1): a carriage return without a line feed"),
        (b"a,b,c\n1,2,3\n4,\x00,6\n", "line 3: a NUL byte"),
        (b"a,b,c\n1,2,3\n4,\xe9,6\n", "line 3: not UTF-8 (byte 0xe9)"),
        (b"a,b,c\n1,2,\xc3", "line 2: not UTF-8"),
        ("a,b,c\n1,2,3\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_faults_name_their_line(content: bytes, fault: str, piece: int | None) -> None:
    with pytest.raises(CsvFaultError) as raised:
        scan(content, piece)
    assert fault in str(raised.value)


def test_a_record_has_a_largest_size() -> None:
    with pytest.raises(CsvFaultError, match="longer than 16 MiB; is a quote never closed"):
        scan_csv(io.BytesIO(b'a,b,c\n1,2,"' + b"x" * MAX_RECORD_BYTES), HEADER)


@given(st.text(alphabet='x",\r\né', max_size=20), st.sampled_from([None, 1, 2, 5]))
def test_what_is_accepted_is_what_another_strict_reader_reads(body: str, piece: int | None) -> None:
    content = b"a,b,c\n" + body.encode()
    try:
        shape = scan(content, piece)
    except CsvFaultError:
        return
    expected = list(csv.reader(io.StringIO(body, newline=""), strict=True))
    assert shape.records == len(expected)
    if expected:
        parsed = [
            list(row.values())
            for batch in parse_csv(io.BytesIO(content), shape.longest_record)
            for row in batch.to_pylist()
        ]
        assert parsed == [[field or None for field in record] for record in expected]


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 3),
        min_size=1,
        max_size=5,
    )
)
def test_everything_a_correct_writer_writes_is_accepted(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    shape = scan(text.getvalue().encode())
    assert shape.records == len(rows)
    (batch,) = parse_csv(io.BytesIO(text.getvalue().encode()), shape.longest_record)
    assert [tuple(row.values()) for row in batch.to_pylist()] == [
        tuple(field or None for field in row) for row in rows
    ]
