"""What a demo finds of another input is set aside, and nothing is deleted.

The demo itself is run in tests/dags/test_dag_run.py, whose DAG runs are on its home.
"""

from pathlib import Path

import pytest

from olist_platform.demo_state import set_aside_other_input
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(Path(__file__).parents[2] / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    return load_environment(EnvironmentName.LOCAL)


def test_another_input_is_set_aside_and_nothing_is_deleted(environment: Environment) -> None:
    assert set_aside_other_input(environment, {"from": "a"}) is None
    landing = Path(environment.landing_url)
    landing.mkdir(parents=True)
    (landing / "orders").write_text("a's orders", encoding="utf-8")
    environment.duckdb_path.write_text("a's warehouse", encoding="utf-8")
    environment.serving_path.parent.mkdir()
    environment.serving_path.write_text("a's published marts", encoding="utf-8")
    assert set_aside_other_input(environment, {"from": "a"}) is None
    assert environment.duckdb_path.exists()

    aside = set_aside_other_input(environment, {"from": "b"})
    assert aside is not None
    assert not environment.duckdb_path.exists()
    assert not environment.serving_path.exists()
    assert not landing.exists()
    assert (aside / "landing" / "orders").read_text(encoding="utf-8") == "a's orders"
    assert (aside / environment.duckdb_path.name).read_text(encoding="utf-8") == "a's warehouse"
    published = aside / "serving" / environment.serving_path.name
    assert published.read_text(encoding="utf-8") == "a's published marts"


def test_a_warehouse_that_no_demo_filled_is_set_aside_too(environment: Environment) -> None:
    environment.duckdb_path.parent.mkdir(parents=True)
    environment.duckdb_path.write_text("mine", encoding="utf-8")
    first = set_aside_other_input(environment, {"from": "a"})
    assert first is not None
    assert (first / environment.duckdb_path.name).read_text(encoding="utf-8") == "mine"
    environment.duckdb_path.write_text("a's", encoding="utf-8")
    second = set_aside_other_input(environment, {"from": "b"})
    assert second is not None
    assert second != first
    assert (first / environment.duckdb_path.name).read_text(encoding="utf-8") == "mine"
