"""Tiles ask Snowflake what they ask DuckDB, and get the same rows."""

import pytest

from emulated_publication import emulated_publication
from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.page_content import read_tile
from olist_platform.dashboards.published_marts import marts_on_snowflake, open_published_marts
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName, Workload
from olist_platform.snowflake_connection import open_snowflake
from olist_workspace import Workspace
from snowflake_emulator import new_private_key

pytestmark = pytest.mark.slow


def test_every_tile_of_a_mart_shows_the_same_rows(
    published_workspace: Workspace, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
    dev = load_environment(EnvironmentName.DEV)
    tiles = [
        tile
        for dashboard in load_dashboards()
        for page in dashboard.pages
        for tile in page.tiles
        if tile.mart.startswith("mart_")
    ]
    with open_published_marts(environment) as marts:
        here = {(tile.mart, tile.name): read_tile(tile, marts) for tile in tiles}
    with emulated_publication(published_workspace.serving) as emulator:
        options = {"host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
        with open_snowflake(dev, Workload.REPORT, **options) as connection:
            marts = marts_on_snowflake(connection, dev)
            there = {(tile.mart, tile.name): read_tile(tile, marts) for tile in tiles}
    assert len(tiles) > 30
    for key, content in here.items():
        assert content.rows, key
        assert there[key].rows == content.rows, key
