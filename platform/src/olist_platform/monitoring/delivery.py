"""Delivery of the alerts themselves: what is overdue in the outbox."""

from datetime import datetime

from olist_platform.alerts.delivery_health import delivery_alert
from olist_platform.alerts.outbox import Backlog
from olist_platform.environment import Environment
from olist_platform.monitoring.check_result import Check, CheckResult, State

OUTBOX = "outbox"


def alert_delivery(environment: Environment, backlog: Backlog, now: datetime) -> list[CheckResult]:
    """Judge the outbox by the environment's limits; see `alerts.delivery_health`."""
    alert = delivery_alert(environment, backlog, now)
    if alert is None:
        return [
            CheckResult(
                check=Check.ALERT_DELIVERY,
                subject=OUTBOX,
                state=State.HEALTHY,
                observed_at=now,
                value=float(backlog.overdue),
                unit="overdue messages",
                at_most=float(environment.alerts.delivery.backlog_messages),
            )
        ]
    measurement = alert.measurement
    return [
        CheckResult(
            check=Check.ALERT_DELIVERY,
            subject=alert.subject,
            state=State.FAILING,
            observed_at=now,
            value=measurement.value if measurement else None,
            unit=measurement.unit if measurement else "",
            at_most=measurement.at_most if measurement else None,
            severity=alert.severity,
            owner=alert.owner,
            summary=alert.summary,
            details=alert.details,
        )
    ]
