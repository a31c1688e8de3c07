"""The durable outbox: what was raised, and who is to be told of it.

Every change is one transaction, and transactions of an outbox never run side by side, so two
processes never decide on the same rows. `delivery_queue` is its other side.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.notice import Event, Timing
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.outbox_rows import SENT, WAITING, alert_of, fold, is_claimed, waiting_of
from olist_platform.alerts.outbox_tables import ALERT, DELIVERY
from olist_platform.alerts.routing import due_time, plan_deliveries
from olist_platform.environment import Environment

_OPEN, _RESOLVED = "open", "resolved"


class Raised(StrEnum):
    """What raising an alert led to."""

    NEW = "new"
    REPEATED = "repeated"
    WORSENED = "worsened"
    PART_OF_ITS_ROOT = "part of its root"


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert and how it stands.

    Attributes:
        alert: As it was raised last.
        fingerprint: Its identity; that of `alert` is another one where its text cannot be read.
        occurrences: How often it was raised since it opened.
        first_raised_at: When it opened, UTC.
        last_raised_at: When it was raised last, UTC.
        resolved_at: When it was resolved, UTC; None while it is open.
        is_part_of_its_root: Whether it only follows from another alert.
        sent: How many tellings of it went.
        waiting: How many are still to go.
        last_error: Why the last try of one of those failed; None when none did.
    """

    alert: Alert
    fingerprint: str
    occurrences: int
    first_raised_at: datetime
    last_raised_at: datetime
    resolved_at: datetime | None
    is_part_of_its_root: bool
    sent: int
    waiting: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What should have gone and has not.

    Attributes:
        overdue: Deliveries whose time has come.
        oldest_wanted_at: When the oldest of them should have gone, UTC; None without any.
        last_error: Why a try failed, of the oldest that has a reason.
    """

    overdue: int
    oldest_wanted_at: datetime | None
    last_error: str | None


class Outbox:
    """The outbox of one environment."""

    def __init__(self, database: OutboxDatabase, environment: Environment) -> None:
        self._database = database
        self._environment = environment.name
        self._settings = environment.alerts

    def raise_alert(self, alert: Alert, now: datetime) -> Raised:
        """Record that an alert was raised, and who is to be told of it.

        Raised while it is open it is counted, and told again only where it has become worse.
        """
        with self._database.transaction() as connection:
            stored = _open_alert(connection, alert.fingerprint)
            if stored is None:
                return self._open(connection, alert, now)
            return self._repeat(connection, stored, alert, now)

    def raise_anew(self, alert: Alert, now: datetime) -> Raised:
        """Record that there is more of what an open alert tells, for its people to be told again.

        It becomes a new alert, so they are told of its end once. For alerts that have none that
        follow from them.
        """
        with self._database.transaction() as connection:
            stored = _open_alert(connection, alert.fingerprint)
            if stored is not None:
                fold(connection, waiting_of(stored.id, now))
                connection.execute(
                    update(ALERT)
                    .where(ALERT.c.id == stored.id)
                    .values(state=_RESOLVED, resolved_at=now)
                )
            return self._open(connection, alert, now)

    def resolve(self, fingerprint: str, now: datetime) -> bool:
        """Record that what an alert told of is over, and who is to be told so.

        Everybody who was told of the alert is told, once. Who was not told yet is told both in
        one message; whom only an escalation still to come would have told is told nothing.

        Returns:
            Whether it was open.
        """
        with self._database.transaction() as connection:
            stored = _open_alert(connection, fingerprint)
            if stored is None:
                return False
            connection.execute(
                update(ALERT)
                .where((ALERT.c.id == stored.id) | (ALERT.c.root_id == stored.id))
                .where(ALERT.c.state == _OPEN)
                .values(state=_RESOLVED, resolved_at=now)
            )
            if stored.root_id is None:
                self._tell_that_it_is_over(connection, stored, now)
            return True

    def alerts(self, *, also_resolved: bool = False) -> list[StoredAlert]:
        """Return the alerts, oldest first; open ones only unless told."""
        waiting = DELIVERY.c.state == WAITING
        query = (
            select(
                ALERT,
                func.count(DELIVERY.c.id).filter(DELIVERY.c.state == SENT).label("sent"),
                func.count(DELIVERY.c.id).filter(waiting).label("waiting"),
                func.max(DELIVERY.c.last_error).filter(waiting).label("last_error"),
            )
            .outerjoin(DELIVERY, DELIVERY.c.alert_id == ALERT.c.id)
            .group_by(*ALERT.c)
            .order_by(ALERT.c.first_raised_at, ALERT.c.id)
        )
        if not also_resolved:
            query = query.where(ALERT.c.state == _OPEN)
        with self._database.transaction() as connection:
            return [
                StoredAlert(
                    alert=alert_of(row, self._environment),
                    fingerprint=row.fingerprint,
                    occurrences=row.occurrences,
                    first_raised_at=row.first_raised_at,
                    last_raised_at=row.last_raised_at,
                    resolved_at=row.resolved_at,
                    is_part_of_its_root=row.root_id is not None,
                    sent=row.sent,
                    waiting=row.waiting,
                    last_error=row.last_error,
                )
                for row in connection.execute(query)
            ]

    def backlog(self, now: datetime) -> Backlog:
        """Return what should have gone by now and has not."""
        overdue = select(DELIVERY).where(DELIVERY.c.state == WAITING, DELIVERY.c.wanted_at < now)
        with self._database.transaction() as connection:
            rows = connection.execute(overdue.order_by(DELIVERY.c.wanted_at)).all()
        return Backlog(
            overdue=len(rows),
            oldest_wanted_at=rows[0].wanted_at if rows else None,
            last_error=next((row.last_error for row in rows if row.last_error), None),
        )

    def _open(self, connection: Connection, alert: Alert, now: datetime) -> Raised:
        root_id = _root_id(connection, alert.caused_by)
        alert_id: int = connection.execute(
            insert(ALERT)
            .values(
                fingerprint=alert.fingerprint,
                state=_OPEN,
                severity=alert.severity.value,
                body=alert.model_dump_json(),
                occurrences=1,
                first_raised_at=now,
                last_raised_at=now,
                caused_by=alert.caused_by,
                root_id=root_id,
            )
            .returning(ALERT.c.id)
        ).scalar_one()
        if root_id is not None:
            return Raised.PART_OF_ITS_ROOT
        self._plan(connection, alert_id, alert, now)
        _adopt_what_follows_from(connection, alert_id, alert.fingerprint, now)
        return Raised.NEW

    def _repeat(
        self, connection: Connection, stored: Row[Any], alert: Alert, now: datetime
    ) -> Raised:
        former = Severity(stored.severity)
        is_worse = alert.severity.rank < former.rank
        # It keeps its worst severity until it is resolved; all else is as it was told last.
        alert = alert if is_worse else alert.model_copy(update={"severity": former})
        connection.execute(
            update(ALERT)
            .where(ALERT.c.id == stored.id)
            .values(
                severity=alert.severity.value,
                body=alert.model_dump_json(),
                occurrences=stored.occurrences + 1,
                last_raised_at=now,
            )
        )
        if stored.root_id is not None:
            if not is_worse or alert.caused_by is not None:
                return Raised.PART_OF_ITS_ROOT
            # Worse than what it followed from: it is told itself from now on.
            connection.execute(
                update(ALERT).where(ALERT.c.id == stored.id).values(root_id=None, caused_by=None)
            )
        elif not is_worse:
            return Raised.REPEATED
        fold(connection, waiting_of(stored.id, now))
        self._plan(connection, stored.id, alert, now)
        return Raised.WORSENED

    def _plan(self, connection: Connection, alert_id: int, alert: Alert, now: datetime) -> None:
        for planned in plan_deliveries(alert.kind, alert.severity, self._settings, now):
            _insert_delivery(
                connection,
                alert_id=alert_id,
                event=planned.event.value,
                severity=alert.severity.value,
                recipient=planned.target.recipient,
                wanted_channel=planned.target.channel.value,
                timing=planned.timing.value,
                due_at=planned.due_at,
            )

    def _tell_that_it_is_over(
        self, connection: Connection, stored: Row[Any], now: datetime
    ) -> None:
        rows = connection.execute(
            select(DELIVERY).where(DELIVERY.c.alert_id == stored.id).order_by(DELIVERY.c.id)
        ).all()
        told: dict[tuple[str, str], Timing] = {}
        for row in rows:
            was_to_come = (
                row.event == Event.ESCALATED
                and row.wanted_at > now
                and row.state != SENT
                and not is_claimed(row, now)
            )
            if not was_to_come:
                # The last word on a target decides: digest, then worse and at once, is at once.
                is_digest = row.timing == Timing.DIGEST
                told[row.recipient, row.wanted_channel] = (
                    Timing.DIGEST if is_digest else Timing.AT_ONCE
                )
        fold(connection, waiting_of(stored.id, now))
        severity = Severity(stored.severity)
        for (recipient, channel), timing in told.items():
            _insert_delivery(
                connection,
                alert_id=stored.id,
                event=Event.RESOLVED.value,
                severity=severity.value,
                recipient=recipient,
                wanted_channel=channel,
                timing=timing.value,
                due_at=due_time(timing, severity, self._settings, now),
            )


def _open_alert(connection: Connection, fingerprint: str) -> Row[Any] | None:
    return connection.execute(
        select(ALERT).where(ALERT.c.fingerprint == fingerprint, ALERT.c.state == _OPEN)
    ).one_or_none()


def _root_id(connection: Connection, caused_by: str | None) -> int | None:
    """Return the open alert that another one follows from, itself following from none."""
    root = None if caused_by is None else _open_alert(connection, caused_by)
    return None if root is None else root.root_id or root.id


def _adopt_what_follows_from(
    connection: Connection, alert_id: int, fingerprint: str, now: datetime
) -> None:
    """Make alerts that came before their root a part of it, as far as nobody was told of them."""
    candidates = connection.execute(
        select(ALERT).where(
            ALERT.c.state == _OPEN,
            ALERT.c.caused_by == fingerprint,
            ALERT.c.root_id.is_(None),
            ALERT.c.id != alert_id,
        )
    ).all()
    for row in candidates:
        deliveries = connection.execute(select(DELIVERY).where(DELIVERY.c.alert_id == row.id)).all()
        if all(each.state != SENT and not is_claimed(each, now) for each in deliveries):
            fold(connection, waiting_of(row.id, now))
            connection.execute(
                update(ALERT)
                .where((ALERT.c.id == row.id) | (ALERT.c.root_id == row.id))
                .values(root_id=alert_id)
            )


def _insert_delivery(connection: Connection, **values: Any) -> None:
    connection.execute(
        insert(DELIVERY).values(
            **values,
            channel=values["wanted_channel"],
            wanted_at=values["due_at"],
            state=WAITING,
            failures=0,
        )
    )
