"""On generated data with reality's dirt every dbt test passes and nothing is lost."""

from collections.abc import Callable

import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow


def test_all_dbt_tests_pass_with_dirt_on(make_workspace: Callable[[str], Workspace]) -> None:
    workspace = make_workspace("dirt")
    workspace.olist("generate", workspace.home / "files", "--orders", "5000", "--seed", "7")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet", "--warn-error")
    assert workspace.rows("select count(*) from stg_orders") == [(5000,)]
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
    assert workspace.rows("select count(*) from int_orders") == [(5000,)]
