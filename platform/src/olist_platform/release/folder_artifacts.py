"""Artifacts in a folder of this machine."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from olist_platform.errors import os_errors_explained
from olist_platform.file_lock import held_after_others
from olist_platform.release.stored_artifact import StoredArtifact

_LOCK = ".lock"
_PART = ".part"


class FolderArtifactStore:
    """A folder; made by the first write. Its writers wait for each other."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def url(self) -> str:
        """The folder."""
        return str(self._root)

    def read(self, key: str) -> StoredArtifact | None:
        """Return what is stored under a key, or None."""
        path = self._root / key
        with os_errors_explained(path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        return StoredArtifact(content, _version(content))

    def create(self, key: str, content: bytes) -> bool:
        """Store under a key that has nothing yet, or this very content."""
        path = self._root / key
        with os_errors_explained(path), self._written(path, content) as part:
            try:
                # A link never takes the place of a file, as a rename would.
                os.link(part, path)
            except FileExistsError:
                return path.read_bytes() == content
        return True

    def replace(self, key: str, content: bytes, version: str) -> bool:
        """Store in place of one version."""
        path = self._root / key
        with (
            os_errors_explained(path),
            self._written(path, content) as part,
            held_after_others(self._root / _LOCK),
        ):
            current = self.read(key)
            if current is None or current.version != version:
                return False
            part.replace(path)
        return True

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, sorted."""
        with os_errors_explained(self._root):
            found = (
                path.relative_to(self._root).as_posix()
                for path in self._root.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            )
            return sorted(key for key in found if key.startswith(prefix))

    @contextmanager
    def _written(self, path: Path, content: bytes) -> Iterator[Path]:
        """Write the content beside its place, on the disk before it gets its name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PART}")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield part
        finally:
            part.unlink(missing_ok=True)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
