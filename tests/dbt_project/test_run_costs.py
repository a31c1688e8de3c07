"""Every dbt command leaves a row per node in monitoring.dbt_run_costs, and never loses one."""

import json
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from compiled_project import workspace_with_reduced_dbt
from olist_workspace import ROOT, Workspace
from yaml_files import read_yaml

pytestmark = pytest.mark.slow

TABLE = "monitoring.dbt_run_costs"
NODES = "olist_test_nodes"
MESSAGE = "it's \\ a \"'quoted'\" -- {{ thing }}; drop"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A loaded workspace whose dbt project has some nodes that end badly."""
    made = workspace_with_reduced_dbt(tmp_path_factory.mktemp("run_costs"))
    folder = made.home / "dbt" / "models" / "monitoring" / NODES
    folder.mkdir()
    no_contract = "{{ config(contract={'enforced': false}) }}"
    quoted = MESSAGE.replace("'", "''")
    models = {
        "sound": f"{no_contract} select range as number from range(7)",
        "breaks": f"{no_contract} select error({{% raw %}}'{quoted}'{{% endraw %}}) as number",
        "behind_it": f"{no_contract} select * from {{{{ ref('breaks') }}}}",
    }
    for name, sql in models.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    (made.home / "dbt" / "tests" / "it's_4_or_more.sql").write_text(
        "select * from {{ ref('sound') }} where number >= 4", encoding="utf-8"
    )
    made.olist("generate", made.home / "files", "--orders", "600")
    made.olist("land", made.home / "files")
    made.olist("load")
    with duckdb.connect(str(made.warehouse)) as connection:
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
    return made


def run_results(workspace: Workspace) -> tuple[str, list[dict[str, Any]]]:
    path = workspace.home / "data" / "local" / "dbt" / "run_results.json"
    artifact = json.loads(path.read_text(encoding="utf-8"))
    results = [
        result
        for result in artifact["results"]
        if not result["unique_id"].startswith("operation.") or result["status"] == "error"
    ]
    return artifact["metadata"]["invocation_id"], results


def captured(workspace: Workspace, columns: str, invocation_id: str) -> list[tuple[Any, ...]]:
    return workspace.rows(
        f"select {columns} from {TABLE} where invocation_id = '{invocation_id}' order by node_id"
    )


def build_test_nodes(workspace: Workspace, *arguments: str, expect: int = 1) -> None:
    selected = ["--select", f"monitoring.{NODES}"]
    workspace.olist("dbt", "--", "build", "--quiet", *selected, *arguments, expect=expect)


def test_the_rows_are_those_of_run_results(workspace: Workspace) -> None:
    build_test_nodes(workspace)
    invocation_id, results = run_results(workspace)
    rows = captured(
        workspace, "node_id, status, failures, message, execution_time_s, thread_id", invocation_id
    )
    assert rows == sorted(
        (
            result["unique_id"],
            result["status"],
            result["failures"],
            (result["message"] or "")[:1000] or None,
            Decimal(f"{result['execution_time']:.6f}"),
            result["thread_id"],
        )
        for result in results
    )
    statuses = {node_id.split(".")[2]: (status, failures) for node_id, status, failures, *_ in rows}
    assert statuses == {
        "sound": ("success", None),
        "breaks": ("error", None),
        "behind_it": ("skipped", None),
        "it's_4_or_more": ("fail", 3),
    }
    (message,) = [row[3] for row in rows if row[0].endswith(".breaks")]
    assert MESSAGE in message
    assert captured(
        workspace,
        "resource_type, layer, tested_node_id, materialized, relation_rows, command, target, "
        "adapter, full_refresh, cost_basis, credits_estimated, "
        # The price is of the seconds before their rounding to millionths.
        "abs(notional_cost - execution_time_s * 0.0005) < 0.000000002",
        invocation_id,
    ) == [
        ("model", "monitoring", None, "table", rows_of, *rest)
        for rows_of, rest in zip(
            (None, None, 7),
            [("build", "local", "duckdb", False, "notional", None, True)] * 3,
            strict=True,
        )
    ] + [
        (
            "test", "monitoring", "model.olist.sound", "test", None,
            "build", "local", "duckdb", False, "notional", None, True,
        )
    ]  # fmt: skip
    assert captured(
        workspace,
        "run_started_at <= execute_started_at and execute_started_at <= execute_completed_at "
        "and execute_completed_at <= captured_at",
        invocation_id,
    ) == [(None,), (True,), (True,), (True,)]


def test_later_runs_append_and_a_full_refresh_keeps_the_history(workspace: Workspace) -> None:
    build_test_nodes(workspace)
    before = workspace.rows(f"from {TABLE} order by all")
    build_test_nodes(workspace, "--full-refresh")
    invocation_id, _ = run_results(workspace)
    assert set(before) < set(workspace.rows(f"from {TABLE}"))
    assert captured(workspace, "full_refresh", invocation_id) == [(True,)] * 4
    assert workspace.rows(
        f"select count(*) - count(distinct (invocation_id, node_id)) from {TABLE}"
    ) == [(0,)]


def test_airflow_and_the_commit_are_told_by_the_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "distinct git_sha, dag_id, dag_run_id, task_id, try_number"
    told = {
        "OLIST_GIT_SHA": "0c3af86",
        "AIRFLOW_CTX_DAG_ID": "olist_production",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__it's\\now",
        "AIRFLOW_CTX_TASK_ID": "dbt.stg_orders.run",
        "AIRFLOW_CTX_TRY_NUMBER": "2",
    }
    for name in told:
        monkeypatch.delenv(name, raising=False)
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    invocation_id, _ = run_results(workspace)
    (nothing,) = workspace.rows(
        f"select {columns} from {TABLE} where invocation_id = '{invocation_id}'"
    )
    assert nothing == (None,) * 5
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    invocation_id, _ = run_results(workspace)
    (everything,) = workspace.rows(
        f"select {columns} from {TABLE} where invocation_id = '{invocation_id}'"
    )
    assert everything == (*list(told.values())[:4], 2)


def test_it_can_be_switched_off_and_needs_a_result(workspace: Workspace) -> None:
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    before = workspace.rows(f"select count(*) from {TABLE}")
    workspace.olist(
        "dbt", "--", "run", "--quiet", "--select", "sound", "--vars", "{capture_costs: false}"
    )
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "no_such_model")
    workspace.olist("dbt", "--", "compile", "--quiet", "--select", "sound")
    assert workspace.rows(f"select count(*) from {TABLE}") == before


def test_a_table_of_an_older_project_gets_its_new_columns(workspace: Workspace) -> None:
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    before = workspace.rows(f"select count(*) from {TABLE}")[0][0]
    workspace.change(
        f"alter table {TABLE} drop column bytes", f"alter table {TABLE} drop column layer"
    )
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    assert workspace.rows(f"select count(*), count(layer) from {TABLE}") == [(before + 1, 1)]


def test_without_a_table_to_write_to_a_run_still_ends_well(workspace: Workspace) -> None:
    saved = workspace.warehouse.read_bytes()
    try:
        workspace.change(f"drop table {TABLE}", f"create view {TABLE} as select 1 as number")
        printed = workspace.olist("dbt", "--", "run", "--select", "sound")
        assert "no table: nothing can be written to it" in printed
    finally:
        workspace.warehouse.write_bytes(saved)


def test_source_freshness_is_captured_too(workspace: Workspace) -> None:
    # Loaded a moment ago: fresh on the wall clock, whatever the dates inside say.
    workspace.olist("dbt", "--", "source", "freshness", "--quiet")
    assert workspace.rows(
        f"select status, count(*) from {TABLE} where command = 'freshness' and run_started_at = "
        f"(select max(run_started_at) from {TABLE}) and resource_type = 'source' "
        "and layer = 'raw' group by all"
    ) == [("pass", 6)]


def test_the_table_has_the_documented_columns(workspace: Workspace) -> None:
    path = ROOT / "dbt" / "models" / "monitoring" / "_sources.yml"
    (source,) = read_yaml(path)["sources"]
    (table,) = (table for table in source["tables"] if table["name"] == "dbt_run_costs")
    workspace.change(f"drop table if exists {TABLE}")
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "sound")
    assert workspace.rows(
        "select column_name, lower(data_type) from duckdb_columns() "
        "where schema_name = 'monitoring' and table_name = 'dbt_run_costs' order by column_index"
    ) == [(column["name"], column["data_type"]) for column in table["columns"]]
    for column in table["columns"]:
        assert len(column["description"]) > 4
