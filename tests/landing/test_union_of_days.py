"""The union of all days equals the backfill in its latest versions, and loses no row."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from olist_platform.landing.folder_store import FolderStore
from olist_platform.landing.land import land_backfill, land_daily, land_state
from olist_platform.naming import EnvironmentName, Names
from olist_platform.raw_loading.loader import Loader
from olist_platform.source_catalog import CATALOG, Dataset

_NEWEST_FIRST = """
    split_part(split_part(_source_file, 'dt=', 2), '/', 1) desc, _loaded_at desc,
    _source_file desc, _source_row desc
"""


def latest_versions(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> list[tuple[object, ...]]:
    """Newest row of each key, as dbt's staging takes it; rows without a key are all of them."""
    columns = ", ".join(dataset.header)
    if not dataset.key:
        return connection.execute(
            f"select {columns} from raw.{dataset.name} order by all"
        ).fetchall()
    key = ", ".join(dataset.key)
    no_key = " or ".join(f"{column} is null" for column in dataset.key)
    return connection.execute(
        f"""
        select {columns} from raw.{dataset.name}
        qualify {no_key} or row_number() over (partition by {key} order by {_NEWEST_FIRST}) = 1
        order by all
        """
    ).fetchall()


def raw_of(landing: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2})
    store = FolderStore(landing)
    result = Loader(connection, Names(EnvironmentName.LOCAL), store, scratch).run()
    assert result.rejected == ()
    return connection


def assert_union_of_days_equals_backfill(source: Path, tmp_path: Path) -> None:
    land_backfill(source, FolderStore(tmp_path / "whole"), allow_missing=True)
    land_daily(source, FolderStore(tmp_path / "daily"), allow_missing=True)
    whole = raw_of(tmp_path / "whole", tmp_path)
    daily = raw_of(tmp_path / "daily", tmp_path)
    for dataset in CATALOG:
        assert latest_versions(daily, dataset) == latest_versions(whole, dataset), dataset.name
        # Nothing is lost: every row of the source is among the days, as often as it is there.
        columns = ", ".join(dataset.header)
        query = f"select {columns}, count(*) as n from raw.{dataset.name} group by all order by all"
        rows = {row[:-1]: row[-1] for row in whole.execute(query).fetchall()}
        in_days = {row[:-1]: row[-1] for row in daily.execute(query).fetchall()}
        if dataset.name == "orders":
            assert all(in_days.get(row, 0) >= count for row, count in rows.items())
        else:
            assert in_days == rows, dataset.name


def test_on_a_small_data_set_with_every_oddity(small_source: Path, tmp_path: Path) -> None:
    assert_union_of_days_equals_backfill(small_source, tmp_path)


@pytest.mark.slow
def test_on_the_real_sample(sample: Path, tmp_path: Path) -> None:
    assert_union_of_days_equals_backfill(sample, tmp_path)


@pytest.mark.parametrize("day", [date(2018, 1, 3), date(2018, 1, 10)])
def test_the_state_of_a_day_is_what_its_days_say_together(
    small_source: Path, tmp_path: Path, day: date
) -> None:
    state_only, days_only = FolderStore(tmp_path / "state"), FolderStore(tmp_path / "days")
    land_state(small_source, state_only, day=day)
    land_daily(small_source, days_only, until=day)
    state, days = raw_of(tmp_path / "state", tmp_path), raw_of(tmp_path / "days", tmp_path)
    for dataset in CATALOG:
        assert latest_versions(state, dataset) == latest_versions(days, dataset), dataset.name
    orders = "select count(*), count(distinct order_id) from raw.orders where order_id is not null"
    rows, distinct = state.execute(orders).fetchall()[0]
    assert 0 < rows == distinct < days.execute(orders).fetchall()[0][0]
    # The next days continue it to the whole.
    land_daily(small_source, state_only, first=day + timedelta(days=1))
    land_daily(small_source, days_only, first=day + timedelta(days=1))
    continued = raw_of(tmp_path / "state", tmp_path)
    whole = raw_of(tmp_path / "days", tmp_path)
    for dataset in CATALOG:
        assert latest_versions(continued, dataset) == latest_versions(whole, dataset), dataset.name
