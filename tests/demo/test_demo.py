"""The main job as a newcomer runs it: through Airflow, twice, and then on another input."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from olist_platform.demo_state import set_aside_other_input
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName
from olist_workspace import Workspace


@pytest.mark.slow
def test_the_demo_runs_and_its_repetition_is_incremental(
    make_workspace: Callable[[str], Workspace], olist_sample: Path
) -> None:
    workspace = make_workspace("demo")
    arguments = ("demo", "--from", olist_sample, "--allow-missing")
    printed = workspace.olist(*arguments)
    assert "incremental run" not in printed
    assert "geolocation" in printed
    assert "56,783 rows" in printed
    assert "2018-07" in printed
    assert "33,211.76" in printed
    assert "0 failed" in printed
    answer = workspace.olist(
        "query",
        "--format",
        "csv",
        "select sum(gmv) as gmv from mart_executive_kpis where period_type = 'month'",
    )
    assert answer == '"gmv"\n547666.75\n'
    published = workspace.olist("query", "-f", "csv", "from publication")
    assert "mart_executive_kpis" in published
    kpis = workspace.rows("from mart_executive_kpis order by all")
    again = workspace.olist(*arguments)
    assert "incremental run: 0 new files, 8 already loaded" in again
    assert workspace.rows("from mart_executive_kpis order by all") == kpis
    assert workspace.rows("select sum(gmv) from int_sales_analysis") == [(Decimal("547666.75"),)]


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
