"""dbt leaves copies of what monitoring asks for, whoever else uses the warehouse."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

VOLUME = """
create or replace table monitoring.monitoring_volume as
select
    'orders' as dataset, is_recent as is_in_detection_window, number as row_count,
    date '2018-08-31' as business_date, 6.0 as expected_low, 10.0 as expected_high,
    true as is_judged, false as is_anomaly, null as anomaly_direction
from (values (true, 7), (false, 8)) as days(is_recent, number)
"""


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    made = make_workspace("monitoring_export")
    made.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(made.warehouse) as connection:
        for schema in ("monitoring", "marts", "intermediate", "staging", "raw"):
            connection.execute(f"create schema {schema}")
        connection.execute(VOLUME)
    made.olist("dbt", "--", "seed", "--quiet", "--select", "weekdays")
    return made


def copy_of(workspace: Workspace, name: str) -> Path:
    return workspace.home / "data" / "local" / "monitoring" / "exported" / f"{name}.parquet"


def exported(workspace: Workspace, name: str) -> list[tuple[Any, ...]]:
    path = copy_of(workspace, name)
    return duckdb.sql(f"select * from read_parquet('{path}')").fetchall()


def test_a_command_of_dbt_leaves_what_it_did_and_what_is_there(workspace: Workspace) -> None:
    folder = workspace.home / "data" / "local" / "monitoring" / "exported"
    # What is not built yet is left out.
    assert {path.name for path in folder.iterdir()} == {
        "dbt_run_costs.parquet",
        "monitoring_volume.parquet",
    }
    assert [row[:3] for row in exported(workspace, "monitoring_volume")] == [("orders", True, 7)]
    nodes = [row for row in exported(workspace, "dbt_run_costs") if "seed.olist.weekdays" in row]
    assert len(nodes) == 1
    assert exported(workspace, "dbt_run_costs") == workspace.rows("from monitoring.dbt_run_costs")


def test_a_failing_command_leaves_them_too_and_old_runs_stay_behind(workspace: Workspace) -> None:
    workspace.change(
        "update monitoring.dbt_run_costs set run_started_at = run_started_at - interval 70 day",
        VOLUME.replace("(true, 7)", "(true, 9)"),
        # The seed's tests ask for columns that are not there.
        "drop table staging.weekdays",
        "create table staging.weekdays (other integer)",
    )
    with copy_of(workspace, "dbt_run_costs").open("rb") as reader:
        before = copy_of(workspace, "dbt_run_costs").read_bytes()
        workspace.olist("dbt", "--", "test", "--quiet", "--select", "weekdays", expect=1)
        # Who has the former copy open keeps it.
        assert reader.read() == before
    runs = exported(workspace, "dbt_run_costs")
    assert runs
    assert not [row for row in runs if "seed.olist.weekdays" in row and "seed" in row]
    assert [row[:3] for row in exported(workspace, "monitoring_volume")] == [("orders", True, 9)]
    found = json.loads(workspace.olist("status", "--json", expect=4))
    areas = {line["area"]: line for line in found["lines"]}
    assert areas["tests"]["text"] == "0 passed, 4 failed"
