"""The CSV files that are to be landed: in a folder, or in a zip such as Kaggle's download."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.landing.strict_csv import CsvFaultError, scan_csv
from olist_platform.source_catalog import CATALOG, Dataset

_ENCRYPTED = 0x1


class SourceFile(Protocol):
    """One CSV file of the input."""

    @property
    def label(self) -> str:
        """What an error calls it."""

    def open(self) -> BinaryIO:
        """Open it for reading from its start; the caller closes it."""


@dataclass(frozen=True, slots=True)
class _FolderFile:
    path: Path

    @property
    def label(self) -> str:
        return str(self.path)

    def open(self) -> BinaryIO:
        with os_errors_explained(self.path):
            return self.path.open("rb")


@dataclass(frozen=True, slots=True)
class _ZipMember:
    archive: Path
    name: str

    @property
    def label(self) -> str:
        return f"{self.archive}: {self.name}"

    def open(self) -> BinaryIO:
        with os_errors_explained(self.archive):
            # The member keeps its archive open for as long as it is read.
            return cast("BinaryIO", zipfile.ZipFile(self.archive).open(self.name))


def find_source_files(source: Path, *, allow_missing: bool = False) -> dict[Dataset, SourceFile]:
    """Find and check the input's files: each is, to its end, CSV with its catalog's header.

    A file that the load would refuse must not land: it would be refused by every later load too,
    and Snowpipe, which compares no columns, would load it.

    Args:
        source: A folder or a zip.
        allow_missing: Whether datasets may be missing; one at least must be there.

    Returns:
        The files by dataset, in the catalog's order.

    Raises:
        OlistError: The input is not there or broken, datasets are missing, or a file is not the
            CSV it should be.
    """
    if not source.exists():
        raise OlistError(
            f"{source} does not exist",
            "name the folder of the CSV files, or Kaggle's zip",
        )
    files: Mapping[str, SourceFile] = (
        _files_in_folder(source) if source.is_dir() else _members_of_zip(source)
    )
    found = {dataset: files[dataset.file_name] for dataset in CATALOG if dataset.file_name in files}
    if not found:
        raise OlistError(
            f"{source} holds none of the nine Olist files",
            f"they are named like {CATALOG[0].file_name} and lie directly in the folder",
        )
    missing = [dataset for dataset in CATALOG if dataset not in found]
    if missing and not allow_missing:
        names = ", ".join(f"{dataset.name} ({dataset.file_name})" for dataset in missing)
        raise OlistError(f"missing in {source}: {names}", "--allow-missing lands the rest")
    for dataset, file in found.items():
        _check(file, dataset)
    return found


@contextmanager
def reading(file: SourceFile) -> Iterator[BinaryIO]:
    """Open a file of the input; what goes wrong within the block becomes an error that names it."""
    try:
        with file.open() as content:
            yield content
    except CsvFaultError as fault:
        raise OlistError(f"{file.label}: {fault}", "mend the file; nothing was landed") from fault
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise OlistError(
            f"{file.label}: the zip cannot be read: {error}",
            "download it again, or unzip it to a folder",
        ) from error


def _files_in_folder(folder: Path) -> dict[str, _FolderFile]:
    with os_errors_explained(folder):
        return {path.name: _FolderFile(path) for path in folder.iterdir() if path.is_file()}


def _members_of_zip(archive: Path) -> dict[str, _ZipMember]:
    wanted = {dataset.file_name for dataset in CATALOG}
    members: dict[str, _ZipMember] = {}
    try:
        with os_errors_explained(archive), zipfile.ZipFile(archive) as content:
            infos = content.infolist()
    except zipfile.BadZipFile as error:
        raise OlistError(
            f"{archive} is neither a folder nor a readable zip: {error}",
            "name a folder of CSV files, or download the zip again",
        ) from error
    for info in infos:
        name = PurePosixPath(info.filename).name
        if info.is_dir() or name not in wanted:
            continue
        if name in members:
            raise OlistError(
                f"{archive} holds {name} twice: {members[name].name} and {info.filename}",
                "keep one of them",
            )
        if info.flag_bits & _ENCRYPTED:
            raise OlistError(f"{archive}: {info.filename} is encrypted", "unzip it to a folder")
        members[name] = _ZipMember(archive, info.filename)
    return members


def _check(file: SourceFile, dataset: Dataset) -> None:
    with reading(file) as content:
        shape = scan_csv(content, dataset.header)
        # Cut off there, 150.45 would be 150.4, and nothing else would tell.
        if shape.records and dataset.ends_with_line_break and not shape.ends_with_newline:
            raise CsvFaultError(
                "its last line has no line break, as if the file were cut off there; if it is"
                " whole, add one"
            )
