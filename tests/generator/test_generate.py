"""The command and the files: settings, determinism, atomic writing, errors."""

import fcntl
import hashlib
import itertools
import json
import resource
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from olist_platform.cli.generate import generate
from olist_platform.errors import OlistError
from olist_platform.generator import calibration, dataset
from olist_platform.generator.calibration import (
    ORDERS_BY_HOUR,
    ORDERS_BY_MONTH,
    ORDERS_BY_STATUS,
    PUBLISHED,
)
from olist_platform.generator.dataset import generate_dataset
from olist_platform.generator.purchase_calendar import (
    black_friday,
    days_from_epoch,
    purchase_calendar,
)
from olist_platform.generator.reference_tables import cities
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.generator.writer import DatasetWriter
from olist_platform.source_catalog import CATALOG

SMALL = GeneratorSettings(orders=500)
FILES = {*(entry.file_name for entry in CATALOG), "true_parameters.json"}


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_equal_settings_give_identical_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "CHUNK_ORDERS", 200)
    seen: list[tuple[int, int]] = []
    generate_dataset(SMALL, tmp_path / "one")
    generate_dataset(SMALL, tmp_path / "two", lambda done, work: seen.append((done, work)))
    assert checksums(tmp_path / "one") == checksums(tmp_path / "two")
    assert set(checksums(tmp_path / "one")) == FILES
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_another_seed_gives_other_data(tmp_path: Path) -> None:
    generate_dataset(SMALL, tmp_path / "one")
    generate_dataset(GeneratorSettings(orders=500, seed=43), tmp_path / "two")
    one, two = checksums(tmp_path / "one"), checksums(tmp_path / "two")
    same = {name for name, checksum in one.items() if two[name] == checksum}
    assert same == {"product_category_name_translation.csv"}


def test_headers_are_those_of_the_catalog(dirty_folder: Path) -> None:
    for entry in CATALOG:
        with (dirty_folder / entry.file_name).open(encoding="utf-8-sig") as file:
            assert file.readline() == ",".join(entry.header) + "\n"


def test_files_are_replaced_and_others_kept(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    generate_dataset(GeneratorSettings(orders=100), tmp_path)
    generate_dataset(SMALL, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "notes.txt"}
    assert other.read_text() == "mine"
    assert len((tmp_path / "olist_orders_dataset.csv").read_text().splitlines()) == 501


def test_files_that_were_not_generated_are_never_written_over(tmp_path: Path) -> None:
    real = tmp_path / "olist_orders_dataset.csv"
    real.write_text("the real ones")
    with pytest.raises(OlistError, match="was not generated") as raised:
        generate_dataset(SMALL, tmp_path)
    assert str(real) in raised.value.message
    assert "another folder" in raised.value.mend
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        real.name: "the real ones"
    }


