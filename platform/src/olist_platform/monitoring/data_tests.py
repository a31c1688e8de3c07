"""Failures of dbt's tests: the last result of each, of whatever run it comes from."""

from collections.abc import Sequence
from datetime import datetime

from olist_platform.alerts.kinds import Severity
from olist_platform.dbt_run_results import FAULTS, node_name
from olist_platform.moments import as_utc
from olist_platform.monitoring.check_result import Check, CheckResult, State, over
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory

ALL_TESTS = "all tests"
_TESTS = ("test", "unit_test")
# What the monitoring models say is checked row by row; their tests would tell it twice.
_CHECKED_HERE = "model.olist.monitoring_"


def data_tests(runs: Sequence[Row], directory: NodeDirectory, now: datetime) -> list[CheckResult]:
    """Judge the last result of each test, and count those that fail.

    A test that the project does not have any more fails no more, whatever its last result was.

    Args:
        runs: Rows of dbt_run_costs, oldest first.
        directory: Whose the tested model is.
        now: The moment.
    """
    last = {
        row["node_id"]: row
        for row in runs
        if row["resource_type"] in _TESTS
        and row["status"] != "skipped"
        and not str(row["tested_node_id"] or "").startswith(_CHECKED_HERE)
    }
    removed = directory.removed(runs)
    results = [_judged(row, directory) for node, row in sorted(last.items()) if node not in removed]
    gone = [
        over(Check.DATA_TEST, node_name(node), now)
        for node in sorted(removed & last.keys())
        if last[node]["status"] in FAULTS
    ]
    if not results:
        return []
    failing = sum(result.is_failing for result in results)
    count = CheckResult(
        check=Check.DATA_TEST,
        subject=ALL_TESTS,
        # The tests themselves are told of; this is their number, for the history.
        state=State.NOT_JUDGED,
        observed_at=now,
        value=float(failing),
        unit="failing tests",
        at_most=0.0,
        details=(f"of {len(results)} tests",),
    )
    return [count, *results, *gone]


def _judged(row: Row, directory: NodeDirectory) -> CheckResult:
    failed = row["status"] in FAULTS
    tested = row["tested_node_id"]
    of_what = f" of {node_name(tested)}" if tested else ""
    kind = "unit" if row["resource_type"] == "unit_test" else "data"
    # dbt's message names the test and counts; it quotes rows of nobody.
    details = (str(row["message"]),) if row["message"] else ()
    failures = row["failures"]
    return CheckResult(
        check=Check.DATA_TEST,
        # A DAG whose task fails by it names it alike (pipeline_alerts).
        subject=node_name(row["node_id"]),
        state=State.FAILING if failed else State.HEALTHY,
        observed_at=as_utc(row["captured_at"]),
        value=None if failures is None else float(failures),
        unit="failing rows",
        at_most=0.0,
        severity=Severity.HIGH if failed else None,
        owner=directory.owner(tested),
        summary=f"A {kind} test{of_what} failed." if failed else "",
        details=details if failed else (),
        docs=directory.docs_of(node_name(tested)) if tested else None,
        is_recorded=failed,
    )
