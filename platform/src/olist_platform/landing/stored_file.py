"""One file as a listing of the landing tells it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the landing.

    Attributes:
        path: Landing-relative, with `/`.
        size: Bytes as stored.
        fingerprint: Changes whenever the content does; None where the store cannot promise that.
    """

    path: str
    size: int
    fingerprint: str | None
