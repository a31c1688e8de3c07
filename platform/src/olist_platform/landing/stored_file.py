"""One file as a listing of the landing tells it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the landing.

    Attributes:
        path: Landing-relative, with `/`.
        size: Bytes as stored.
        fingerprint: Changes whenever the content does; None where the store cannot promise that.
        written_at: When its content was last written, with a time zone.
    """

    path: str
    size: int
    fingerprint: str | None
    written_at: datetime


class WriteOutcome(Enum):
    """What became of a write; nothing that a file says is ever overwritten."""

    WRITTEN = auto()
    UNCHANGED = auto()
    """The file holds that content already."""
    TAKEN = auto()
    """The file holds other content; nothing was written."""
