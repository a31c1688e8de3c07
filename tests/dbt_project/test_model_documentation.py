"""Every model, seed and column says what it is; every model states its grain and has a contract."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from olist_platform.dbt_command import dbt_project_folder
from yaml_files import read_yaml

PROJECT = dbt_project_folder()
MODELS = sorted(path.stem for path in (PROJECT / "models").rglob("*.sql"))


@cache
def documented(kind: str) -> dict[str, dict[str, Any]]:
    found = {}
    for path in [*(PROJECT / "models").rglob("*.yml"), *(PROJECT / "seeds").glob("*.yml")]:
        for entry in read_yaml(path).get(kind, []):
            assert entry["name"] not in found, f"{entry['name']} is described twice"
            found[entry["name"]] = entry
    return found


def test_there_are_models_and_each_is_documented_once() -> None:
    assert {"stg_orders", "int_sales_analysis", "mart_executive_kpis"} <= set(MODELS)
    assert sorted(documented("models")) == MODELS
    assert sorted(documented("seeds")) == sorted(
        path.stem for path in (PROJECT / "seeds").glob("*.csv")
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_model_states_its_grain_and_describes_every_column(model: str) -> None:
    entry = documented("models")[model]
    assert len(entry["description"]) > 10
    assert entry["config"]["meta"]["grain"]
    assert entry["columns"]
    for column in entry["columns"]:
        assert len(column["description"]) > 4, column["name"]
        # A bare number or decimal is NUMBER(38, 0) on Snowflake and would round every price.
        assert column["data_type"] not in {"number", "decimal", "numeric"}, column["name"]
    (path,) = (PROJECT / "models").rglob(f"{model}.sql")
    assert "Grain: one row per" in path.read_text(encoding="utf-8").splitlines()[0]


def test_contracts_are_enforced_on_all_of_them() -> None:
    project = read_yaml(PROJECT / "dbt_project.yml")
    assert project["models"]["olist"]["+contract"] == {"enforced": True}
    switched_off = [
        path
        for path in (PROJECT / "models").rglob("*")
        if path.is_file() and "contract" in Path(path).read_text(encoding="utf-8")
    ]
    assert switched_off == []
