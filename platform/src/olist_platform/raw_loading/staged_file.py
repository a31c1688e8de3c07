"""Reading one landing file: unpack, hash and check it, before any row of it is loaded."""

import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from olist_platform.errors import from_os_error
from olist_platform.landing.layout import LandingPlace, MisplacedFileError, parse_landing_path
from olist_platform.landing.store import LandingStore
from olist_platform.landing.stored_file import StoredFile
from olist_platform.landing.strict_csv import CsvFaultError, CsvScanner, CsvShape

# A content up to this size stays in memory and is loaded together with others.
SMALL_CONTENT_BYTES = 4 << 20
_PIECE = 4 << 20
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A checked file, unpacked and ready to be loaded; whoever loads it closes its content.

    Attributes:
        stored: The file of the landing.
        place: What its path tells.
        content: The uncompressed CSV.
        content_sha256: Of that.
        content_size: Bytes of that.
        shape: What the scan of it found.
    """

    stored: StoredFile
    place: LandingPlace
    content: BinaryIO
    content_sha256: str
    content_size: int
    shape: CsvShape


@dataclass(frozen=True, slots=True)
class FaultyFile:
    """A file that cannot be loaded.

    Attributes:
        stored: The file of the landing.
        place: What its path tells, if it is of the layout.
        stored_sha256: Of the file as stored; empty where it cannot be read.
        reason: What is wrong with it.
    """

    stored: StoredFile
    place: LandingPlace | None
    stored_sha256: str
    reason: str


class _FaultError(Exception):
    """The file at work cannot be loaded; the text says why."""


def stage_file(store: LandingStore, stored: StoredFile, scratch: Path) -> StagedFile | FaultyFile:
    """Unpack a file, hash it and check that it is CSV of its dataset, in one pass.

    Args:
        store: The landing.
        stored: The file.
        scratch: Folder of the unpacked content when it is large. It has no name there, so a
            killed process leaves nothing behind.

    Raises:
        OlistError: The scratch folder is full or not writable, or the landing cannot be reached.
    """
    place = None
    try:
        place = parse_landing_path(stored.path)
        with _file_faults(), store.read(stored.path) as packed:
            return _unpack(stored, place, packed, scratch)
    except (_FaultError, MisplacedFileError, CsvFaultError) as fault:
        return FaultyFile(stored, place, _stored_sha256(store, stored.path), str(fault))


def _unpack(stored: StoredFile, place: LandingPlace, packed: BinaryIO, scratch: Path) -> StagedFile:
    start = packed.read(len(_GZIP_MAGIC))
    if not start:
        raise _FaultError("the file is empty (0 bytes)")
    if start != _GZIP_MAGIC:
        raise _FaultError("not a gzip file")
    packed.seek(0)
    content = cast(
        "BinaryIO",
        tempfile.SpooledTemporaryFile(max_size=SMALL_CONTENT_BYTES, dir=str(scratch)),  # noqa: SIM115
    )
    try:
        digest = hashlib.sha256()
        scanner = CsvScanner(place.dataset.header)
        size = 0
        with gzip.GzipFile(fileobj=packed, mode="rb") as unpacked:
            while piece := unpacked.read(_PIECE):
                digest.update(piece)
                scanner.feed(piece)
                size += len(piece)
                with _scratch_faults(scratch):
                    content.write(piece)
        shape = scanner.finish()
        content.seek(0)
    except BaseException:
        content.close()
        raise
    return StagedFile(stored, place, content, digest.hexdigest(), size, shape)


@contextmanager
def _file_faults() -> Iterator[None]:
    """What the file itself is at fault for, as distinct from the machine."""
    try:
        yield
    except EOFError:
        raise _FaultError("truncated gzip: the file ends before its end marker") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _FaultError(f"corrupt gzip: {error}") from None
    except OSError as error:
        raise _FaultError(from_os_error(error).message) from error


@contextmanager
def _scratch_faults(scratch: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise from_os_error(error, scratch) from error


def _stored_sha256(store: LandingStore, path: str) -> str:
    digest = hashlib.sha256()
    try:
        with store.read(path) as packed:
            while piece := packed.read(_PIECE):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()
