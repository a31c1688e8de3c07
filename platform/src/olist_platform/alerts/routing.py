"""From an alert to the people who are told of it, and when. Nothing here is stored or sent."""

from dataclasses import dataclass
from datetime import datetime

from olist_platform.alerts.alert_settings import AlertSettings, Target
from olist_platform.alerts.kinds import AlertKind, Severity
from olist_platform.alerts.notice import Event, Timing
from olist_platform.alerts.schedule import after_quiet_hours, escalation_time, next_digest


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One telling of one recipient by one channel."""

    target: Target
    event: Event
    timing: Timing
    due_at: datetime


def plan_deliveries(
    kind: AlertKind, severity: Severity, settings: AlertSettings, now: datetime
) -> list[PlannedDelivery]:
    """Return who is told of an alert that is raised now."""
    route = settings.routes.of(kind)
    timing = Timing.AT_ONCE if severity.reaches(route.at_once_from) else Timing.DIGEST
    due_at = due_time(timing, severity, settings, now)
    planned = [PlannedDelivery(target, Event.RAISED, timing, due_at) for target in route.to]
    if severity is Severity.CRITICAL:
        later = after_quiet_hours(escalation_time(now, settings), severity, settings)
        planned += [
            PlannedDelivery(target, Event.ESCALATED, Timing.AT_ONCE, later)
            for target in route.escalation
        ]
    return planned


def due_time(
    timing: Timing, severity: Severity, settings: AlertSettings, now: datetime
) -> datetime:
    """Return when a message of that timing may go, if it is made now."""
    if timing is Timing.DIGEST:
        return next_digest(now, settings)
    return after_quiet_hours(now, severity, settings)