def test_a_run_killed_while_its_files_take_their_places_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def die_at_orders(self: Path, target: Path) -> Path:
        if target.name == "olist_orders_dataset.csv":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", die_at_orders)
    with pytest.raises(KeyboardInterrupt):
        generate_dataset(SMALL, tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "olist_customers_dataset.csv").exists()
    generate_dataset(SMALL, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".olist-generate.partial"
    left.mkdir()
    (left / "olist_orders_dataset.csv").write_text("half")
    generate_dataset(SMALL, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_failing_run_leaves_the_old_files(tmp_path: Path) -> None:
    generate_dataset(SMALL, tmp_path)
    before = checksums(tmp_path)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(OlistError) as caught:
            generate_dataset(GeneratorSettings(orders=500, seed=1), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the file-size limit is reached" in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert checksums(tmp_path) == before


def test_a_failing_run_leaves_no_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "build_world", stop)
    with pytest.raises(KeyboardInterrupt):
        generate_dataset(SMALL, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_run_that_ends_as_another_begins_leaves_it_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place that both hold one after the other is removed between a look and a lock."""
    first = DatasetWriter(tmp_path, byte_order_mark=False).__enter__()
    lock = fcntl.flock

    def overtaken(file: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        first.__exit__(None, None, None)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    with DatasetWriter(tmp_path, byte_order_mark=False):
        third = DatasetWriter(tmp_path, byte_order_mark=False)
        with pytest.raises(OlistError, match="another run"):
            third.__enter__()
    assert list(tmp_path.iterdir()) == []


def test_what_changes_the_files_shares_them_with_no_other_run(tmp_path: Path) -> None:
    """Frauds are put into files that lie there; another run's must not come between."""

    def change() -> None:
        orders = pl.read_csv(tmp_path / "olist_orders_dataset.csv", infer_schema=False)
        assert len(orders) == SMALL.orders
        with pytest.raises(OlistError, match="another run"):
            generate_dataset(SMALL, tmp_path)
        changed.append(True)

    changed: list[bool] = []
    generate_dataset(SMALL, tmp_path, change=change)
    assert changed


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        DatasetWriter(tmp_path, byte_order_mark=False),
        pytest.raises(OlistError, match="another run"),
    ):
        generate_dataset(SMALL, tmp_path)


def test_a_file_as_target_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("mine")
    with pytest.raises(OlistError, match="it is a file, not a folder"):
        generate_dataset(SMALL, target)
    with pytest.raises(OlistError, match="not a folder"):
        generate_dataset(SMALL, target / "below")
    assert target.read_text() == "mine"


def test_a_read_only_target_is_explained() -> None:
    with pytest.raises(OlistError) as caught:
        generate_dataset(SMALL, Path("/proc/olist"))
    assert "/proc/olist" in caught.value.message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"orders": 0}, "number of orders is 0"),
        ({"orders": -5}, "number of orders is -5"),
        ({"seed": -1}, "seed is -1"),
        ({"start": date(2018, 1, 1), "end": date(2018, 1, 1)}, "not after its start"),
        ({"start": date(2019, 1, 1)}, "ends on 2018-10-17"),
        ({"start": date(1960, 1, 1)}, "too wide"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(OlistError, match=message):
        GeneratorSettings(**values)  # type: ignore[arg-type]


def test_true_parameters_lie_beside_the_data(dirty_folder: Path) -> None:
    parameters = json.loads((dirty_folder / "true_parameters.json").read_text())
    assert parameters["settings"] == {
        "seed": 42,
        "orders": 25_000,
        "start": "2016-09-04",
        "end": "2018-10-17",
        "dirt": True,
    }
    assert parameters["repeat_purchases_bg_nbd_days"]["shape"] > 0
    assert parameters["sellers_process"]["quality_sigma"] == 0.3
    assert len(parameters["seller_quality"]) == parameters["rows"]["sellers"]
    assert parameters["growth"]["orders_by_month"]["2017-11"] == 7_544


def test_every_constant_of_the_processes_is_among_the_true_parameters(dirty_folder: Path) -> None:
    """By value: whatever the calibration says stands somewhere in the file."""
    written = json.loads((dirty_folder / "true_parameters.json").read_text())
    found = set()

    def collect(value: object) -> None:
        found.add(json.dumps(value, sort_keys=True))
        parts = value.values() if isinstance(value, dict) else value
        for part in parts if isinstance(parts, Iterable) and not isinstance(parts, str) else ():
            collect(part)

    collect(written)
    known = {
        name: value
        for name, value in vars(calibration).items()
        if name.isupper() and name not in {"PUBLISHED", "CHUNK_ORDERS", "DAILY_LEVEL_BY_STAGE"}
    }
    assert len(known) > 30
    # Dates stand as texts, and processes have settings of theirs beside them.
    for name in ("HOLIDAY_LEVEL", "TRANSPORT_CRISES"):
        known.pop(name)
    missing = []
    for name, value in known.items():
        is_process = is_dataclass(value) and not isinstance(value, type)
        values = asdict(value).values() if is_process else [value]
        missing += [
            name
            for each in values
            if json.dumps(json.loads(json.dumps(each)), sort_keys=True) not in found
        ]
    assert missing == []


def test_published_counts_are_consistent() -> None:
    assert sum(ORDERS_BY_MONTH.values()) == PUBLISHED.orders
    assert sum(ORDERS_BY_STATUS.values()) == PUBLISHED.orders
    assert sum(ORDERS_BY_HOUR) == PUBLISHED.orders


def test_zip_ranges_of_cities_do_not_overlap() -> None:
    table = cities()
    ranges = sorted(zip(table.zip_first, table.zip_last, table.name, strict=True))
    overlaps = [(one[2], two[2]) for one, two in itertools.pairwise(ranges) if two[0] <= one[1]]
    assert overlaps == []
    assert table.customer_share.sum() == pytest.approx(1)
    assert len(set(table.state)) == 27


def test_black_friday_is_the_fourth_friday_of_november() -> None:
    assert black_friday(2017) == date(2017, 11, 24)
    assert black_friday(2018) == date(2018, 11, 23)
    assert black_friday(2024) == date(2024, 11, 22)


@pytest.mark.parametrize("year", [2005, 2024])
def test_another_date_range_grows_and_peaks_on_each_black_friday(year: int) -> None:
    chosen = GeneratorSettings(start=date(year, 1, 1), end=date(year + 1, 12, 31))
    calendar = purchase_calendar(chosen)
    share = [
        after - before
        for before, after in zip(
            [0.0, *calendar.day_probabilities], calendar.day_probabilities, strict=False
        )
    ]
    assert sum(share[-90:]) > 3 * sum(share[:90])
    for peak_year in (year, year + 1):
        day = days_from_epoch(black_friday(peak_year)) - calendar.first_day
        around = share[day - 30 : day + 31]
        assert max(around) == share[day]
        assert share[day] > 4 * sorted(around)[30]


def test_repeat_customers_and_their_spacing(tmp_path: Path) -> None:
    generate_dataset(GeneratorSettings(orders=40_000, seed=5), tmp_path)
    customers = pl.scan_csv(tmp_path / "olist_customers_dataset.csv")
    orders = pl.scan_csv(tmp_path / "olist_orders_dataset.csv", try_parse_dates=True)
    joined = customers.join(orders, on="customer_id").sort(
        "customer_unique_id", "order_purchase_timestamp"
    )
    people = joined.group_by("customer_unique_id").len().collect()
    assert 0.027 < (people["len"] > 1).mean() < 0.035  # type: ignore[operator]
    assert 1.030 < 40_000 / len(people) < 1.040
    gaps = (
        joined.select(
            pl.col("order_purchase_timestamp").diff().over("customer_unique_id").dt.total_hours()
            / 24
        )
        .drop_nulls()
        .collect()
        .to_series()
    )
    assert 10 < gaps.quantile(0.5) < 40  # type: ignore[operator]
    assert 0.04 < (gaps < 1).mean() < 0.2  # type: ignore[operator]


def _runner_app() -> typer.Typer:
    app = typer.Typer()
    app.command()(generate)
    return app


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    arguments = [str(tmp_path / "data"), "--orders", "50", "--seed", "3", "--no-dirt"]
    result = CliRunner().invoke(
        _runner_app(), [*arguments, "--from", "2023-01-01", "--to", "2023-12-31"]
    )
    assert result.exit_code == 0, result.output
    assert "olist_orders_dataset.csv" in result.output
    assert {path.name for path in (tmp_path / "data").iterdir()} == FILES
    orders = pl.read_csv(tmp_path / "data" / "olist_orders_dataset.csv")
    assert len(orders) == 50
    assert orders["order_purchase_timestamp"].str.starts_with("2023-").all()


def test_the_command_explains_a_wrong_date(tmp_path: Path) -> None:
    result = CliRunner().invoke(_runner_app(), [str(tmp_path / "data"), "--from", "24/11/2017"])
    assert isinstance(result.exception, OlistError)
    assert "'24/11/2017' is not a date" in result.exception.message
    assert not (tmp_path / "data").exists()


def test_the_help_has_an_example() -> None:
    result = CliRunner().invoke(_runner_app(), ["--help"])
    assert "olist generate data/generated --orders 20000" in " ".join(result.output.split())
