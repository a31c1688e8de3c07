"""A strict reader of CSV (RFC 4180, UTF-8): what it accepts has one meaning only.

The scanner checks a file in one pass of bounded memory and says which line is wrong. Only what it
accepted is parsed, so no CSV library's leniency ever decides what a file says.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from olist_platform.landing.csv_header import describe_header

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Snowflake's limit for one text; it also bounds the memory of a parser's block.
MAX_RECORD_BYTES = 16 << 20
_PIECE = 4 << 20
_SMALLEST_BLOCK = 1 << 20
_QUOTE, _COMMA, _NEWLINE, _RETURN = b'",\n\r'

_MAY_PRECEDE_OPENING = np.zeros(256, dtype=bool)
_MAY_PRECEDE_OPENING[[_COMMA, _NEWLINE, _QUOTE]] = True
_MAY_FOLLOW_CLOSING = np.zeros(256, dtype=bool)
_MAY_FOLLOW_CLOSING[[_COMMA, _NEWLINE, _RETURN, _QUOTE]] = True


class CsvFaultError(Exception):
    """Why a file is not the CSV it should be; names the line where one is at fault."""


@dataclass(frozen=True, slots=True)
class CsvShape:
    """What a scan found.

    Attributes:
        records: Number of records after the header.
        body_offset: Byte at which the first record starts.
        longest_record: Bytes of the longest record.
        ends_with_newline: Whether the last record has its line end.
    """

    records: int
    body_offset: int
    longest_record: int
    ends_with_newline: bool


class CsvScanner:
    """Checks a CSV file that is fed to it piece by piece."""

    def __init__(self, header: tuple[str, ...]) -> None:
        self._header = header
        self._first_bytes: bytes | None = b""
        self._header_text = b""
        self._body_offset = 0
        self._undecoded = b""
        self._held = b""
        self._offset = 0
        self._lines = 0
        self._records = -1
        self._record_offset = 0
        self._record_line = 1
        self._longest_record = 0
        self._commas = 0
        self._inside_quotes = False
        self._previous = _NEWLINE

    def feed(self, piece: bytes) -> None:
        """Check the next piece.

        Raises:
            CsvFaultError: The file is not CSV with the expected header and columns.
        """
        if self._first_bytes is not None:
            piece = self._first_bytes + piece
            if len(piece) < len(BYTE_ORDER_MARK):
                self._first_bytes = piece
                return
            piece = self._without_byte_order_mark(piece)
        self._check_text(piece)
        window = self._held + piece
        if len(window) > 1:
            self._scan(window)
        self._held = window[-1:]

    def finish(self) -> CsvShape:
        """Check the end of the file and return what the scan found.

        Raises:
            CsvFaultError: The file is empty, or ends within quotes or within a record.
        """
        if self._first_bytes:
            self._held, self._first_bytes = self._first_bytes, None
            self._check_text(self._held)
            if len(self._held) > 1:
                self._scan(self._held)
                self._held = self._held[-1:]
        if self._undecoded:
            raise CsvFaultError(f"line {self._lines + 1}: not UTF-8: it ends within a character")
        ends_with_newline = self._held == b"\n"
        if self._held:
            self._scan(self._held + (b"\n" if ends_with_newline else b"\n\n"))
        if self._inside_quotes:
            raise CsvFaultError(f"{self._this_record()}: a quoted field is never closed")
        if self._records < 0:
            raise CsvFaultError("the file is empty; it needs a header at least")
        return CsvShape(self._records, self._body_offset, self._longest_record, ends_with_newline)

    def _without_byte_order_mark(self, piece: bytes) -> bytes:
        self._first_bytes = None
        if not piece.startswith(BYTE_ORDER_MARK):
            return piece
        self._offset = self._record_offset = len(BYTE_ORDER_MARK)
        return piece[len(BYTE_ORDER_MARK) :]

    def _check_text(self, piece: bytes) -> None:
        text = self._undecoded + piece
        try:
            text.decode("utf-8")
            self._undecoded = b""
        except UnicodeDecodeError as error:
            # A character may go on in the next piece; anything else is wrong for good.
            if error.reason != "unexpected end of data":
                line = self._fed_lines() + text.count(b"\n", 0, error.start) + 1
                raise CsvFaultError(
                    f"line {line}: not UTF-8 (byte 0x{text[error.start]:02x})"
                ) from None
            self._undecoded = text[error.start :]
        nul = piece.find(0)
        if nul >= 0:
            line = self._fed_lines() + piece.count(b"\n", 0, nul) + 1
            raise CsvFaultError(f"line {line}: a NUL byte; text has none")

    def _fed_lines(self) -> int:
        return self._lines + self._held.count(b"\n")

    def _scan(self, window: bytes) -> None:
        """Check all bytes of the window but its last, which only shows what follows them."""
        characters = np.frombuffer(window, dtype=np.uint8)
        body = characters[:-1]
        every_newline = np.flatnonzero(body == _NEWLINE)
        quotes = np.flatnonzero(body == _QUOTE)
        commas = np.flatnonzero(body == _COMMA)
        returns = np.flatnonzero(body == _RETURN)
        newlines = every_newline
        faults: list[tuple[int, str]] = []
        if quotes.size or self._inside_quotes:
            faults += self._quote_faults(characters, quotes)
            commas, newlines, returns = (
                self._outside(positions, quotes) for positions in (commas, newlines, returns)
            )
        lone = returns[characters[returns + 1] != _NEWLINE]
        if lone.size:
            faults.append((int(lone[0]), "a carriage return without a line feed"))
        faults += self._column_faults(window, commas, newlines)
        if faults:
            position, reason = min(faults)
            record = self._records + int(np.searchsorted(newlines, position))
            line = self._lines + int(np.searchsorted(every_newline, position)) + 1
            raise CsvFaultError(f"{_place(line, record)}: {reason}")
        if self._records < 0 and not newlines.size:
            self._header_text += window[:-1]
        self._advance(body, every_newline, newlines, commas, quotes)

    def _quote_faults(
        self, characters: NDArray[np.uint8], quotes: NDArray[np.intp]
    ) -> Iterator[tuple[int, str]]:
        """Quotes alternate between opening and closing; a doubled quote closes and opens again."""
        opening = (np.arange(quotes.size) + self._inside_quotes) % 2 == 0
        before = characters[quotes - 1]
        if quotes.size and quotes[0] == 0:
            before[0] = self._previous
        wrong = quotes[opening & ~_MAY_PRECEDE_OPENING[before]]
        if wrong.size:
            yield int(wrong[0]), "a quote within an unquoted field"
        wrong = quotes[~opening & ~_MAY_FOLLOW_CLOSING[characters[quotes + 1]]]
        if wrong.size:
            yield int(wrong[0]), "text after a closing quote (a quote within quotes is doubled)"

    def _outside(self, positions: NDArray[np.intp], quotes: NDArray[np.intp]) -> NDArray[np.intp]:
        quotes_before = np.searchsorted(quotes, positions) + self._inside_quotes
        outside: NDArray[np.intp] = positions[quotes_before % 2 == 0]
        return outside

    def _column_faults(
        self, window: bytes, commas: NDArray[np.intp], newlines: NDArray[np.intp]
    ) -> Iterator[tuple[int, str]]:
        if not newlines.size:
            return
        counts = np.diff(np.searchsorted(commas, newlines), prepend=0)
        counts[0] += self._commas
        first = 0
        if self._records < 0:
            self._check_header(window, int(newlines[0]))
            first = 1
        wrong = np.flatnonzero(counts[first:] != len(self._header) - 1) + first
        if wrong.size:
            index = int(wrong[0])
            found = int(counts[index]) + 1
            yield (
                int(newlines[index]),
                f"{found} column{'s' if found != 1 else ''} instead of {len(self._header)}",
            )

    def _check_header(self, window: bytes, newline: int) -> None:
        text = (self._header_text + window[:newline]).decode("utf-8", errors="replace")
        found = next(csv.reader(io.StringIO(text.removesuffix("\r"))), [])
        if tuple(found) != self._header:
            raise CsvFaultError(describe_header(found, self._header))
        self._body_offset = self._offset + newline + 1

    def _advance(
        self,
        body: NDArray[np.uint8],
        every_newline: NDArray[np.intp],
        newlines: NDArray[np.intp],
        commas: NDArray[np.intp],
        quotes: NDArray[np.intp],
    ) -> None:
        if newlines.size:
            last = int(newlines[-1])
            starts = np.concatenate(([self._record_offset - self._offset], newlines[:-1] + 1))
            self._longest_record = max(self._longest_record, int((newlines - starts).max()) + 1)
            self._records += newlines.size
            self._record_offset = self._offset + last + 1
            self._record_line = self._lines + int(np.searchsorted(every_newline, last)) + 2
            self._commas = int(commas.size - np.searchsorted(commas, last))
        else:
            self._commas += commas.size
        self._offset += body.size
        self._lines += every_newline.size
        self._inside_quotes ^= bool(quotes.size % 2)
        self._previous = int(body[-1])
        if max(self._longest_record, self._offset - self._record_offset) > MAX_RECORD_BYTES:
            hint = "; is a quote never closed?" if self._inside_quotes else ""
            raise CsvFaultError(
                f"{self._this_record()}: a record longer than {MAX_RECORD_BYTES >> 20} MiB{hint}"
            )

    def _this_record(self) -> str:
        return _place(self._record_line, self._records)


def scan_csv(content: BinaryIO, header: tuple[str, ...]) -> CsvShape:
    """Check a whole CSV file.

    Raises:
        CsvFaultError: It is not CSV with that header.
    """
    scanner = CsvScanner(header)
    while piece := content.read(_PIECE):
        scanner.feed(piece)
    return scanner.finish()


def parse_csv(content: BinaryIO, longest_record: int) -> Iterator[pa.RecordBatch]:
    """Parse scanned CSV, header included, into batches of text columns; empty fields are null.

    Args:
        content: CSV that a scan accepted, from its first byte.
        longest_record: Bytes of its longest record.
    """
    block = max(_SMALLEST_BLOCK, 2 * longest_record)
    names = next(csv.reader([content.readline().removeprefix(BYTE_ORDER_MARK).decode()]))
    content.seek(0)
    yield from pa_csv.open_csv(
        content,
        read_options=pa_csv.ReadOptions(block_size=block, use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,
        ),
    )


def _place(line: int, record: int) -> str:
    return f"line {line} (record {record + 1})" if record >= 0 else f"line {line} (the header)"
