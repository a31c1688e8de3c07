"""Backfill: every file as it is, on the day of the latest event; bad input is refused whole."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from olist_platform.errors import OlistError
from olist_platform.landing.csv_header import describe_header
from olist_platform.landing.folder_store import FolderStore
from olist_platform.landing.land import land_backfill, land_daily
from olist_platform.landing.stored_file import WriteOutcome
from olist_platform.source_catalog import CATALOG


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def refused(source: Path, landing: Path, **options: Any) -> OlistError:
    with pytest.raises(OlistError) as raised:
        land_backfill(source, FolderStore(landing), **options)
    assert not landing.exists(), "nothing may be written when the input is refused"
    return raised.value


def test_files_land_byte_by_byte_on_the_day_of_the_latest_event(
    small_source: Path, landing: Path
) -> None:
    result = land_backfill(small_source, FolderStore(landing))
    assert result.days == (date(2018, 1, 8),)
    assert (result.written, result.unchanged, result.missing) == (9, 0, ())
    for dataset in CATALOG:
        landed = landing / dataset.name / "dt=2018-01-08" / f"{dataset.file_name}.gz"
        source = (small_source / dataset.file_name).read_bytes()
        assert gzip.decompress(landed.read_bytes()) == source
    assert len([path for path in landing.rglob("*") if path.is_file()]) == 9


def test_landing_twice_changes_nothing(small_source: Path, landing: Path) -> None:
    store = FolderStore(landing)
    for land in (land_backfill, land_daily):
        first = land(small_source, store)
        before = {path: path.stat().st_mtime_ns for path in landing.rglob("*.gz")}
        again = land(small_source, store)
        assert (again.written, again.unchanged) == (0, first.written + first.unchanged)
        assert {path: path.stat().st_mtime_ns for path in landing.rglob("*.gz")} == before


def test_a_changed_file_of_a_day_lands_beside_the_former_and_sorts_behind_it(
    small_source: Path, landing: Path
) -> None:
    store = FolderStore(landing)
    land_backfill(small_source, store, extract_date=date(2018, 1, 1))
    sellers = small_source / "olist_sellers_dataset.csv"
    former = sellers.read_bytes()
    sellers.write_bytes(former + b"s9,01001,santos,SP\n")
    for written, unchanged in ((1, 8), (0, 9)):
        result = land_backfill(small_source, store, extract_date=date(2018, 1, 1))
        assert (result.written, result.unchanged) == (written, unchanged)
    first, second = sorted(landing.glob("sellers/dt=2018-01-01/*.gz"))
    assert first.name == "olist_sellers_dataset.csv.gz"
    assert second.name == "olist_sellers_dataset.v02.csv.gz"
    assert gzip.decompress(first.read_bytes()) == former
    assert gzip.decompress(second.read_bytes()) == sellers.read_bytes()
    assert len(list(landing.rglob("*.gz"))) == 10


def test_a_zip_lands_as_its_folder_does(small_source: Path, landing: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for path in small_source.iterdir():
            content.write(path, f"brazilian-ecommerce/{path.name}")
            content.writestr(f"__MACOSX/brazilian-ecommerce/._{path.name}", b"junk")
    for land, name in ((land_backfill, "whole"), (land_daily, "daily")):
        land(small_source, FolderStore(landing / name / "folder"))
        land(archive, FolderStore(landing / name / "zip"))
        trees = [
            {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.gz")}
            for root in (landing / name / "folder", landing / name / "zip")
        ]
        assert trees[0] == trees[1]
        assert len(trees[0]) >= 9


def test_missing_datasets_are_refused_by_name(small_source: Path, landing: Path) -> None:
    (small_source / "olist_geolocation_dataset.csv").unlink()
    (small_source / "olist_order_reviews_dataset.csv").unlink()
    error = refused(small_source, landing)
    assert error.message == (
        f"missing in {small_source}: reviews (olist_order_reviews_dataset.csv), "
        "geolocation (olist_geolocation_dataset.csv)"
    )
    assert error.mend == "--allow-missing lands the rest"
    result = land_backfill(small_source, FolderStore(landing), allow_missing=True)
    assert result.missing == ("reviews", "geolocation")
    assert result.written == 7


def test_a_wrong_header_is_refused(small_source: Path, landing: Path) -> None:
    path = small_source / "olist_sellers_dataset.csv"
    path.write_text("seller_id,zip,seller_city,seller_state\ns1,1,x,SP\n")
    error = refused(small_source, landing)
    assert str(path) in error.message
    assert "missing seller_zip_code_prefix; unexpected 'zip'" in error.message


def test_malformed_orders_are_refused_with_their_line(small_source: Path, landing: Path) -> None:
    path = small_source / "olist_orders_dataset.csv"
    path.write_bytes(path.read_bytes() + b"too,few\n")
    assert "2 columns instead of 8" in refused(small_source, landing).message
    dated = refused(small_source, landing, extract_date=date(2018, 1, 1))
    assert "2 columns instead of 8" in dated.message


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("olist_order_payments_dataset.csv", b"o9,1,boleto,1\n", "4 columns instead of 5"),
        (
            "olist_customers_dataset.csv",
            "c9,p9,01001,são paulo,SP\n".encode("latin-1"),
            "not UTF-8",
        ),
        ("olist_geolocation_dataset.csv", b'1001,-23.5,-46.6,"sao paulo,SP\n', "never closed"),
        ("olist_order_payments_dataset.csv", b"o9,1,boleto,1,150.4", "no line break"),
    ],
)
@pytest.mark.parametrize("land", [land_backfill, land_daily])
def test_a_fault_in_any_file_lands_none(  # noqa: PLR0917 - fixture and cases
    small_source: Path, landing: Path, land: Callable[..., Any], name: str, row: bytes, reason: str
) -> None:
    path = small_source / name
    path.write_bytes(path.read_bytes() + row)
    with pytest.raises(OlistError, match=reason) as raised:
        land(small_source, FolderStore(landing))
    assert str(path) in raised.value.message
    assert "line " in raised.value.message
    assert not landing.exists(), "a faulty file that has landed is refused by every load to come"


def test_the_one_file_that_is_published_without_its_last_line_break_lands(
    small_source: Path, landing: Path
) -> None:
    path = small_source / "product_category_name_translation.csv"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    land_backfill(small_source, FolderStore(landing))
    [landed] = landing.glob("category_translation/*/*.gz")
    assert gzip.decompress(landed.read_bytes()) == path.read_bytes()


def test_a_day_of_the_future_is_refused_because_no_later_extract_would_count(
    small_source: Path, landing: Path
) -> None:
    path = small_source / "olist_orders_dataset.csv"
    path.write_text(path.read_text().replace("2018-01-0", "2081-01-0"))
    mistyped = refused(small_source, landing)
    assert "the latest event, 2081-01-" in mistyped.message
    assert "lies in the future" in mistyped.message
    assert "--date" in mistyped.mend
    with pytest.raises(OlistError, match="lies in the future"):
        land_daily(small_source, FolderStore(landing))
    told = refused(small_source, landing, extract_date=date(2081, 1, 8))
    assert "2081-01-08 lies in the future" in told.message
    landed = land_backfill(small_source, FolderStore(landing), extract_date=date(2018, 1, 8))
    assert landed.days == (date(2018, 1, 8),)


def test_without_any_event_the_day_must_be_named(
    make_source: Callable[[dict[str, Any]], Path], landing: Path
) -> None:
    source = make_source({"sellers": [["s1", "01001", "x", "SP"]]})
    assert "--date" in refused(source, landing, allow_missing=True).mend


def test_wrong_inputs_are_refused(tmp_path: Path, landing: Path, small_source: Path) -> None:
    nothing = tmp_path / "nothing"
    assert refused(nothing, landing).message == f"{nothing} does not exist"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds none of the nine Olist files" in refused(empty, landing).message
    assert (
        "neither a folder nor a readable zip"
        in refused(small_source / "olist_orders_dataset.csv", landing).message
    )


def test_damaged_zips_are_refused(tmp_path: Path, landing: Path, small_source: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as content:
        for path in small_source.iterdir():
            content.write(path, path.name)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert "neither a folder nor a readable zip" in refused(archive, landing).message
    archive.write_bytes(whole.replace(b"bebes,baby", b"bebes,BABY", 1))
    error = refused(archive, landing)
    assert "product_category_name_translation.csv" in error.message
    assert "CRC" in error.message


def test_what_else_a_zip_holds_may_be_there_twice(
    small_source: Path, landing: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for path in small_source.iterdir():
            content.write(path, f"data/{path.name}")
        for folder in ("data", "more"):
            content.writestr(f"{folder}/README.md", folder)
            content.mkdir(f"{folder}/olist_orders_dataset.csv")
    assert land_backfill(archive, FolderStore(landing)).written == 9


def test_an_encrypted_zip_is_refused(small_source: Path, landing: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for path in small_source.iterdir():
            content.write(path, path.name)
    whole = bytearray(archive.read_bytes())
    # Python writes none; the flag of the last entry of the directory tells it.
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(whole)
    error = refused(archive, landing)
    assert "is encrypted" in error.message
    assert error.mend == "unzip it to a folder"


def test_of_a_header_without_end_the_beginning_is_told() -> None:
    told = describe_header([f"column_{number:03d}" for number in range(100)], ("a", "b"))
    assert told.startswith("wrong header: missing a, b; unexpected 'column_000', 'column_001'")
    assert "'column_019' (expected a,b; got column_000,column_001" in told
    assert told.endswith("...)")
    assert len(told.partition("got ")[2]) == 300 + len("...)")
    assert describe_header(["a"], ("b",)).endswith("got a)")


def test_a_zip_with_a_file_twice_is_refused(tmp_path: Path, landing: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("a/olist_orders_dataset.csv", "x")
        content.writestr("b/olist_orders_dataset.csv", "y")
    assert "holds olist_orders_dataset.csv twice" in refused(archive, landing).message


def test_leftovers_and_hidden_files_are_not_landing_files(
    small_source: Path, landing: Path
) -> None:
    store = FolderStore(landing)
    land_backfill(small_source, store)
    (landing / "orders" / ".x.gz.1234.part").write_bytes(b"half")
    (landing / ".DS_Store").write_bytes(b"")
    assert len(store.list_files()) == 9


def test_what_a_killed_process_left_is_removed(small_source: Path, landing: Path) -> None:
    folder = landing / "orders/dt=2018-01-08"
    folder.mkdir(parents=True)
    old, young = (
        folder / f".olist_orders_dataset.csv.gz.{name}.part" for name in ("0ld00000", "y0ung000")
    )
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    land_backfill(small_source, FolderStore(landing))
    assert (old.exists(), young.exists()) == (False, True)


class Overtaken(io.BytesIO):
    """Content whose reading lets another process write the file first, as two at once would."""

    def __init__(self, content: bytes, overtake: Callable[[], object]) -> None:
        super().__init__(content)
        self._overtake: Callable[[], object] | None = overtake

    def read(self, size: int | None = -1) -> bytes:
        overtake, self._overtake = self._overtake, None
        if overtake:
            overtake()
        return super().read(size)


def test_of_two_writers_at_once_neither_writes_over_the_other(landing: Path) -> None:
    store, path = FolderStore(landing), "sellers/dt=2018-01-01/x.csv.gz"
    for content, outcome in ((b"other", WriteOutcome.TAKEN), (b"first", WriteOutcome.UNCHANGED)):
        slow = Overtaken(content, lambda: FolderStore(landing).write(path, io.BytesIO(b"first")))
        assert store.write(path, slow) is outcome
        assert [file.name for file in (landing / path).parent.iterdir()] == ["x.csv.gz"]
        assert (landing / path).read_bytes() == b"first"
        (landing / path).unlink()


def test_a_failed_write_leaves_nothing(landing: Path) -> None:
    class Failing:
        def seek(self, *_: int) -> int:
            return 0

        def read(self, _: int) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(OlistError, match="no space left on the disk"):
        FolderStore(landing).write("orders/x.gz", Failing())  # type: ignore[arg-type]
    assert [path for path in landing.rglob("*") if path.is_file()] == []
