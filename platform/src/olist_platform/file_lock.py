"""One process at a time, by a lock on a file that the system frees however the process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from olist_platform.errors import OlistError, os_errors_explained

_LONGEST_NUMBER = 20


@contextmanager
def held_or_refused(lock: Path, what: str, mend: str) -> Iterator[None]:
    """Hold a lock for the time of the block.

    Args:
        lock: Its file, which stays; made with its folder.
        what: What the holder does, such as `another publication is going on`.
        mend: What one does about it.

    Raises:
        OlistError: Another process holds it; the message tells which.
    """
    with _opened(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, _LONGEST_NUMBER, 0).decode(errors="replace")
            # It may have begun, or died, between the lock and its number.
            by = f" (PID {holder})" if holder.isdecimal() else ""
            raise OlistError(f"{what}{by}", mend) from None
        # On a full disk the number is missing, and the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        yield


@contextmanager
def held_after_others(lock: Path) -> Iterator[None]:
    """Wait for whoever holds a lock, and hold it for the time of the block."""
    with _opened(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(lock: Path) -> Iterator[int]:
    with os_errors_explained(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        yield file
    finally:
        os.close(file)
