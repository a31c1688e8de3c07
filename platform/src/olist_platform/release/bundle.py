"""The archive of a release: a tar that is the same, byte for byte, wherever it is written.

Files stand in it in the order of their paths, the manifest first, with one owner and one date. Its
digest is the SHA-256 of the whole archive. It is not compressed: other versions of a compressor
write other bytes.
"""

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.release.bundle_manifest import (
    MANIFEST_PATH,
    BundledFile,
    BundleManifest,
    dbt_manifest_path,
    plan_path,
    read_manifest,
    sha256,
)

SUFFIX = ".tar"
_FILE_MODE, _PROGRAM_MODE = 0o644, 0o755
_FAULTS_SHOWN = 10
_TAKE_ANOTHER = "take the bundle from the artifact store again, or build it from its commit"


class FaultKind(StrEnum):
    """How a file of an archive differs from what its manifest says."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that is not as the manifest says, or bytes that belong to none.

    Attributes:
        kind: Changed, missing or added.
        path: The file, or what the bytes are.
    """

    kind: FaultKind
    path: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that goes into a bundle."""

    content: bytes
    executable: bool = False


class Bundle:
    """A bundle in memory, its content checked.

    Attributes:
        archive: All its bytes.
        manifest: What it says of itself.
    """

    def __init__(self, archive: bytes, where: str = "the bundle") -> None:
        """Read an archive.

        Raises:
            OlistError: A file is changed, missing or added; each is named.
        """
        self.archive = archive
        self.manifest, self._contents, faults = _inspect(archive, where)
        if faults:
            raise damaged(where, faults)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the archive: the release's one name."""
        return sha256(self.archive)

    @property
    def file_name(self) -> str:
        """What the archive is called as a file of its own."""
        return f"olist-release-{self.manifest.short_commit}{SUFFIX}"

    def read(self, path: str) -> bytes:
        """Return a file's content; raises KeyError."""
        return self._contents[path]

    def dbt_manifest(self, environment: str) -> dict[str, Any]:
        """Return an environment's dbt manifest; raises KeyError where there is none."""
        return _parse(self.read(dbt_manifest_path(environment)))

    def plan(self, environment: str) -> dict[str, Any] | None:
        """Return the plan of an environment's infrastructure; None where it has no cloud side."""
        content = self._contents.get(plan_path(environment))
        return None if content is None else _parse(content)

    def unpack(self, folder: Path) -> None:
        """Write every file below a folder, which appears whole or not at all.

        Raises:
            OlistError: It cannot be written.
        """
        with os_errors_explained(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
            try:
                for path, content in self._contents.items():
                    target = partial / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
                    known = self.manifest.files.get(path)
                    target.chmod(_PROGRAM_MODE if known and known.executable else _FILE_MODE)
                partial.chmod(_PROGRAM_MODE)
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(partial, folder)  # noqa: PTH105 - a folder takes another's name
            finally:
                shutil.rmtree(partial, ignore_errors=True)


def write_bundle(
    files: Mapping[str, SourceFile], about: BundleManifest, where: str = "the bundle"
) -> Bundle:
    """Return the bundle of some files.

    Args:
        files: Every file by its path, without the manifest.
        about: Commit and environments; its own `files` are not used.
        where: What to call it in an error.
    """
    manifest = about.model_copy(
        update={
            "files": {
                path: BundledFile(
                    sha256=sha256(file.content),
                    size=len(file.content),
                    executable=file.executable,
                )
                for path, file in sorted(files.items())
            }
        }
    )
    contents = {path: file.content for path, file in files.items()}
    return Bundle(_archive(manifest, contents), where)


def read_bundle(path: Path, digest: str | None = None) -> Bundle:
    """Return the bundle of a file.

    Args:
        path: The file.
        digest: What its digest has to be, if that is known from elsewhere.

    Raises:
        OlistError: It cannot be read, is damaged, or is another bundle.
    """
    with os_errors_explained(path):
        archive = path.read_bytes()
    return checked_bundle(archive, str(path), digest)


def checked_bundle(archive: bytes, where: str, digest: str | None = None) -> Bundle:
    """Return the bundle of some bytes; see `read_bundle`."""
    bundle = Bundle(archive, where)
    if digest is not None and bundle.digest != digest:
        raise OlistError(
            f"{where}: it is another bundle: its digest is {bundle.digest}, not {digest}"
            f" (changed: {MANIFEST_PATH})",
            _TAKE_ANOTHER,
        )
    return bundle


def faults_of(archive: bytes, where: str = "the bundle") -> tuple[Fault, ...]:
    """Return every file of an archive that is not as its manifest says, by path.

    Raises:
        OlistError: It is no archive, or has no manifest that can be read.
    """
    return _inspect(archive, where)[2]


def damaged(where: str, faults: tuple[Fault, ...]) -> OlistError:
    """Return the error that names files that are not as they should be."""
    lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  ... and {len(faults) - _FAULTS_SHOWN} more")
    return OlistError("\n".join([f"{where}: it is damaged:", *lines]), _TAKE_ANOTHER)


def _archive(manifest: BundleManifest, contents: Mapping[str, bytes]) -> bytes:
    """Write the archive that a manifest and its files make."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, MANIFEST_PATH, manifest.to_bytes(), executable=False)
        for path, known in sorted(manifest.files.items()):
            _add(tar, path, contents[path], executable=known.executable)
    return output.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: bytes, *, executable: bool) -> None:
    # Everything else that a header holds is left at zero or empty.
    header = tarfile.TarInfo(path)
    header.size = len(content)
    header.mode = _PROGRAM_MODE if executable else _FILE_MODE
    tar.addfile(header, io.BytesIO(content))


def _inspect(
    archive: bytes, where: str
) -> tuple[BundleManifest, dict[str, bytes], tuple[Fault, ...]]:
    contents, odd = _members(archive, where)
    if MANIFEST_PATH not in contents:
        raise OlistError(f"{where}: it has no {MANIFEST_PATH}: it is no release", _TAKE_ANOTHER)
    manifest = read_manifest(contents[MANIFEST_PATH], where)
    outside = {path for path in manifest.files if _leads_out(path)}
    if outside:
        raise damaged(where, tuple(Fault(FaultKind.ADDED, path) for path in sorted(outside)))
    # Where every file begins and ends follows from the manifest alone.
    blank = _archive(manifest, {path: bytes(file.size) for path, file in manifest.files.items()})
    faults = _added_or_missing(archive, blank, manifest, contents, odd)
    if len(archive) == len(blank):
        # A damaged header hides every file behind it: what says less is nearer to the truth.
        changed = _changed(archive, blank, manifest)
        faults = changed if not faults or len(changed) < len(faults) else faults
    return manifest, contents, tuple(sorted(faults, key=lambda fault: (fault.path, fault.kind)))


def _members(archive: bytes, where: str) -> tuple[dict[str, bytes], set[str]]:
    """Return the files of an archive by path, and the names of what is no file or comes twice."""
    contents: dict[str, bytes] = {}
    odd: set[str] = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isreg() else None
                if stream is None or member.name in contents:
                    odd.add(member.name)
                else:
                    contents[member.name] = stream.read()
    except (tarfile.TarError, ValueError) as error:
        if not contents:
            raise OlistError(f"{where}: it is no release bundle: {error}", _TAKE_ANOTHER) from error
    return contents, odd


def _changed(archive: bytes, blank: bytes, manifest: BundleManifest) -> set[Fault]:
    """Return the files of an archive of the right length that are not as they should be."""
    faults: set[Fault] = set()
    end = 0
    with tarfile.open(fileobj=io.BytesIO(blank), mode="r:") as tar:
        for member in tar:
            content_end = member.offset_data + member.size
            end = -(-content_end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
            header = slice(member.offset, member.offset_data)
            filling = slice(content_end, end)
            content = archive[member.offset_data : content_end]
            wanted = (
                sha256(manifest.to_bytes())
                if member.name == MANIFEST_PATH
                else manifest.files[member.name].sha256
            )
            if sha256(content) != wanted:
                faults.add(Fault(FaultKind.CHANGED, member.name))
            elif archive[header] != blank[header] or archive[filling] != blank[filling]:
                faults.add(Fault(FaultKind.CHANGED, f"{member.name} (outside its content)"))
    if archive[end:] != blank[end:]:
        faults.add(Fault(FaultKind.CHANGED, "the end of the archive"))
    return faults


def _added_or_missing(
    archive: bytes,
    blank: bytes,
    manifest: BundleManifest,
    contents: Mapping[str, bytes],
    odd: set[str],
) -> set[Fault]:
    """Return which files of an archive are not those of its manifest."""
    listed, found = manifest.files.keys(), contents.keys() - {MANIFEST_PATH}
    faults = {Fault(FaultKind.MISSING, path) for path in listed - found}
    faults |= {Fault(FaultKind.ADDED, path) for path in (found - listed) | odd}
    faults |= {
        Fault(FaultKind.CHANGED, path)
        for path in listed & found
        if sha256(contents[path]) != manifest.files[path].sha256
    }
    difference = len(archive) - len(blank)
    if not faults and difference:
        kind = FaultKind.ADDED if difference > 0 else FaultKind.MISSING
        faults.add(Fault(kind, f"{abs(difference)} bytes at the end of the archive"))
    return faults


def _leads_out(path: str) -> bool:
    parts = PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts


def _parse(content: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(content)
    return parsed
