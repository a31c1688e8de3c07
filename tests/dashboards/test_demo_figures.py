"""The figures a demo ends with are of the months that the first page begins with."""

import duckdb
import pytest

from olist_platform.demo import last_complete_months
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.project_vars import project_vars
from olist_workspace import Workspace

pytestmark = pytest.mark.slow


def test_months_of_few_orders_give_way_to_those_of_many(
    published_copy: Workspace,
) -> None:
    """Olist's data end with months in which next to nobody buys."""
    fewest = project_vars()["kpi_alert_minimum_orders"]
    with duckdb.connect(str(published_copy.serving)) as connection:
        complete = connection.execute(
            "select period_start, gmv from mart_executive_kpis"
            " where period_type = 'month' and is_complete order by period_start desc limit 4"
        ).fetchall()
        connection.execute(
            "update mart_executive_kpis set orders_placed = case period_start when ? then ? else ?"
            " end where period_type = 'month'",
            [complete[0][0], fewest - 1, fewest],
        )
    months = last_complete_months(load_environment(EnvironmentName.LOCAL)).to_pylist()
    assert [(row["month"], row["gmv"]) for row in months] == [
        (f"{month:%Y-%m}", gmv) for month, gmv in complete[1:]
    ]
