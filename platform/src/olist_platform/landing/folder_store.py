"""Landing files in a folder."""

import contextlib
import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.landing.stored_file import StoredFile, WriteOutcome

_PART_SUFFIX = ".part"
_COMPARED_AT_ONCE = 1 << 20
# No write of one file takes that long, so an older temporary file is a killed process's.
_ABANDONED_AFTER_SECONDS = 600
# A file changed twice within one tick of the clock looks unchanged; coarse clocks tick in 2 s.
_CLOCK_TICK_NS = 3_000_000_000


class FolderStore:
    """A folder of this machine; created by the first write."""

    parallelism = 2

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def url(self) -> str:
        """The folder."""
        return str(self._root)

    def list_files(self) -> list[StoredFile]:
        """Return every file, sorted by path.

        Hidden files and leftovers of broken writes are not landing files.

        Raises:
            OlistError: The folder does not exist or cannot be read.
        """
        if not self._root.is_dir():
            what = "is a file, not a folder" if self._root.exists() else "does not exist"
            raise OlistError(
                f"the landing {self._root} {what}", "land some data first: olist land <folder>"
            )
        now = time.time_ns()
        with os_errors_explained(self._root):
            return sorted(
                (self._stored_file(path, now) for path in self._walk()),
                key=lambda stored: stored.path,
            )

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        return (self._root / path).open("rb")

    def write(self, path: str, content: BinaryIO) -> WriteOutcome:
        """Write a file under a temporary name, then give it its own, if that is still free."""
        target = self._root / path
        with os_errors_explained(target):
            if target.is_file():
                return _compared(target, content)
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned_parts(target)
            part = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PART_SUFFIX}")
            try:
                content.seek(0)
                with part.open("xb") as file:
                    shutil.copyfileobj(content, file, _COMPARED_AT_ONCE)
                is_free = _give_name(part, target)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
            return WriteOutcome.WRITTEN if is_free else _compared(target, content)

    def _walk(self) -> Iterator[Path]:
        def refuse(error: OSError) -> None:
            raise error

        for folder, subfolders, files in os.walk(self._root, onerror=refuse, followlinks=True):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            for name in files:
                if not name.startswith(".") and not name.endswith(_PART_SUFFIX):
                    yield Path(folder, name)

    def _stored_file(self, path: Path, now: int) -> StoredFile:
        state = path.stat()
        settled = now - max(state.st_mtime_ns, state.st_ctime_ns) > _CLOCK_TICK_NS
        fingerprint = f"{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}-{state.st_ino}"
        return StoredFile(
            path.relative_to(self._root).as_posix(),
            state.st_size,
            fingerprint if settled else None,
            datetime.fromtimestamp(state.st_mtime, UTC),
        )


def _remove_abandoned_parts(target: Path) -> None:
    oldest = time.time() - _ABANDONED_AFTER_SECONDS
    for part in target.parent.glob(f".{glob.escape(target.name)}.*{_PART_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_mtime < oldest:
                part.unlink()


def _give_name(part: Path, target: Path) -> bool:
    """Give a written file its name; False where another process has given it meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:
        # A disk without hard links, such as a mounted share: there the last of two writers wins.
        part.replace(target)
    return True


def _compared(target: Path, content: BinaryIO) -> WriteOutcome:
    return WriteOutcome.UNCHANGED if _same_content(target, content) else WriteOutcome.TAKEN


def _same_content(target: Path, content: BinaryIO) -> bool:
    if target.stat().st_size != content.seek(0, os.SEEK_END):
        return False
    content.seek(0)
    with target.open("rb") as existing:
        while piece := existing.read(_COMPARED_AT_ONCE):
            if piece != content.read(len(piece)):
                return False
    return True
