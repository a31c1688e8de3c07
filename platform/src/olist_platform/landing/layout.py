"""The landing's layout: `<dataset>/dt=YYYY-MM-DD/<file>.csv.gz`."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from olist_platform.source_catalog import CATALOG, Dataset

# Wherever the source's clock stands: no zone is a day ahead of UTC.
_AHEAD_OF_UTC = timedelta(days=1)
_SUFFIX = ".csv.gz"
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


def lies_in_the_future(extract_date: date) -> bool:
    """Whether no extract can be of that day yet.

    Of several versions of a record that of the newest day counts, so a mistyped year would hide
    every extract to come.
    """
    return extract_date > datetime.now(UTC).date() + _AHEAD_OF_UTC


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
    if lies_in_the_future(extract_date):
        raise MisplacedFileError(
            f"its day lies in the future; {extract_date} would hide every extract to come"
        )
    # S3 tells Snowpipe of these only.
    if not file_name.endswith(_SUFFIX):
        raise MisplacedFileError(
            f"its name does not end in {_SUFFIX}; landing files are gzipped CSV"
        )
    return LandingPlace(dataset, extract_date)
