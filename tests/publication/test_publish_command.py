"""`olist publish` through dbt: what fails its tests is not published."""

from collections.abc import Callable

import pytest

from compiled_project import copy_dbt, leave_out_tests
from olist_platform.dbt_command import dbt_project_folder
from olist_platform.naming import Layer
from olist_workspace import Workspace
from yaml_files import read_yaml

pytestmark = pytest.mark.slow

TESTED_ELSEWHERE = ("staging", "intermediate", "monitoring", "marts/finance", "marts/operations")


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    """All marts, of a dbt project of its own that tests the executive ones only.

    `olist publish` runs all tests that there are; the production DAG publishes behind all of ours.
    """
    workspace = copy_of_generated("publish")
    copy_dbt(workspace.home)
    for folder in ("seeds", "snapshots", *(f"models/{name}" for name in TESTED_ELSEWHERE)):
        leave_out_tests(workspace.home / "dbt" / folder)
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
    project = read_yaml(dbt_project_folder() / "dbt_project.yml")
    assert project["vars"]["serving_schema"] == Layer.SERVING


def test_on_duckdb_the_operation_names_the_command(built: Workspace) -> None:
    printed = built.olist("dbt", "--", "run-operation", "publish_marts", expect=1)
    assert "use `olist publish`" in printed
