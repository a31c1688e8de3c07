"""What both sides of the outbox share: states of a delivery, and the alert of a row."""

import json
import logging
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, update

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import DATA_PLATFORM, Severity, Signal
from olist_platform.alerts.outbox_tables import DELIVERY
from olist_platform.naming import EnvironmentName

_log = logging.getLogger(__name__)

WAITING, SENT, FOLDED = "waiting", "sent", "folded"


def waiting_of(alert_id: int, now: datetime) -> tuple[Any, ...]:
    """Tell the deliveries of an alert that wait and that no process is sending."""
    return (
        DELIVERY.c.alert_id == alert_id,
        DELIVERY.c.state == WAITING,
        DELIVERY.c.claimed_until.is_(None) | (DELIVERY.c.claimed_until <= now),
    )


def fold(connection: Connection, conditions: tuple[Any, ...]) -> None:
    """Leave deliveries unsent, because another one tells what they would."""
    connection.execute(update(DELIVERY).where(*conditions).values(state=FOLDED))


def is_claimed(row: Row[Any], now: datetime) -> bool:
    """Whether a process is sending a delivery."""
    return row.state == WAITING and row.claimed_until is not None and row.claimed_until > now


def alert_of(row: Row[Any], environment: EnvironmentName) -> Alert:
    """Return the alert of a row with its body, severity and fingerprint.

    The outbox outlives releases: after a rollback a body may hold what this release does not know.
    Such a row is told of all the same, in plain words, and holds up no other.
    """
    try:
        return Alert.model_validate_json(row.body)
    except ValidationError as error:
        _log.warning("the alert %s cannot be read by this release: %s", row.fingerprint, error)
        return Alert(
            environment=environment,
            signal=_signal_of(row.body),
            subject=f"alert {row.fingerprint}",
            severity=Severity(row.severity),
            owner=DATA_PLATFORM,
            summary="An alert was raised whose text this release cannot read; maybe another"
            " release wrote it.",
            details=(row.body,) if row.body.strip() else (),
        )


def _signal_of(body: str) -> Signal:
    """Return the signal of a body that cannot be read otherwise."""
    try:
        return Signal(json.loads(body)["signal"])
    except (ValueError, LookupError, TypeError):
        return Signal.PLATFORM_HEALTH
