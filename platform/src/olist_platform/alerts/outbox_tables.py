"""The tables of the outbox, the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class Moment(TypeDecorator[datetime]):
    """A moment as UTC text of one length, so that texts sort as moments do on every engine."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a moment, which must know its zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment of the outbox needs a time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


METADATA = MetaData()

# From raised to resolved. Raised again after that, it is another row.
ALERT = Table(
    "olist_alert",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(16), nullable=False),
    Column("state", String(8), nullable=False),
    Column("severity", String(8), nullable=False),
    # The alert as it was raised last, JSON.
    Column("body", Text, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("first_raised_at", Moment, nullable=False),
    Column("last_raised_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    # Fingerprint of the alert that this one says it only follows from.
    Column("caused_by", String(16)),
    # That alert's row, or its root's, once it is there; nobody is told of this one then.
    Column("root_id", ForeignKey("olist_alert.id"), index=True),
    Index("olist_alert_caused_by", "state", "caused_by"),
    Index(
        "olist_alert_one_open",
        "fingerprint",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

# One telling of one recipient by one channel; each happens once.
DELIVERY = Table(
    "olist_alert_delivery",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("alert_id", ForeignKey("olist_alert.id"), nullable=False),
    Column("event", String(9), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("recipient", String(64), nullable=False),
    # The route's channel, and that of the next try: e-mail stands in for Slack.
    Column("wanted_channel", String(8), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("timing", String(8), nullable=False),
    # waiting, sent, or folded into another delivery that tells it too.
    Column("state", String(8), nullable=False),
    # When it should go by the rules; failures leave it as it is and move due_at only.
    Column("wanted_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text),
    # The process that is sending it, and until when nobody else may.
    Column("claimed_by", String(64)),
    Column("claimed_until", Moment),
    Column("message_id", String(64)),
    Column("sent_at", Moment),
    UniqueConstraint("alert_id", "event", "severity", "recipient", "wanted_channel"),
    Index("olist_alert_delivery_waiting", "state", "due_at", "id"),
)

# An executives' report: there is one of a day, and it goes once.
REPORT = Table(
    "olist_executive_report",
    METADATA,
    Column("name", String(64), primary_key=True),
    # The process that is sending it, and until when nobody else may.
    Column("claimed_by", String(64)),
    Column("claimed_until", Moment),
    Column("sent_at", Moment),
)

# A channel that asked not to be spoken to (Retry-After).
CHANNEL_HOLD = Table(
    "olist_alert_channel_hold",
    METADATA,
    Column("channel", String(8), primary_key=True),
    Column("until", Moment, nullable=False),
)
