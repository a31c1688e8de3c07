"""Places that one process holds at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from olist_platform.errors import OlistError


@contextmanager
def held_alone(lock: Path, taken: OlistError) -> Iterator[None]:
    """Hold a place for the time of the block; the system frees it with the process.

    Args:
        lock: The file that stands for the place; it is made in a folder that is there.
        taken: What is raised where another process holds the place.

    Raises:
        OlistError: Another process holds it.
    """
    with lock.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        yield
