"""The landing's layout: `<dataset>/dt=YYYY-MM-DD/<file>.csv.gz`."""

import re
from dataclasses import dataclass
from datetime import date

from olist_platform.source_catalog import CATALOG, Dataset

_DATE_FOLDER = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")
_BY_FOLDER = {dataset.name: dataset for dataset in CATALOG}


@dataclass(frozen=True, slots=True)
class LandingPlace:
    """What the path of a landing file tells."""

    dataset: Dataset
    extract_date: date


class MisplacedFileError(Exception):
    """A path that is not of the landing's layout; the text says why."""


def landing_path(dataset: Dataset, extract_date: date, version: int = 1) -> str:
    """Return the landing-relative path of a dataset's extract of one day.

    Later versions of the same day sort behind the first: of two files that staging meets together
    the one whose name is last is the newer.
    """
    stem, suffix = dataset.file_name.rsplit(".", 1)
    mark = "" if version == 1 else f".v{version:02d}"
    return f"{dataset.name}/dt={extract_date.isoformat()}/{stem}{mark}.{suffix}.gz"


def parse_landing_path(path: str) -> LandingPlace:
    """Return the dataset and the day that a landing-relative path tells.

    Raises:
        MisplacedFileError: The path is not of the landing's layout.
    """
    folder, *middle, file_name = path.split("/")
    dataset = _BY_FOLDER.get(folder)
    if dataset is None:
        raise MisplacedFileError(
            f"no dataset is named '{folder}'; the catalog has: {', '.join(_BY_FOLDER)}"
        )
    match = _DATE_FOLDER.fullmatch(middle[0]) if len(middle) == 1 else None
    if match is None:
        raise MisplacedFileError(f"it does not lie in {folder}/dt=YYYY-MM-DD/")
    try:
        extract_date = date.fromisoformat(match[1])
    except ValueError:
        raise MisplacedFileError(f"'{middle[0]}' is not a date of the calendar") from None
    if not file_name.endswith(".gz"):
        raise MisplacedFileError("its name does not end in .gz; landing files are gzipped CSV")
    return LandingPlace(dataset, extract_date)
