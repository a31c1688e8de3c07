"""On generated data with reality's dirt every dbt test passes and nothing is lost."""

import json
import re
from collections.abc import Callable

import pytest

from olist_workspace import Workspace
from prepared_workspaces import GENERATED_ORDERS

pytestmark = pytest.mark.slow


def test_all_dbt_tests_pass_with_dirt_on(copy_of_generated: Callable[[str], Workspace]) -> None:
    workspace = copy_of_generated("dirt")
    # The build that made it ended well with `--warn-error`; here is that it was of everything.
    manifest = json.loads(
        (workspace.home / "data" / "local" / "dbt" / "manifest.json").read_text(encoding="utf-8")
    )
    tests = [
        unique_id
        for unique_id, node in (manifest["nodes"] | manifest["unit_tests"]).items()
        if node["resource_type"] in ("test", "unit_test")
    ]
    results = workspace.dbt_results()
    assert len(tests) > 400
    assert {results[unique_id] for unique_id in tests} == {"pass"}
    assert workspace.rows("select count(*) from stg_orders") == [(GENERATED_ORDERS,)]
    # The dirt is there, and did not get through.
    ((duplicates, outside),) = workspace.rows(
        "select count(*) - (select count(*) from (select distinct "
        "* exclude (_source_file, _source_row, _loaded_at) from raw.geolocation)), "
        "count(*) filter (geolocation_lat::double not between -33.75 and 5.28 "
        "or geolocation_lng::double not between -73.99 and -28.84) from raw.geolocation"
    )
    assert duplicates > 0
    assert outside > 0
    assert workspace.rows(
        "select count(*) from stg_geolocation where latitude > 5.28 or longitude > -28.84"
    ) == [(0,)]
    ((several_reviews,),) = workspace.rows(
        "select count(*) from (select order_id from stg_reviews group by 1 having count(*) > 1)"
    )
    assert several_reviews > 0
    assert workspace.rows("select count(*) from int_orders") == [(GENERATED_ORDERS,)]


def test_descriptions_are_comments_of_the_warehouse(
    copy_of_generated: Callable[[str], Workspace],
) -> None:
    """The project's own macro writes them on DuckDB, for `olist query` and other readers."""
    workspace = copy_of_generated("comments")
    nodes = json.loads(
        (workspace.home / "data" / "local" / "dbt" / "manifest.json").read_text(encoding="utf-8")
    )["nodes"].values()
    described = [node for node in nodes if node["resource_type"] in ("model", "seed", "snapshot")]
    columns = {
        (node["schema"], node["name"], column["name"]): column["description"]
        for node in described
        for column in node["columns"].values()
    }
    assert any("'" in description for description in columns.values())
    found = workspace.rows(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where comment is not null"
    )
    assert {tuple(names): comment for *names, comment in found} == columns
    relations = workspace.rows(
        "select schema_name, table_name, comment from duckdb_tables() where comment is not null "
        "union all "
        "select schema_name, view_name, comment from duckdb_views() where comment is not null"
    )
    # An incremental model's ends with what made it (macro code_mark).
    said = {}
    for *names, comment in relations:
        description, *mark = re.split(r" Made by the code [0-9a-f]{32}\.$", comment)
        said[tuple(names)] = (description, bool(mark))
    assert said == {
        (node["schema"], node["name"]): (
            node["description"],
            node["config"]["materialized"] == "incremental",
        )
        for node in described
    }
