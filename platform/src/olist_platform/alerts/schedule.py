"""When a message may go: quiet hours, the digest's hour, escalation and the delay of retries."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from olist_platform.alerts.alert_settings import AlertSettings, Delivery, is_within
from olist_platform.alerts.kinds import Severity


def after_quiet_hours(moment: datetime, severity: Severity, settings: AlertSettings) -> datetime:
    """Return the first moment from this one on at which people may be told of that severity."""
    quiet = settings.quiet_hours
    if quiet is None or severity.reaches(quiet.let_through_from):
        return moment
    local = moment.astimezone(settings.zone)
    if not is_within(local.hour, quiet.start, quiet.end):
        return moment
    return _next_time_of_day(moment, quiet.end, settings.zone)


def next_digest(moment: datetime, settings: AlertSettings) -> datetime:
    """Return the first digest hour after a moment."""
    return _next_time_of_day(moment, settings.digest_hour, settings.zone)


def escalation_time(moment: datetime, settings: AlertSettings) -> datetime:
    """Return when an alert of that moment is escalated, if it is still open."""
    return moment + timedelta(minutes=settings.escalate_after_minutes)


def retry_delay(failures: int, delivery: Delivery) -> timedelta:
    """Return how long to wait after so many failures in a row, from 1 on; it doubles each time."""
    longest = timedelta(minutes=delivery.longest_retry_minutes)
    # A power without a bound would not fit a timedelta after some weeks of outage.
    doublings = min(failures - 1, 30)
    return min(timedelta(seconds=delivery.first_retry_seconds * 2**doublings), longest)


def _next_time_of_day(moment: datetime, hour: int, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    day = local.date()
    candidate = datetime.combine(day, time(hour), zone)
    if candidate.astimezone(moment.tzinfo) <= moment:
        candidate = datetime.combine(day + timedelta(days=1), time(hour), zone)
    return candidate.astimezone(moment.tzinfo)
