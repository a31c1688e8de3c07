"""Which reports went, kept beside the alerts: whoever sends one claims it first."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.outbox_tables import REPORT

# Longer than any try can take; who died while sending is taken over after it.
_CLAIM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of asking to send a report.

    Attributes:
        sent_at: When it went already; None where it did not.
        held_by: Who is sending it now; None where nobody else is.
    """

    sent_at: datetime | None = None
    held_by: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the asker may send it."""
        return self.sent_at is None and self.held_by is None


class ReportRecord:
    """The record of one environment; its transactions never run side by side."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database

    def claim(self, name: str, claimant: str, now: datetime) -> Claim:
        """Ask to be the one who sends a report.

        Raises:
            OlistError: The record cannot be read or written.
        """
        with self._database.transaction() as connection:
            row = connection.execute(select(REPORT).where(REPORT.c.name == name)).one_or_none()
            if row is not None and row.sent_at is not None:
                return Claim(sent_at=row.sent_at)
            if row is not None and row.claimed_until is not None and row.claimed_until > now:
                return Claim(held_by=row.claimed_by)
            held = {"claimed_by": claimant, "claimed_until": now + _CLAIM}
            if row is None:
                connection.execute(insert(REPORT).values(name=name, **held))
            else:
                connection.execute(update(REPORT).where(REPORT.c.name == name).values(held))
            return Claim()

    def release(self, name: str, sent_at: datetime | None) -> None:
        """End a claim: the report went, or (None) it did not and the next may try.

        Raises:
            OlistError: The record cannot be written.
        """
        with self._database.transaction() as connection:
            connection.execute(
                update(REPORT)
                .where(REPORT.c.name == name)
                .values(claimed_by=None, claimed_until=None, sent_at=sent_at)
            )
