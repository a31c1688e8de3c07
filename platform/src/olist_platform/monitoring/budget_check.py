"""The month's cost against its budget: each threshold and the forecast are told once."""

from collections.abc import Collection, Sequence
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
# A forecast moves with each hour: one that hovers at the budget is told once, not each time.
_OVERRUN_IS_OVER_BELOW = 0.95


def budgets(
    months: Sequence[MonthCost],
    directory: NodeDirectory,
    now: datetime,
    open_subjects: Collection[str] = (),
) -> list[CheckResult]:
    """Judge what has been spent and the forecast, and record both as figures too.

    They are two subjects, each with its month: neither hides the other, and a month that begins is
    told of anew. A warehouse that is beyond its quota follows from the whole month where that is as
    bad, and a forecast from a budget that is used up already.

    Args:
        months: The whole environment first, then each warehouse with a quota.
        directory: Where it is documented.
        now: The moment.
        open_subjects: Subjects of the budget's open alerts.
    """
    docs = directory.docs_of("monitoring_run_costs")
    judged: list[CheckResult] = []
    for month in months:
        spent = _spent(month, docs, now)
        forecast = _forecast(month, docs, now, open_subjects)
        if judged:
            spent, forecast = _following(spent, judged[0]), _following(forecast, judged[1])
        if spent.severity is THRESHOLDS[1.0] and forecast.caused_by is None:
            forecast = _following(forecast, spent)
        judged += [spent, forecast]
    figures = [figure for month in months for figure in _figures(month, now)]
    return [*judged, *figures]


def _spent(month: MonthCost, docs: str | None, now: datetime) -> CheckResult:
    passed = next((share for share in THRESHOLDS if month.spent_share >= share), None)
    return CheckResult(
        check=Check.BUDGET,
        subject=month.subject_in(now),
        state=State.HEALTHY if passed is None else State.FAILING,
        observed_at=now,
        value=round(100 * month.spent_share, 2),
        unit="%",
        at_most=100 * (passed or _LEAST),
        severity=None if passed is None else THRESHOLDS[passed],
        owner=_OWNER,
        summary=""
        if passed is None
        else f"The month's cost has passed {passed:.0%} of its budget of {month.budget:,.0f}"
        f" {month.unit}; it is going to end at {month.forecast_share:.0%}.",
        details=() if passed is None else _until(month),
        docs=docs,
    )


def _forecast(
    month: MonthCost, docs: str | None, now: datetime, open_subjects: Collection[str]
) -> CheckResult:
    subject = f"{month.subject_in(now)} forecast"
    limit = _OVERRUN_IS_OVER_BELOW if subject in open_subjects else 1.0
    is_overrun = month.forecast_share >= limit
    return CheckResult(
        check=Check.BUDGET,
        subject=subject,
        state=State.FAILING if is_overrun else State.HEALTHY,
        observed_at=now,
        value=round(100 * month.forecast_share, 2),
        unit="%",
        # An overrun is one of the whole budget, also where an open alert would end further below.
        at_most=100 * (1.0 if month.forecast_share >= 1.0 else limit),
        severity=_OVERRUN_FORECAST if is_overrun else None,
        owner=_OWNER,
        summary=f"The month is going to end at {month.forecast_share:.0%} of its budget of"
        f" {month.budget:,.0f} {month.unit}; {month.spent_share:.0%} are spent."
        if is_overrun
        else "",
        details=_until(month) if is_overrun else (),
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
