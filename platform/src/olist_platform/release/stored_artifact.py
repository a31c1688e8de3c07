"""What an artifact store hands out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """A content, and the version it is of.

    Attributes:
        content: All bytes.
        version: Names this content under its key; what is given back to replace it.
    """

    content: bytes
    version: str
