"""`olist publish` through dbt: what fails its tests is not published."""

from collections.abc import Callable

import pytest
import yaml

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.naming import Layer
from olist_workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(make_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = make_workspace("publish")
    workspace.olist("generate", workspace.home / "files", "--orders", "600", "--no-dirt")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet", "--exclude-resource-type", "test", "unit_test")
    return workspace


def test_a_failing_test_leaves_what_was_published(built: Workspace) -> None:
    assert "nothing is published yet" in built.olist("query", "from mart_executive_kpis", expect=1)
    gmv = (
        "query", "-f", "csv", "select sum(gmv) from mart_executive_kpis where period_type = 'day'",
    )  # fmt: skip
    working = built.olist(*gmv, "--working")
    printed = built.olist("publish")
    assert "mart_executive_kpis" in printed
    assert str(built.serving) in printed
    assert built.olist(*gmv) == working
    before = built.serving.read_bytes()

    built.change(
        "update mart_executive_kpis set gmv = gmv + 1000 where period_type = 'day' and "
        "period_start = (select max(period_start) from mart_executive_kpis where gmv > 0 "
        "and period_type = 'day')"
    )
    printed = built.olist("publish", expect=1)
    assert "nothing is published: dbt tests fail" in printed
    assert "assert_kpi_gmv_equals_staging" in printed
    assert "olist dbt -- build" in printed
    assert built.serving.read_bytes() == before
    # Consumers read what passed, not what stands in the working warehouse.
    assert built.olist(*gmv) == working
    assert built.olist(*gmv, "--working") != working


def test_the_serving_schema_has_one_name() -> None:
    project = yaml.safe_load((dbt_project_folder() / "dbt_project.yml").read_text("utf-8"))
    assert project["vars"]["serving_schema"] == Layer.SERVING


def test_on_duckdb_the_operation_names_the_command(built: Workspace) -> None:
    printed = built.olist("dbt", "--", "run-operation", "publish_marts", expect=1)
    assert "use `olist publish`" in printed
