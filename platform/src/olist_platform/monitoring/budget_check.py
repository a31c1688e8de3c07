"""The month's cost against its budget: told at each threshold, and again only when it is worse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from olist_platform.alerts.kinds import Severity
from olist_platform.cost.budget import MonthCost
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.node_directory import NodeDirectory

_OWNER = "finance_reporting"
# Shares of the budget, and how bad it is to have passed them.
THRESHOLDS = {
    1.0: Severity.CRITICAL,
    0.9: Severity.HIGH,
    0.75: Severity.MEDIUM,
    0.5: Severity.LOW,
}
_LEAST = min(THRESHOLDS)
_OVERRUN_FORECAST = Severity.MEDIUM


def budgets(
    months: Sequence[MonthCost], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge what has been spent and the forecast, and record both as figures too.

    A warehouse that is beyond its quota follows from the whole month where that is as bad.

    Args:
        months: The whole environment first, then each warehouse with a quota.
        directory: Where it is documented.
        now: The moment.
    """
    docs = directory.docs_of("monitoring_run_costs")
    judged = [_judged(month, docs, now) for month in months]
    if judged and judged[0].is_failing:
        judged = [judged[0], *(_following(each, judged[0]) for each in judged[1:])]
    figures = [figure for month in months for figure in _figures(month, now)]
    return [*judged, *figures]


def _judged(month: MonthCost, docs: str | None, now: datetime) -> CheckResult:
    passed = next((share for share in THRESHOLDS if month.spent_share >= share), None)
    severity = THRESHOLDS[passed] if passed is not None else None
    value, limit = month.spent_share, passed or _LEAST
    summary = ""
    if passed is not None:
        summary = (
            f"The month's cost has passed {passed:.0%} of its budget of {month.budget:,.0f}"
            f" {month.unit}; it is going to end at {month.forecast_share:.0%}."
        )
    if month.forecast_share >= 1 and (severity is None or _OVERRUN_FORECAST.rank < severity.rank):
        severity = _OVERRUN_FORECAST
        value, limit = month.forecast_share, 1.0
        summary = (
            f"The month is going to end at {month.forecast_share:.0%} of its budget of"
            f" {month.budget:,.0f} {month.unit}; {month.spent_share:.0%} are spent."
        )
    return CheckResult(
        check=Check.BUDGET,
        subject=month.subject,
        state=State.FAILING if severity else State.HEALTHY,
        observed_at=now,
        value=round(100 * value, 2),
        unit="%",
        at_most=100 * limit,
        severity=severity,
        owner=_OWNER,
        summary=summary,
        details=_until(month) if severity else (),
        docs=docs,
    )


def _figures(month: MonthCost, now: datetime) -> list[CheckResult]:
    return [
        CheckResult(
            check=Check.BUDGET,
            subject=f"{month.subject} {name}",
            state=State.NOT_JUDGED,
            observed_at=now,
            value=round(value, 6),
            unit=month.unit,
            at_most=month.budget,
            owner=_OWNER,
        )
        for name, value in (("spent", month.spent), ("forecast", month.forecast))
    ]


def _following(result: CheckResult, root: CheckResult) -> CheckResult:
    if (
        result.severity is not None
        and root.severity is not None
        and root.severity.reaches(result.severity)
    ):
        return replace(result, caused_by=root.identity)
    return result


def _until(month: MonthCost) -> tuple[str, ...]:
    return (f"known until {month.known_until:%Y-%m-%d %H:%M} UTC",) if month.known_until else ()
