"""The durable outbox: what was raised, who is still to be told, who was.

Every change is one transaction, and transactions of an outbox never run side by side, so two
processes never decide on the same rows. Nothing is sent inside a transaction: a message is claimed,
sent, and recorded. A process that dies between sending and recording leaves a claim that runs out;
its message is then sent a second time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.alert_settings import AlertSettings
from olist_platform.alerts.kinds import Channel, Severity
from olist_platform.alerts.notice import Dispatch, Event, Notice, Timing
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.outbox_tables import ALERT, CHANNEL_HOLD, DELIVERY
from olist_platform.alerts.routing import due_time, plan_deliveries
from olist_platform.alerts.schedule import after_quiet_hours, retry_delay

_OPEN, _RESOLVED = "open", "resolved"
_WAITING, _SENT, _FOLDED = "waiting", "sent", "folded"
# A claim outlives the slowest try by far, and a dead process by minutes only.
_CLAIM_TIMEOUTS = 20
# Slack takes 50 blocks; a gathered notice needs one, head and foot a few.
MOST_NOTICES_IN_A_MESSAGE = 40


class Raised(StrEnum):
    """What raising an alert led to."""

    NEW = "new"
    REPEATED = "repeated"
    WORSENED = "worsened"
    PART_OF_ITS_ROOT = "part of its root"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not go.

    Attributes:
        reason: What the channel said.
        is_permanent: Whether the same message will never go on this channel.
    """

    reason: str
    is_permanent: bool = False


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert and how it stands.

    Attributes:
        alert: As it was raised last.
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

    def __init__(self, database: OutboxDatabase, settings: AlertSettings) -> None:
        self._database = database
        self._settings = settings

    def raise_alert(self, alert: Alert, now: datetime) -> Raised:
        """Record that an alert was raised, and who is to be told of it.

        Raised while it is open it is counted, and told again only where it has become worse.
        """
        with self._database.transaction() as connection:
            stored = _open_alert(connection, alert.fingerprint)
            if stored is None:
                return self._open(connection, alert, now)
            return self._repeat(connection, stored, alert, now)

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
            self._tell_that_it_is_over(connection, stored, now)
            return True

    def claim(self, started: datetime, now: datetime, claimant: str) -> Dispatch | None:
        """Take the next message that was due when the pass started, for this process alone.

        What may not go now (quiet hours, rate limit, a channel on hold) is given a later time.
        """
        with self._database.transaction() as connection:
            holds = {row.channel: row.until for row in connection.execute(select(CHANNEL_HOLD))}
            candidates = _claimable(connection, started, now)
            for row in candidates:
                if (later := self._not_before(connection, row, holds, now)) is not None:
                    connection.execute(
                        update(DELIVERY).where(DELIVERY.c.id == row.id).values(**later)
                    )
                    continue
                rows = self._together_with(row, candidates, now)
                return self._claimed(connection, rows, now, claimant)
        return None

    def record_sent(self, dispatch: Dispatch, now: datetime, claimant: str) -> None:
        """Record that a message went."""
        with self._database.transaction() as connection:
            connection.execute(
                update(DELIVERY)
                .where(*_still_claimed(dispatch, claimant))
                .values(
                    state=_SENT,
                    sent_at=now,
                    message_id=dispatch.message_id,
                    claimed_by=None,
                    claimed_until=None,
                    last_error=None,
                )
            )

    def record_failure(
        self, dispatch: Dispatch, failure: Failure, now: datetime, claimant: str
    ) -> None:
        """Record that a message did not go, and give it its next time or its other channel."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                select(DELIVERY).where(*_still_claimed(dispatch, claimant))
            ).all()
            for row in rows:
                connection.execute(
                    update(DELIVERY)
                    .where(DELIVERY.c.id == row.id)
                    .values(
                        last_error=failure.reason,
                        claimed_by=None,
                        claimed_until=None,
                        **self._after_failure(connection, row, failure, now),
                    )
                )

    def hold(self, dispatch: Dispatch, until: datetime, reason: str, claimant: str) -> None:
        """Record that a channel asked to be left alone; its messages wait and lose no try."""
        with self._database.transaction() as connection:
            connection.execute(
                delete(CHANNEL_HOLD).where(CHANNEL_HOLD.c.channel == dispatch.channel)
            )
            connection.execute(
                insert(CHANNEL_HOLD).values(channel=dispatch.channel.value, until=until)
            )
            connection.execute(
                update(DELIVERY)
                .where(*_still_claimed(dispatch, claimant))
                .values(last_error=reason, due_at=until, claimed_by=None, claimed_until=None)
            )

    def alerts(self, *, also_resolved: bool = False) -> list[StoredAlert]:
        """Return the alerts, oldest first; open ones only unless told."""
        waiting = DELIVERY.c.state == _WAITING
        query = (
            select(
                ALERT,
                func.count(DELIVERY.c.id).filter(DELIVERY.c.state == _SENT).label("sent"),
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
                    alert=Alert.model_validate_json(row.body),
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
        overdue = select(DELIVERY).where(DELIVERY.c.state == _WAITING, DELIVERY.c.wanted_at < now)
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
            return Raised.PART_OF_ITS_ROOT
        if not is_worse:
            return Raised.REPEATED
        _fold(connection, _waiting_of(stored.id, now))
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
                and row.due_at > now
                and row.state != _SENT
                and not _is_claimed(row, now)
            )
            if not was_to_come:
                # The last word on a target decides: digest, then worse and at once, is at once.
                is_digest = row.timing == Timing.DIGEST
                told[row.recipient, row.wanted_channel] = (
                    Timing.DIGEST if is_digest else Timing.AT_ONCE
                )
        _fold(connection, _waiting_of(stored.id, now))
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

    def _not_before(
        self, connection: Connection, row: Row[Any], holds: dict[str, datetime], now: datetime
    ) -> dict[str, Any] | None:
        """Return what to change in a delivery that may not go now, or None if it may."""
        until = holds.get(row.channel)
        if until is not None and until > now:
            return {"due_at": until}
        severity = Severity(row.severity)
        allowed = after_quiet_hours(now, severity, self._settings)
        if allowed > now:
            return {"due_at": allowed, "wanted_at": allowed}
        if row.timing == Timing.AT_ONCE and severity is not Severity.CRITICAL:
            room_at = self._room_at(connection, row, now)
            if room_at is not None:
                return {
                    "due_at": room_at,
                    "wanted_at": room_at,
                    "timing": Timing.GATHERED.value,
                }
        return None

    def _room_at(self, connection: Connection, row: Row[Any], now: datetime) -> datetime | None:
        """Return when the rate limit lets one more message through, or None if it does now."""
        limit = self._settings.rate_limit
        window = timedelta(minutes=limit.per_minutes)
        went = select(func.min(func.coalesce(DELIVERY.c.sent_at, DELIVERY.c.due_at))).where(
            DELIVERY.c.recipient == row.recipient,
            DELIVERY.c.channel == row.channel,
            DELIVERY.c.timing != Timing.DIGEST.value,
            (DELIVERY.c.sent_at > now - window)
            | ((DELIVERY.c.state == _WAITING) & (DELIVERY.c.claimed_until > now)),
        )
        moments: list[datetime] = sorted(
            connection.execute(went.group_by(DELIVERY.c.message_id)).scalars()
        )
        if len(moments) < limit.messages:
            return None
        return max(moments[-limit.messages] + window, now + timedelta(microseconds=1))

    def _together_with(
        self, row: Row[Any], candidates: Sequence[Row[Any]], now: datetime
    ) -> list[Row[Any]]:
        """Return the deliveries that go in one message with this one."""
        if row.timing == Timing.AT_ONCE:
            return [row]
        same = [
            other
            for other in candidates
            if (other.recipient, other.channel, other.wanted_channel, other.timing)
            == (row.recipient, row.channel, row.wanted_channel, row.timing)
            and after_quiet_hours(now, Severity(other.severity), self._settings) <= now
        ]
        return same[:MOST_NOTICES_IN_A_MESSAGE]

    def _claimed(
        self, connection: Connection, rows: Sequence[Row[Any]], now: datetime, claimant: str
    ) -> Dispatch:
        ids = tuple(row.id for row in rows)
        first = rows[0]
        environment = Alert.model_validate_json(first.body).environment
        digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]
        message_id = f"{environment}-{first.id}-{digest}"
        lease = timedelta(seconds=self._settings.delivery.timeout_seconds * _CLAIM_TIMEOUTS)
        connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.id.in_(ids))
            .values(claimed_by=claimant, claimed_until=now + lease, message_id=message_id)
        )
        return Dispatch(
            delivery_ids=ids,
            recipient=first.recipient,
            channel=Channel(first.channel),
            timing=Timing(first.timing),
            notices=tuple(_notice(connection, row) for row in rows),
            message_id=message_id,
            stands_in=first.channel != first.wanted_channel,
        )

    def _after_failure(
        self, connection: Connection, row: Row[Any], failure: Failure, now: datetime
    ) -> dict[str, Any]:
        if _is_told_by_a_later_one(connection, row):
            return {"state": _FOLDED}
        failures = row.failures + 1
        delivery = self._settings.delivery
        is_given_up = failure.is_permanent or failures >= delivery.slack_tries
        if row.channel == Channel.SLACK and is_given_up:
            if _is_told_by_email_anyway(connection, row):
                return {"state": _FOLDED}
            return {"channel": Channel.EMAIL.value, "failures": 0}
        return {"failures": failures, "due_at": now + retry_delay(failures, delivery)}


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
            ALERT.c.state == _OPEN, ALERT.c.root_id.is_(None), ALERT.c.id != alert_id
        )
    ).all()
    for row in candidates:
        if Alert.model_validate_json(row.body).caused_by != fingerprint:
            continue
        deliveries = connection.execute(select(DELIVERY).where(DELIVERY.c.alert_id == row.id)).all()
        if all(each.state != _SENT and not _is_claimed(each, now) for each in deliveries):
            _fold(connection, _waiting_of(row.id, now))
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
            state=_WAITING,
            failures=0,
        )
    )


def _waiting_of(alert_id: int, now: datetime) -> tuple[Any, ...]:
    """Tell the deliveries of an alert that wait and that no process is sending."""
    return (
        DELIVERY.c.alert_id == alert_id,
        DELIVERY.c.state == _WAITING,
        DELIVERY.c.claimed_until.is_(None) | (DELIVERY.c.claimed_until <= now),
    )


def _fold(connection: Connection, conditions: tuple[Any, ...]) -> None:
    connection.execute(update(DELIVERY).where(*conditions).values(state=_FOLDED))


def _is_claimed(row: Row[Any], now: datetime) -> bool:
    return row.state == _WAITING and row.claimed_until is not None and row.claimed_until > now


def _claimable(connection: Connection, started: datetime, now: datetime) -> list[Row[Any]]:
    """Return deliveries that are due, with their alerts, oldest first.

    Of the tellings of one alert to one target only the first that waits: nobody hears that it is
    over before they hear what it was.
    """
    former = DELIVERY.alias()
    waits_for_another = (
        select(former.c.id)
        .where(
            former.c.alert_id == DELIVERY.c.alert_id,
            former.c.recipient == DELIVERY.c.recipient,
            former.c.wanted_channel == DELIVERY.c.wanted_channel,
            former.c.state == _WAITING,
            former.c.id < DELIVERY.c.id,
        )
        .exists()
    )
    query = (
        select(
            DELIVERY,
            ALERT.c.body,
            ALERT.c.occurrences,
            ALERT.c.first_raised_at,
            ALERT.c.last_raised_at,
            ALERT.c.resolved_at,
        )
        .join(ALERT, ALERT.c.id == DELIVERY.c.alert_id)
        .where(
            DELIVERY.c.state == _WAITING,
            DELIVERY.c.due_at <= started,
            DELIVERY.c.claimed_until.is_(None) | (DELIVERY.c.claimed_until <= now),
            ~waits_for_another,
        )
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
    )
    return list(connection.execute(query).all())


def _still_claimed(dispatch: Dispatch, claimant: str) -> tuple[Any, ...]:
    return (
        DELIVERY.c.id.in_(dispatch.delivery_ids),
        DELIVERY.c.claimed_by == claimant,
        DELIVERY.c.state == _WAITING,
    )


def _is_told_by_a_later_one(connection: Connection, row: Row[Any]) -> bool:
    """Whether it was resolved or became worse while it was on its way to the same target."""
    return _exists(
        connection,
        row,
        DELIVERY.c.id > row.id,
        DELIVERY.c.event != Event.ESCALATED.value,
        DELIVERY.c.wanted_channel == row.wanted_channel,
    )


def _is_told_by_email_anyway(connection: Connection, row: Row[Any]) -> bool:
    return _exists(
        connection,
        row,
        DELIVERY.c.event == row.event,
        DELIVERY.c.severity == row.severity,
        DELIVERY.c.wanted_channel == Channel.EMAIL.value,
    )


def _exists(connection: Connection, row: Row[Any], *conditions: Any) -> bool:
    other = select(DELIVERY.c.id).where(
        DELIVERY.c.alert_id == row.alert_id,
        DELIVERY.c.recipient == row.recipient,
        DELIVERY.c.state != _FOLDED,
        *conditions,
    )
    return connection.execute(other.limit(1)).one_or_none() is not None


def _notice(connection: Connection, row: Row[Any]) -> Notice:
    affected: Sequence[str] = (
        connection.execute(
            select(ALERT.c.body).where(ALERT.c.root_id == row.alert_id).order_by(ALERT.c.id)
        )
        .scalars()
        .all()
    )
    return Notice(
        alert=Alert.model_validate_json(row.body),
        event=Event(row.event),
        occurrences=row.occurrences,
        first_raised_at=row.first_raised_at,
        last_raised_at=row.last_raised_at,
        resolved_at=row.resolved_at,
        affected=tuple(Alert.model_validate_json(body).subject for body in affected),
    )
