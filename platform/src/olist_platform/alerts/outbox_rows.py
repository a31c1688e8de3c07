"""States of a delivery, and the conditions on them that both sides of the outbox share."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from olist_platform.alerts.outbox_tables import DELIVERY

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
