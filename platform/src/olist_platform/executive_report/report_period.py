"""Which period a report tells of: its kind follows the reference date."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_SUNDAY = 7


class ReportKind(StrEnum):
    """What has just ended; the value is the `period_type` of mart_executive_kpis."""

    DAILY = "day"
    WEEKLY = "week"
    MONTHLY = "month"

    @property
    def report_title(self) -> str:
        """What people call the report."""
        return f"{self.name.capitalize()} report"


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """A day, a week from Monday or a month, and the one before it; both ends are inside."""

    kind: ReportKind
    start: date
    end: date
    start_of_previous: date


def period_ending(reference: date) -> ReportPeriod:
    """Return the longest period that ends on a day: its month, else its week, else the day.

    Args:
        reference: Reference date of the marts; its activity is inside.
    """
    if (reference + timedelta(days=1)).day == 1:
        return period_from(ReportKind.MONTHLY, reference.replace(day=1))
    if reference.isoweekday() == _SUNDAY:
        return period_from(ReportKind.WEEKLY, reference - timedelta(days=6))
    return period_from(ReportKind.DAILY, reference)


def period_from(kind: ReportKind, start: date) -> ReportPeriod:
    """Return the period of a kind that starts on a day."""
    match kind:
        case ReportKind.MONTHLY:
            end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            previous = (start - timedelta(days=1)).replace(day=1)
        case ReportKind.WEEKLY:
            end, previous = start + timedelta(days=6), start - timedelta(days=7)
        case ReportKind.DAILY:
            end, previous = start, start - timedelta(days=1)
    return ReportPeriod(kind, start, end, previous)
