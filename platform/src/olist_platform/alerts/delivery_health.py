"""Delivery watching itself: what is overdue in the outbox is an alert of its own."""

from datetime import datetime, timedelta

from olist_platform.alerts.alert import Alert, Measurement
from olist_platform.alerts.kinds import DATA_PLATFORM, Severity, Signal
from olist_platform.alerts.outbox import Backlog
from olist_platform.environment import Environment

_SUBJECT = "outbox"


def delivery_alert(environment: Environment, backlog: Backlog, now: datetime) -> Alert | None:
    """Return the alert of a backlog, or None if it is within what the environment allows.

    That alert takes the same way as all others: with Slack down it comes by e-mail. With both down
    only `olist alerts list` and the exit code of `olist alerts deliver` tell.
    """
    limits = environment.alerts.delivery
    if backlog.oldest_wanted_at is None:
        return None
    lateness = now - backlog.oldest_wanted_at
    if lateness > timedelta(minutes=limits.backlog_minutes):
        minutes = int(lateness.total_seconds() // 60)
        measurement = Measurement(
            value=minutes, at_most=limits.backlog_minutes, unit="minutes late"
        )
    elif backlog.overdue > limits.backlog_messages:
        measurement = Measurement(
            value=backlog.overdue, at_most=limits.backlog_messages, unit="overdue messages"
        )
    else:
        return None
    return Alert(
        environment=environment.name,
        signal=Signal.ALERT_DELIVERY,
        subject=_SUBJECT,
        severity=Severity.HIGH,
        owner=DATA_PLATFORM,
        summary=f"Alerts are not delivered: {backlog.overdue} overdue in the outbox.",
        measurement=measurement,
        details=(backlog.last_error,) if backlog.last_error else (),
    )
