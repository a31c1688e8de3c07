"""How an environment stands, area by area, as one screen tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import StoredAlert
from olist_platform.alerts.wording import duration_text, moment_text
from olist_platform.cost.budget import MonthCost
from olist_platform.dbt_run_results import FAULTS
from olist_platform.environment import Environment
from olist_platform.moments import as_utc
from olist_platform.monitoring.airflow_history import AirflowRun
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.data_tests import ALL_TESTS
from olist_platform.monitoring.evaluation import evaluate, months
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.monitored_warehouse import open_monitored_warehouse
from olist_platform.monitoring.node_directory import NodeDirectory
from olist_platform.monitoring.observation import Observation, OpenWarehouse, observe
from olist_platform.naming import PRODUCTION_DAG

_GRAVE = Severity.HIGH
_DURATIONS = [check for check in Check if check.signal is Signal.SLOW_RUN]


@dataclass(frozen=True, slots=True)
class StatusLine:
    """How one area stands.

    Attributes:
        area: What it is about.
        severity: The worst that fails in it; None where nothing does.
        is_known: Whether there is anything to tell.
        text: The figures, one line.
    """

    area: str
    severity: Severity | None
    is_known: bool
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """How an environment stands.

    Attributes:
        at: The moment.
        lines: Every area.
        findings: What fails and follows from nothing else, worst first.
        following: How many findings only follow from those.
        alerts: Alerts that are open.
        months: The month against its budget, the whole environment first.
    """

    at: datetime
    lines: tuple[StatusLine, ...]
    findings: tuple[CheckResult, ...]
    following: int
    alerts: tuple[StoredAlert, ...]
    months: tuple[MonthCost, ...]

    @property
    def worst(self) -> Severity | None:
        """The worst that fails; None where nothing does."""
        return Severity.worst(line.severity for line in self.lines if line.severity)

    @property
    def exit_code(self) -> int:
        """0 nothing fails, 3 something of severity low or medium does, 4 something worse does."""
        if self.worst is None:
            return 0
        return 4 if self.worst.reaches(_GRAVE) else 3


def read_status(
    environment: Environment,
    now: datetime,
    open_warehouse: OpenWarehouse = open_monitored_warehouse,
) -> Status:
    """Look at an environment and judge it; nothing is raised, recorded or changed.

    Raises:
        OlistError: The outbox cannot be read.
    """
    expectations = Expectations.of_project()
    observation = observe(environment, now, expectations, open_warehouse)
    results = evaluate(environment, observation, expectations, NodeDirectory.of(environment))
    return status_of(environment, observation, results)


def status_of(
    environment: Environment, observation: Observation, results: Sequence[CheckResult]
) -> Status:
    """Put an observation and what the checks say of it into lines."""
    failing = [result for result in results if result.is_failing]
    roots = [result for result in failing if result.caused_by is None]
    spent = months(environment, observation)
    lines = (
        _pipeline(environment, observation, results),
        _dashboards(environment, results),
        _ages("sources", Check.SOURCE_FRESHNESS, results, "newest load of the oldest"),
        _marts(observation, results),
        _tests(results),
        _quality(results),
        _counted("anomalies", results, Check.VOLUME, Check.SEGMENT_VOLUME, Check.DISTRIBUTION),
        _counted("durations", results, *_DURATIONS),
        _business(results),
        _cost(spent, results),
        _alerts(observation),
        _outbox(observation, results),
    )
    return Status(
        at=observation.at,
        lines=(*_problems(results), *lines),
        findings=tuple(sorted(roots, key=lambda each: each.severity.rank if each.severity else 9)),
        following=len(failing) - len(roots),
        alerts=tuple(observation.open_alerts),
        months=tuple(spent),
    )


def _problems(results: Sequence[CheckResult]) -> list[StatusLine]:
    return [
        StatusLine("observation", each.severity, is_known=True, text="; ".join(each.details))
        for each in _of(results, Check.OBSERVATION)
        if each.is_failing
    ]


def _pipeline(
    environment: Environment, observation: Observation, results: Sequence[CheckResult]
) -> StatusLine:
    runs = [run for run in observation.airflow if run.dag_id == PRODUCTION_DAG and not run.task_id]
    if not runs:
        return _of_dbt(environment, observation)
    run = runs[-1]
    took = duration_text(observation.at - run.started_at)
    took = f"took {_seconds_text(run.seconds(observation.at))}" if run.ended_at else f"for {took}"
    text = f"{run.state}, {moment_text(run.started_at, environment.alerts)}, {took}"
    usual = [each for each in _of(results, Check.RUN_DURATION) if each.subject == PRODUCTION_DAG]
    if usual and usual[0].at_most is not None:
        text += f" (usually up to {_seconds_text(usual[0].at_most)})"
    severity = Severity.HIGH if _has_failed(run) else _worst(usual)
    return StatusLine("pipeline", severity, is_known=True, text=text)


def _has_failed(run: AirflowRun) -> bool:
    return run.state == "failed"


def _of_dbt(environment: Environment, observation: Observation) -> StatusLine:
    """Tell of the last build by hand, where no DAG has run."""
    builds = [row for row in observation.runs if row["command"] == "build"]
    if not builds:
        return _unknown("pipeline", "no run yet")
    last = [row for row in builds if row["invocation_id"] == builds[-1]["invocation_id"]]
    began = as_utc(last[0]["run_started_at"])
    took = as_utc(last[0]["captured_at"]) - began
    faults = sum(row["status"] in FAULTS for row in last)
    text = (
        f"{'failed' if faults else 'success'} by hand,"
        f" {moment_text(began, environment.alerts)}, took {_seconds_text(took.total_seconds())}"
    )
    return StatusLine("pipeline", Severity.HIGH if faults else None, is_known=True, text=text)


def _dashboards(environment: Environment, results: Sequence[CheckResult]) -> StatusLine:
    found = _of(results, Check.DASHBOARDS)
    ready_by = environment.monitoring.dashboards_ready_by
    if not found or ready_by is None:
        return _unknown("dashboards", "no hour by which they have to be ready")
    due = f"{ready_by:%H:%M} {environment.alerts.time_zone}"
    late = found[0].value if found[0].is_failing else None
    text = f"{late:,.0f} minutes late, due {due}" if late is not None else f"ready, due {due}"
    return StatusLine("dashboards", _worst(found), is_known=True, text=text)


def _ages(area: str, check: Check, results: Sequence[CheckResult], what: str) -> StatusLine:
    found = [each for each in _of(results, check) if each.value is not None]
    if not found:
        return _unknown(area, "nothing is loaded yet")
    # What nothing is expected of, such as reference data, is not what has waited for too long.
    judged = [each for each in found if each.at_most is not None]
    oldest = max(judged or found, key=lambda each: each.value or 0)
    limit = f", at most {oldest.at_most:g} h" if oldest.at_most is not None else ""
    text = f"{len(found)} loaded, {what} ({oldest.subject}) {_hours_text(oldest.value)} ago{limit}"
    return StatusLine(area, _worst(found), is_known=True, text=text)


def _marts(observation: Observation, results: Sequence[CheckResult]) -> StatusLine:
    found = _of(results, Check.MART_FRESHNESS)
    if not found:
        return _unknown("marts", "nothing is published yet")
    oldest = max(found, key=lambda each: each.value or 0)
    stale = [each for each in _of(results, Check.DATA_FRESHNESS) if each.is_failing]
    days = {row["as_of_date"] for row in observation.rows("publication") if row["as_of_date"]}
    text = f"{len(found)} published {_hours_text(oldest.value)} ago"
    if days:
        text += f", as of {max(days)}"
    if oldest.at_most is not None:
        text += f", at most {oldest.at_most:g} h"
    if stale:
        text += f"; stale: {', '.join(each.subject for each in stale[:3])}"
    return StatusLine("marts", _worst([*found, *stale]), is_known=True, text=text)


def _tests(results: Sequence[CheckResult]) -> StatusLine:
    found = _of(results, Check.DATA_TEST)
    tests = [each for each in found if each.subject != ALL_TESTS]
    if not tests:
        return _unknown("tests", "no test has run yet")
    failed = sum(each.is_failing for each in tests)
    text = f"{len(tests) - failed:,} passed, {failed:,} failed"
    return StatusLine("tests", _worst(tests), is_known=True, text=text)


def _quality(results: Sequence[CheckResult]) -> StatusLine:
    found = [each for each in _of(results, Check.QUALITY_SCORE) if each.value is not None]
    if not found:
        return _unknown("quality", "no score yet")
    lowest = min(found, key=lambda each: each.value or 0)
    text = (
        f"{len(found)} datasets, lowest {lowest.subject} {lowest.value:.3f},"
        f" at least {lowest.at_least:g}"
    )
    return StatusLine("quality", _worst(found), is_known=True, text=text)


def _counted(area: str, results: Sequence[CheckResult], *checks: Check) -> StatusLine:
    found = [each for check in checks for each in _of(results, check)]
    if not found:
        return _unknown(area, "nothing to judge yet")
    failing = sum(each.is_failing for each in found)
    judged = sum(each.state is not State.NOT_JUDGED for each in found)
    text = f"{failing:,} out of bounds, {judged:,} judged"
    if judged < len(found):
        text += f", {len(found) - judged:,} with too little history"
    return StatusLine(area, _worst(found), is_known=judged > 0, text=text)


def _business(results: Sequence[CheckResult]) -> StatusLine:
    fraud, figures = _of(results, Check.FRAUD_QUEUE), _of(results, Check.BUSINESS_FIGURES)
    if not fraud and not figures:
        return _unknown("business", "nothing to judge yet")
    parts = [f"{each.subject} {each.value:.0f}" for each in fraud if each.value is not None]
    text = f"open fraud alerts: {', '.join(parts)}" if parts else "no fraud queue"
    beyond = [each.subject for each in figures if each.is_failing]
    text += f"; figures beyond limits: {', '.join(beyond) or 'none'}"
    anomalies = _of(results, Check.ORDER_ANOMALIES)
    if any(each.is_failing for each in anomalies):
        text += "; more anomalies than usual"
    worst = _worst([*fraud, *figures, *anomalies])
    return StatusLine("business", worst, is_known=True, text=text)


def _cost(spent: Sequence[MonthCost], results: Sequence[CheckResult]) -> StatusLine:
    if not spent:
        return _unknown("cost", "no cost is known")
    month = spent[0]
    text = (
        f"{month.spent:,.2f} of {month.budget:,.0f} {month.unit} ({month.spent_share:.0%}),"
        f" forecast {month.forecast:,.2f} ({month.forecast_share:.0%})"
    )
    return StatusLine("cost", _worst(_of(results, Check.BUDGET)), is_known=True, text=text)


def _alerts(observation: Observation) -> StatusLine:
    told = [each for each in observation.open_alerts if not each.is_part_of_its_root]
    worst = Severity.worst(each.alert.severity for each in told)
    counts = [
        f"{sum(each.alert.severity is severity for each in told)} {severity}"
        for severity in Severity
        if any(each.alert.severity is severity for each in told)
    ]
    return StatusLine("alerts", worst, is_known=True, text=", ".join(counts) or "none open")


def _outbox(observation: Observation, results: Sequence[CheckResult]) -> StatusLine:
    backlog = observation.backlog
    waiting = sum(each.waiting for each in observation.open_alerts)
    text = f"{backlog.overdue} messages overdue, {waiting} to go"
    if backlog.last_error:
        text += f"; {backlog.last_error}"
    return StatusLine(
        "outbox", _worst(_of(results, Check.ALERT_DELIVERY)), is_known=True, text=text
    )


def _of(results: Sequence[CheckResult], check: Check) -> list[CheckResult]:
    return [result for result in results if result.check is check]


def _worst(results: Sequence[CheckResult]) -> Severity | None:
    return Severity.worst(result.severity for result in results if result.severity)


def _unknown(area: str, text: str) -> StatusLine:
    return StatusLine(area, None, is_known=False, text=text)


def _hours_text(hours: float | None) -> str:
    if hours is None:
        return "?"
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _seconds_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"  # noqa: PLR2004
