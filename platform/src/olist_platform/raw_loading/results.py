"""What a load tells its caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that was not loaded.

    Attributes:
        path: Landing-relative.
        reason: What is wrong with it; names the line where one is at fault.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run of the load did.

    Attributes:
        loaded_at: `_loaded_at` of every row of this run, UTC.
        loaded: Files whose rows were added.
        already_loaded: Files that an earlier run has loaded, or recorded as a duplicate.
        duplicates: Files with the content of another file of the same dataset and day.
        rejected: Files that cannot be loaded; the next run tries them again.
        ignored: Files beside the datasets' folders, which are no landing files.
        rows_by_dataset: Rows added, by dataset's name; all datasets have an entry.
    """

    loaded_at: datetime
    loaded: int
    already_loaded: int
    duplicates: int
    rejected: tuple[RejectedFile, ...]
    ignored: tuple[str, ...]
    rows_by_dataset: Mapping[str, int]

    @property
    def rows(self) -> int:
        """Rows added to all raw tables."""
        return sum(self.rows_by_dataset.values())
