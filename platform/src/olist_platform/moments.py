"""Moments on their way into and out of columns without a time zone, which hold UTC."""

from datetime import UTC, datetime


def as_utc(moment: datetime) -> datetime:
    """Return a moment that was read, which is UTC with or without saying so, as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def without_zone(moment: datetime) -> datetime:
    """Return a moment, which must know its zone, as such a column holds it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
