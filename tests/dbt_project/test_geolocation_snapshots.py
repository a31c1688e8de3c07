"""Each extract of places replaces the one before, once; what is built twice is built the same."""

import csv
import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

POINTS = "base_zip_code_points"
# Without the tests that ask models of others too.
SELECTED = ["--quiet", "--select", "+stg_geolocation", "--indirect-selection", "cautious"]
HEADER = [f"geolocation_{name}" for name in ("zip_code_prefix", "lat", "lng", "city", "state")]
Point = tuple[str, float, float, str, str]


def land(workspace: Workspace, day: str, points: list[Point], name: str = "geolocation") -> None:
    path = workspace.landing / "geolocation" / f"dt={day}" / f"{name}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([HEADER, *points])
    workspace.olist("load")


def build(workspace: Workspace, *arguments: str) -> None:
    workspace.olist("dbt", "--", "build", *SELECTED, *arguments)


def places(workspace: Workspace) -> list[tuple[Any, ...]]:
    return workspace.rows(
        "select zip_code_prefix, latitude::double, longitude::double, state, extract_date "
        "from staging.stg_geolocation order by all"
    )


def rows_written(workspace: Workspace) -> int:
    """How many row ids the table has given out: a row that is written again gets a new one."""
    ((highest,),) = workspace.rows(f"select coalesce(max(rowid), -1) from staging.{POINTS}")
    return int(highest)


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    """A warehouse with raw tables and no point yet."""
    workspace = make_workspace("geolocation")
    files: Path = workspace.home / "files"
    workspace.olist("generate", files, "--orders", "200")
    (files / "olist_geolocation_dataset.csv").unlink()
    workspace.olist("land", files, "--allow-missing")
    workspace.olist("load")
    with duckdb.connect(str(workspace.warehouse)) as connection:
        # Where `rows` looks names up, and these builds put nothing.
        for schema in ("intermediate", "marts"):
            connection.execute(f"create schema {schema}")
    build(workspace, "--exclude-resource-type", "test", "unit_test")
    return workspace


def test_extracts_follow_each_other(workspace: Workspace) -> None:
    first = date(2018, 1, 10)
    sao_paulo: Point = ("1001", -23.55, -46.63, "sao paulo", "SP")
    rio: Point = ("20010", -22.90, -43.17, "rio de janeiro", "RJ")
    assert places(workspace) == []
    land(workspace, "2018-01-10", [sao_paulo, sao_paulo, rio])
    build(workspace)
    assert places(workspace) == [
        ("01001", -23.55, -46.63, "SP", first), ("20010", -22.9, -43.17, "RJ", first),
    ]  # fmt: skip

    # Nothing new: nothing is written.
    written = rows_written(workspace)
    build(workspace)
    assert rows_written(workspace) == written

    # A late file of the same day takes part, and does not wait for the next extract.
    land(workspace, "2018-01-10", [("20010", -22.92, -43.17, "rio", "RJ")], "geolocation_late")
    build(workspace)
    assert places(workspace)[1] == ("20010", -22.91, -43.17, "RJ", first)

    # An older extract that comes late changes nothing.
    before = places(workspace)
    land(workspace, "2018-01-03", [("69900", -9.97, -67.81, "rio branco", "AC")])
    build(workspace)
    assert places(workspace) == before

    # A new extract replaces all: Rio de Janeiro is gone, Sao Paulo has moved.
    moved: Point = ("01001", -23.56, -46.64, "sao paulo", "SP")
    abroad: Point = ("01001", 38.7, -9.1, "lisboa", "SP")
    land(workspace, "2018-02-10", [moved, abroad])
    build(workspace)
    assert places(workspace) == [("01001", -23.56, -46.64, "SP", date(2018, 2, 10))]

    incremental = workspace.rows(f"from staging.{POINTS} order by all")
    build(workspace, "--full-refresh")
    assert workspace.rows(f"from staging.{POINTS} order by all") == incremental
