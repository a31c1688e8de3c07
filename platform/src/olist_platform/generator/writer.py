"""Writes the files: into a hidden folder first, then each whole file into its place."""

import fcntl
import io
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import polars as pl

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.source_catalog import CATALOG, dataset_named

TRUE_PARAMETERS_FILE = "true_parameters.json"
_PARTIAL_FOLDER = ".olist-generate.partial"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DatasetWriter:
    """Appends frames to the nine CSV files; `publish` puts them under their names.

    The files grow in a hidden folder inside the target, so that moving them never crosses disks.
    A run that ends early removes it; what a killed one left is removed by the next.
    """

    def __init__(self, folder: Path, *, byte_order_mark: bool) -> None:
        self._folder = folder
        self._partial = folder / _PARTIAL_FOLDER
        self._byte_order_mark = byte_order_mark
        self._files: dict[str, BinaryIO] = {}
        self._lock: int | None = None
        self._made_folder = False
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Open the files.

        Raises:
            OlistError: The target is a file, cannot be written, holds a data set that was not
                generated, or another run writes there.
        """
        try:
            with os_errors_explained(self._folder):
                self._open()
        except BaseException:
            self._clear(failed=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove whatever was not published."""
        self._clear(failed=error is not None)

    def append(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Append frames by dataset name.

        Raises:
            OlistError: The disk is full or cannot be written.
        """
        for name, frame in frames.items():
            dataset = dataset_named(name)
            buffer = io.BytesIO()
            with os_errors_explained(self._folder / dataset.file_name):
                frame.select(dataset.header).write_csv(
                    buffer, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S"
                )
                self._files[name].write(buffer.getbuffer())
            self.rows[name] += len(frame)

    def publish(self, true_parameters: str) -> None:
        """Move each finished file into its place.

        Args:
            true_parameters: JSON text of the parameters the data was made with.

        Raises:
            OlistError: The disk is full, or a file cannot be replaced.
        """
        with os_errors_explained(self._folder):
            for file in self._files.values():
                file.close()
            (self._partial / TRUE_PARAMETERS_FILE).write_text(true_parameters, encoding="utf-8")
            # First the one that tells generated files from a user's own.
            for name in [TRUE_PARAMETERS_FILE, *(dataset.file_name for dataset in CATALOG)]:
                (self._partial / name).replace(self._folder / name)

    def _open(self) -> None:
        if self._folder.exists() and not self._folder.is_dir():
            raise OlistError(
                f"{self._folder}: it is a file, not a folder", "name a folder for the nine files"
            )
        self._refuse_files_of_others()
        self._made_folder = not self._folder.exists()
        self._take_lock()
        for leftover in self._partial.iterdir():
            leftover.unlink()
        for dataset in CATALOG:
            file = (self._partial / dataset.file_name).open("wb")
            self._files[dataset.name] = file
            if dataset.has_byte_order_mark and self._byte_order_mark:
                file.write(_BYTE_ORDER_MARK)
            file.write(",".join(dataset.header).encode() + b"\n")
            self.rows[dataset.name] = 0

    def _refuse_files_of_others(self) -> None:
        if (self._folder / TRUE_PARAMETERS_FILE).exists():
            return
        for dataset in CATALOG:
            path = self._folder / dataset.file_name
            if path.exists():
                raise OlistError(
                    f"{path}: it was not generated, and would be written over",
                    "generate into another folder, or move that file away",
                )

    def _clear(self, *, failed: bool) -> None:
        for file in self._files.values():
            # A full disk refuses the last bytes again; the error is on its way already.
            with suppress(OSError):
                file.close()
        if self._lock is not None:
            shutil.rmtree(self._partial, ignore_errors=True)
            os.close(self._lock)
            self._lock = None
        if failed and self._made_folder:
            # Only an empty folder goes.
            with suppress(OSError):
                self._folder.rmdir()

    def _take_lock(self) -> None:
        while self._lock is None:
            self._partial.mkdir(parents=True, exist_ok=True)
            # One that another run removes at its end is none to lock: the next would make its own.
            with suppress(FileNotFoundError):
                opened = os.open(self._partial, os.O_RDONLY)
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(opened), self._partial.stat()):
                        self._lock = opened
                except BlockingIOError:
                    raise OlistError(
                        f"{self._folder}: another run is generating there",
                        "wait for it to end, or choose another folder",
                    ) from None
                finally:
                    if self._lock is None:
                        os.close(opened)
