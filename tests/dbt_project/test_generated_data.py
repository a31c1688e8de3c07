"""On generated data with reality's dirt every dbt test passes and nothing is lost."""

import json
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
    assert len(tests) > 1000
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
