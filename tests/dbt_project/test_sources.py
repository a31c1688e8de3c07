"""dbt's sources and the source catalog say the same."""

from typing import Any

import pytest

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.project_vars import project_vars
from olist_platform.source_catalog import CATALOG, SOURCE_TIME_ZONE, Dataset, PiiClass
from yaml_files import read_yaml

LOAD_COLUMNS = ["_source_file", "_source_row", "_loaded_at"]


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    path = dbt_project_folder() / "models" / "staging" / "_sources.yml"
    (source,) = read_yaml(path)["sources"]
    return {table["name"]: table for table in source["tables"]}


def test_the_source_has_one_wall_clock() -> None:
    assert project_vars()["source_time_zone"] == SOURCE_TIME_ZONE


def test_every_dataset_is_a_source_and_nothing_else(tables: dict[str, Any]) -> None:
    assert list(tables) == [dataset.name for dataset in CATALOG]


@pytest.mark.parametrize("dataset", CATALOG, ids=lambda dataset: dataset.name)
def test_a_source_has_the_columns_file_and_pii_of_the_catalog(
    tables: dict[str, Any], dataset: Dataset
) -> None:
    table = tables[dataset.name]
    assert table["config"]["meta"]["file"] == dataset.file_name
    columns = table["columns"]
    assert [column["name"] for column in columns] == [*dataset.header, *LOAD_COLUMNS]
    declared = {
        column["name"]: column.get("config", {}).get("meta", {}).get("pii", "none")
        for column in columns[: len(dataset.columns)]
    }
    assert declared == {column.name: str(column.pii) for column in dataset.columns}
    assert {column["data_type"] for column in columns[: len(dataset.columns)]} == {"varchar"}


@pytest.mark.parametrize("dataset", CATALOG, ids=lambda dataset: dataset.name)
def test_what_does_not_come_nightly_is_never_late(tables: dict[str, Any], dataset: Dataset) -> None:
    config = tables[dataset.name]["config"]
    assert ("freshness" not in config) == dataset.is_nightly
    assert config.get("freshness") is None


def test_the_catalog_marks_what_points_to_a_person() -> None:
    marked = {
        f"{dataset.name}.{column.name}"
        for dataset in CATALOG
        for column in dataset.columns
        if column.pii is not PiiClass.NONE
    }
    assert marked == {
        "customers.customer_unique_id",
        "customers.customer_zip_code_prefix",
        "customers.customer_city",
        "reviews.review_comment_title",
        "reviews.review_comment_message",
        "sellers.seller_zip_code_prefix",
        "sellers.seller_city",
    }
