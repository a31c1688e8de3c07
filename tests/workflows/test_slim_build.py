"""A pull request's build on DuckDB: only what changed and what hangs on it, beside production's."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from compiled_project import workspace_with_reduced_dbt
from olist_platform.cli.main import app
from olist_platform.continuous_integration import slim_build
from olist_platform.errors import OlistError

CHANGED = "stg_orders"


@pytest.mark.slow
def test_only_what_changed_is_built_and_the_rest_is_productions(tmp_path: Path) -> None:
    workspace = workspace_with_reduced_dbt(tmp_path)
    workspace.olist("ci", "production-state")
    # Nothing of a person's own landing and warehouse is touched.
    assert not workspace.landing.exists()
    assert not workspace.warehouse.exists()
    state = tmp_path / "data" / "ci"
    production = (state / workspace.warehouse.name).read_bytes()
    manifest = json.loads((state / "state" / "manifest.json").read_text(encoding="utf-8"))
    wanted = with_what_hangs_on_it(manifest["nodes"], f"model.olist.{CHANGED}")
    assert {f"model.olist.{CHANGED}", "model.olist.int_order_facts"} <= wanted
    assert len(wanted) < len(manifest["nodes"]) / 2

    [model] = (tmp_path / "dbt" / "models").rglob(f"{CHANGED}.sql")
    model.write_text(f"{model.read_text(encoding='utf-8')}\n-- changed\n", encoding="utf-8")
    printed = workspace.olist("ci", "build", "--schema", "pr_7")
    assert f"built what changed and what hangs on it: {len(wanted)} nodes of dbt" in printed
    assert set(workspace.dbt_results()) == wanted
    built = state / "build" / workspace.warehouse.name
    with duckdb.connect(str(built), read_only=True) as connection:
        relations = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema in ('pr_7_staging', 'pr_7_intermediate', 'pr_7_marts')"
        ).fetchall()
        [(ours,)] = connection.execute(
            "select count(*) from pr_7_intermediate.int_order_facts"
        ).fetchall()
    # Items and payments of the orders were not built: those that it counts are production's.
    models = {name.split(".")[2] for name in wanted if name.startswith("model.")}
    assert {name for (name,) in relations} == models
    assert ours > 0
    assert (state / workspace.warehouse.name).read_bytes() == production


def with_what_hangs_on_it(nodes: dict[str, Any], changed: str) -> set[str]:
    """Return a node and all behind it, by the manifest; hooks are no nodes."""
    found, before = {changed}, 0
    while len(found) > before:
        before = len(found)
        found |= {
            name
            for name, node in nodes.items()
            if node["resource_type"] != "operation"
            and found & set(node["depends_on"].get("nodes", []))
        }
    return found


def test_what_cannot_be_compared_is_built_whole_and_said_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_with_reduced_dbt(tmp_path)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))

    def build_everything() -> Path:
        raise OlistError("everything is being built")

    monkeypatch.setattr(slim_build, "_build_everything", build_everything)
    result = CliRunner().invoke(app, ["ci", "build", "--schema", "pr_7"])
    warning = "::warning title=Full build::everything is built: no state of production in"
    assert warning in result.output
    assert isinstance(result.exception, OlistError)
    assert result.exception.message == "everything is being built"
    # A var is read by models whose text it does not change: dbt alone would build nothing.
    state = tmp_path / "data" / "ci"
    (state / "state").mkdir(parents=True)
    (state / workspace.warehouse.name).touch()
    (state / "state" / "manifest.json").write_text("{}")
    project = (tmp_path / "dbt" / "dbt_project.yml").read_text(encoding="utf-8")
    assert "  run_message_length: 1000\n" in project
    former = project.replace("  run_message_length: 1000\n", "  run_message_length: 999\n")
    (state / "state" / "dbt_project.yml").write_text(former, encoding="utf-8")
    result = CliRunner().invoke(app, ["ci", "build", "--schema", "pr_7"])
    warning = "everything is built: vars that may be read anywhere differ: run_message_length"
    assert f"::warning title=Full build::{warning}" in result.output
    assert isinstance(result.exception, OlistError)
    assert result.exception.message == "everything is being built"
