"""Durations of models, tests, tasks and whole runs against their own history."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from olist_platform.alerts.kinds import DATA_PLATFORM, Severity
from olist_platform.dbt_run_results import node_name
from olist_platform.moments import as_utc
from olist_platform.monitoring.airflow_history import AirflowRun
from olist_platform.monitoring.check_result import (
    Check,
    CheckResult,
    State,
    follow_from_first,
    over,
)
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory
from olist_platform.monitoring.robust_bounds import slowest_usual

_COMPLETED = ("success", "pass", "warn", "fail")
_MODELS = ("model", "seed", "snapshot")
_RUNNING = "running"


def node_durations(
    runs: Sequence[Row], directory: NodeDirectory, expectations: Expectations
) -> list[CheckResult]:
    """Judge the last completed run of each model and test; full refreshes by full refreshes.

    Args:
        runs: Rows of dbt_run_costs of one target, oldest first.
        directory: Whose a node is.
        expectations: What is slow.
    """
    history: dict[tuple[str, bool], list[Row]] = defaultdict(list)
    last_kind: dict[str, bool] = {}
    for row in runs:
        if row["status"] in _COMPLETED and row["resource_type"] in (*_MODELS, "test"):
            kind = bool(row["full_refresh"])
            history[row["node_id"], kind].append(row)
            last_kind[row["node_id"]] = kind
    removed = directory.removed(runs)
    return [
        over(
            Check.NODE_DURATION,
            node_name(node_id),
            as_utc(history[node_id, kind][-1]["captured_at"]),
        )
        if node_id in removed
        else _node(history[node_id, kind], directory, expectations)
        for node_id, kind in sorted(last_kind.items())
    ]


def task_durations(
    runs: Sequence[AirflowRun], expectations: Expectations, now: datetime
) -> list[CheckResult]:
    """Judge the last run of each DAG and of each task that is no model's, going on or done.

    One that goes on is slow or not yet anything: then the last that is done is judged. A pass of
    the checks always sees the run that it is part of.

    Args:
        runs: Runs of DAGs and tasks, oldest first.
        expectations: What is slow.
        now: The moment.
    """
    by_name: dict[str, list[AirflowRun]] = defaultdict(list)
    for run in runs:
        if run.state in ("success", _RUNNING):
            by_name[run.name].append(run)
    results = []
    for name, of_name in sorted(by_name.items()):
        former, last, limit = _with_limit(of_name, expectations, now)
        done = [run for run in former if run.state != _RUNNING]
        is_slow = limit is not None and last.seconds(now) > limit
        if last.state == _RUNNING and not is_slow and done:
            _, last, limit = _with_limit(done, expectations, now)
            is_slow = limit is not None and last.seconds(now) > limit
        seconds = last.seconds(now)
        check = Check.TASK_DURATION if last.task_id else Check.RUN_DURATION
        is_judged = limit is not None and (last.state != _RUNNING or is_slow)
        state = State.FAILING if is_slow else State.HEALTHY if is_judged else State.NOT_JUDGED
        what = "A task" if last.task_id else "A run of the DAG"
        tense = "is taking" if last.state == _RUNNING else "took"
        results.append(
            CheckResult(
                check=check,
                subject=name,
                state=state,
                observed_at=now,
                value=round(seconds, 3),
                unit="seconds",
                at_most=None if limit is None else round(limit, 3),
                severity=(Severity.LOW if last.task_id else Severity.MEDIUM) if is_slow else None,
                summary=f"{what} {tense} far longer than its runs before." if is_slow else "",
            )
        )
    return results


def query_durations(
    queries: Sequence[Row], expectations: Expectations, now: datetime
) -> list[CheckResult]:
    """Judge the last run of each query that readers repeat; those that are not slow are no news.

    Args:
        queries: query_hash, query_id, start_time and total_elapsed_time (ms), oldest first.
        expectations: What is slow.
        now: The moment.
    """
    by_hash: dict[str, list[Row]] = defaultdict(list)
    for row in queries:
        by_hash[row["query_hash"]].append(row)
    results = []
    for query_hash, rows in sorted(by_hash.items()):
        *former, last = (float(row["total_elapsed_time"]) / 1000 for row in rows)
        limit = slowest_usual(former, expectations)
        if limit is None:
            continue
        is_slow = last > limit
        results.append(
            CheckResult(
                check=Check.QUERY_DURATION,
                subject=f"query {query_hash[:12]}",
                state=State.FAILING if is_slow else State.HEALTHY,
                observed_at=now,
                value=round(last, 3),
                unit="seconds",
                at_most=round(limit, 3),
                severity=Severity.LOW if is_slow else None,
                summary="A query of the readers took far longer than before." if is_slow else "",
                details=(f"query_id {rows[-1]['query_id']}",) if is_slow else (),
                is_recorded=is_slow,
            )
        )
    return follow_from_first(results)


def one_root(nodes: list[CheckResult], tasks: list[CheckResult]) -> list[CheckResult]:
    """Make everything slow follow from what lost the most time: one cause, one alert.

    A model that is slow makes the task that runs dbt slow, and that its DAG run.
    """
    slow = [each for group in (nodes, tasks) for each in group if each.is_failing]
    if not slow:
        return [*nodes, *tasks]
    candidates = [each for each in slow if each.check is Check.NODE_DURATION] or slow
    candidates = [each for each in candidates if each.check is not Check.RUN_DURATION] or candidates
    root = max(candidates, key=_lost_seconds)
    return [
        replace(each, caused_by=root.identity) if each.is_failing and each is not root else each
        for each in (*nodes, *tasks)
    ]


def _with_limit(
    runs: Sequence[AirflowRun], expectations: Expectations, now: datetime
) -> tuple[Sequence[AirflowRun], AirflowRun, float | None]:
    """Return the runs before the last one, the last one, and how long it may take by them."""
    *former, last = runs
    done = [run.seconds(now) for run in former if run.state != _RUNNING]
    return former, last, slowest_usual(done, expectations)


def _lost_seconds(result: CheckResult) -> float:
    return (result.value or 0) - (result.at_most or 0)


def _node(rows: list[Row], directory: NodeDirectory, expectations: Expectations) -> CheckResult:
    *former, last = rows
    seconds = float(last["execution_time_s"])
    limit = slowest_usual([float(row["execution_time_s"]) for row in former], expectations)
    is_slow = limit is not None and seconds > limit
    is_test = last["resource_type"] == "test"
    owner = directory.owner(last["tested_node_id"] if is_test else last["node_id"])
    name = node_name(last["node_id"])
    state = State.NOT_JUDGED if limit is None else State.FAILING if is_slow else State.HEALTHY
    what = "A test" if is_test else "A model"
    return CheckResult(
        check=Check.NODE_DURATION,
        subject=name,
        state=state,
        observed_at=as_utc(last["captured_at"]),
        value=seconds,
        unit="seconds",
        at_most=None if limit is None else round(limit, 3),
        severity=Severity.LOW if is_slow else None,
        owner=owner or DATA_PLATFORM,
        summary=f"{what} took far longer than its runs before." if is_slow else "",
        docs=directory.docs_of("monitoring_run_history"),
        is_recorded=is_slow or not is_test,
    )
