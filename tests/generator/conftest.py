"""Generated data that the tests share, and how they read it."""

from pathlib import Path

import duckdb
import pytest

from olist_platform.generator.dataset import generate_dataset
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.source_catalog import CATALOG

ORDERS = 25_000
"""Enough for stable shares, little enough for seconds."""


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the files of a folder as text, one view a dataset."""
    connection = duckdb.connect(config={"threads": 2})
    for dataset in CATALOG:
        path = folder / dataset.file_name
        if path.exists():
            connection.execute(
                f"create table {dataset.name} as select * from read_csv('{path}', header = true,"
                " all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true)"
            )
    return connection


@pytest.fixture(scope="session")
def dirty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "dirty"
    generate_dataset(GeneratorSettings(orders=ORDERS), folder)
    return folder


@pytest.fixture(scope="session")
def clean_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "clean"
    generate_dataset(GeneratorSettings(orders=ORDERS, dirt=False), folder)
    return folder


@pytest.fixture(scope="session")
def dirty(dirty_folder: Path) -> duckdb.DuckDBPyConnection:
    return connect(dirty_folder)


@pytest.fixture(scope="session")
def clean(clean_folder: Path) -> duckdb.DuckDBPyConnection:
    return connect(clean_folder)
