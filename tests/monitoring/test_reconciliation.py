"""Estimated credits become what Snowflake attributes, by the project's macro in the emulator."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from account_usage import give_account_usage
from olist_platform.cost import reconciliation
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName, Names
from olist_workspace import Workspace
from snowflake_emulator import EmulatedEnvironment, snowflake_emulator

pytestmark = pytest.mark.slow

# The rows of account usage are of September 2026, whatever day it is.
RECONCILE = ("run-operation", "reconcile_run_costs", "--vars", "{reconcile_lookback_days: 36500}")
TABLE = "OLIST_DEV.MONITORING.DBT_RUN_COSTS"


@pytest.fixture(scope="module")
def emulated(make_workspace: Callable[[str], Workspace]) -> Iterator[EmulatedEnvironment]:
    workspace = make_workspace("reconciliation")
    with snowflake_emulator(Names(EnvironmentName.DEV)) as emulator:
        give_account_usage(emulator)
        emulator.connection.execute("create schema OLIST_DEV.MONITORING")
        yield EmulatedEnvironment(workspace, emulator)


def test_before_the_first_build_there_is_nothing_to_reconcile(
    emulated: EmulatedEnvironment,
) -> None:
    assert "No run is recorded yet." in emulated.dbt(*RECONCILE)


def test_estimates_give_way_to_what_is_attributed(emulated: EmulatedEnvironment) -> None:
    connection = emulated.emulator.connection
    connection.execute(
        f"create or replace table {TABLE} (INVOCATION_ID varchar, NODE_ID varchar,"
        " CREDITS_ESTIMATED decimal(18, 6), CREDITS_ATTRIBUTED decimal(18, 6), COST_BASIS varchar)"
    )
    connection.execute(
        f"insert into {TABLE} values"
        " ('run12', 'model.olist.int_customer_360', 0.9, null, 'estimate'),"
        " ('run13', 'model.olist.int_orders', 0.4, null, 'estimate'),"
        # Half of its statements are older by now than the days that are looked at.
        " ('run12', 'model.olist.int_orders', 0.8, 0.75, 'attributed'),"
        # It took less than a tenth of a second, or has not arrived yet.
        " ('run13', 'model.olist.stg_orders', 0.01, null, 'estimate')"
    )
    expected = [
        ("run12", "model.olist.int_customer_360", 0.9, 0.5, "attributed"),
        ("run12", "model.olist.int_orders", 0.8, 0.75, "attributed"),
        ("run13", "model.olist.int_orders", 0.4, 0.25, "attributed"),
        ("run13", "model.olist.stg_orders", 0.01, None, "estimate"),
    ]
    # Again gives the same.
    for _ in range(2):
        assert "Credits attributed" in emulated.dbt(*RECONCILE)
        rows = connection.execute(f"from {TABLE} order by all").fetchall()
        assert [
            (run, node, float(estimated), attributed and float(attributed), basis)
            for run, node, estimated, attributed, basis in rows
        ] == expected


def test_a_pass_pays_with_the_readers_warehouse_and_tells_what_dbt_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def run_dbt(_: Any, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.extend((arguments, options["variables"]))
        return subprocess.CompletedProcess(arguments, len(asked) > 2, "QUERY_TAG is no column", "")

    monkeypatch.setattr(reconciliation, "run_dbt", run_dbt)
    dev = load_environment(EnvironmentName.DEV)
    reconciliation.reconcile_run_costs(dev)
    arguments, variables = asked
    assert arguments[:2] == ["run-operation", "reconcile_run_costs"]
    # dbt's artifacts of a production run, which may be at work, stay as they are.
    assert arguments[-1].endswith("/dbt/reconciliation")
    assert variables == {"OLIST_SNOWFLAKE_WAREHOUSE": "OLIST_DEV_REPORT_WH"}
    with pytest.raises(OlistError, match="QUERY_TAG is no column"):
        reconciliation.reconcile_run_costs(dev)
