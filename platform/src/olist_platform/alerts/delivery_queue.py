"""The delivering side of the outbox: take a message, record what became of it.

Nothing is sent inside a transaction: a message is claimed, sent, and recorded. A process that dies
between sending and recording leaves a claim that runs out; its message is then sent a second time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from olist_platform.alerts.kinds import Channel, Severity
from olist_platform.alerts.notice import Dispatch, Event, Notice, Timing
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.outbox_rows import FOLDED, SENT, WAITING, alert_of
from olist_platform.alerts.outbox_tables import ALERT, CHANNEL_HOLD, DELIVERY
from olist_platform.alerts.schedule import after_quiet_hours, retry_delay
from olist_platform.environment import Environment
from olist_platform.naming import EnvironmentName

# A claim outlives the slowest try by far, and a dead process by minutes only.
_CLAIM_TIMEOUTS = 20
# Slack takes 50 blocks; a gathered notice needs one, head and foot a few.
MOST_NOTICES_IN_A_MESSAGE = 40


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not go.

    Attributes:
        reason: What the channel said.
        is_permanent: Whether the same message will never go on this channel.
    """

    reason: str
    is_permanent: bool = False


class DeliveryQueue:
    """What an outbox still has to tell, for processes that deliver."""

    def __init__(self, database: OutboxDatabase, environment: Environment) -> None:
        self._database = database
        self._environment = environment.name
        self._settings = environment.alerts

    def claim(self, started: datetime, now: datetime, claimant: str) -> Dispatch | None:
        """Take the next message that was due when the pass started, for this process alone.

        What may not go now (quiet hours, rate limit, a channel on hold) is given a later time.
        """
        with self._database.transaction() as connection:
            holds = {row.channel: row.until for row in connection.execute(select(CHANNEL_HOLD))}
            claimable = _claimable(started, now)
            # What is given a later time is due no more when the next one is looked for.
            while (row := connection.execute(claimable.limit(1)).one_or_none()) is not None:
                later = self._not_before(connection, row, holds, now)
                if later is None:
                    rows = self._together_with(connection, row, claimable, now)
                    return self._claimed(connection, rows, now, claimant)
                connection.execute(update(DELIVERY).where(DELIVERY.c.id == row.id).values(**later))
        return None

    def record_sent(self, dispatch: Dispatch, now: datetime, claimant: str) -> None:
        """Record that a message went."""
        with self._database.transaction() as connection:
            connection.execute(
                update(DELIVERY)
                .where(*_still_claimed(dispatch, claimant))
                .values(
                    state=SENT,
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
            for row in _claimed_rows(connection, dispatch, claimant):
                change = self._after_failure(connection, row, failure, now)
                _give_back(connection, row, failure.reason, change)

    def hold(self, dispatch: Dispatch, until: datetime, reason: str, claimant: str) -> None:
        """Record that a channel asked to be left alone; its messages wait and lose no try.

        What would be overdue by then goes by e-mail.
        """
        with self._database.transaction() as connection:
            connection.execute(
                delete(CHANNEL_HOLD).where(CHANNEL_HOLD.c.channel == dispatch.channel)
            )
            connection.execute(
                insert(CHANNEL_HOLD).values(channel=dispatch.channel.value, until=until)
            )
            for row in _claimed_rows(connection, dispatch, claimant):
                change = self._during_hold(connection, row, until)
                _give_back(connection, row, reason, change)

    def _not_before(
        self, connection: Connection, row: Row[Any], holds: dict[str, datetime], now: datetime
    ) -> dict[str, Any] | None:
        """Return what to change in a delivery that may not go now, or None if it may."""
        until = holds.get(row.channel)
        if until is not None and until > now:
            return self._during_hold(connection, row, until)
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

    def _during_hold(
        self, connection: Connection, row: Row[Any], until: datetime
    ) -> dict[str, Any]:
        """Return what to change in a delivery whose channel takes nothing before a moment."""
        longest = timedelta(minutes=self._settings.delivery.backlog_minutes)
        if row.channel == Channel.SLACK and until - row.wanted_at > longest:
            return _by_email(connection, row)
        return {"due_at": until}

    def _room_at(self, connection: Connection, row: Row[Any], now: datetime) -> datetime | None:
        """Return when the rate limit lets one more message through, or None if it does now."""
        limit = self._settings.rate_limit
        window = timedelta(minutes=limit.per_minutes)
        went = select(func.min(func.coalesce(DELIVERY.c.sent_at, DELIVERY.c.due_at))).where(
            DELIVERY.c.recipient == row.recipient,
            DELIVERY.c.channel == row.channel,
            DELIVERY.c.timing != Timing.DIGEST.value,
            (DELIVERY.c.sent_at > now - window)
            | ((DELIVERY.c.state == WAITING) & (DELIVERY.c.claimed_until > now)),
        )
        moments: list[datetime] = sorted(
            connection.execute(went.group_by(DELIVERY.c.message_id)).scalars()
        )
        if len(moments) < limit.messages:
            return None
        return max(moments[-limit.messages] + window, now + timedelta(microseconds=1))

    def _together_with(
        self, connection: Connection, row: Row[Any], claimable: Select[Any], now: datetime
    ) -> list[Row[Any]]:
        """Return the deliveries that go in one message with this one."""
        if row.timing == Timing.AT_ONCE:
            return [row]
        same = claimable.where(
            DELIVERY.c.recipient == row.recipient,
            DELIVERY.c.channel == row.channel,
            DELIVERY.c.wanted_channel == row.wanted_channel,
            DELIVERY.c.timing == row.timing,
        )
        return [
            other
            for other in connection.execute(same.limit(MOST_NOTICES_IN_A_MESSAGE))
            if after_quiet_hours(now, Severity(other.severity), self._settings) <= now
        ]

    def _claimed(
        self, connection: Connection, rows: Sequence[Row[Any]], now: datetime, claimant: str
    ) -> Dispatch:
        ids = tuple(row.id for row in rows)
        first = rows[0]
        digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]
        message_id = f"{self._environment}-{first.id}-{digest}"
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
            notices=tuple(_notice(connection, row, self._environment) for row in rows),
            message_id=message_id,
            stands_in=first.channel != first.wanted_channel,
        )

    def _after_failure(
        self, connection: Connection, row: Row[Any], failure: Failure, now: datetime
    ) -> dict[str, Any]:
        if _is_told_by_a_later_one(connection, row):
            return {"state": FOLDED}
        failures = row.failures + 1
        delivery = self._settings.delivery
        is_given_up = failure.is_permanent or failures >= delivery.slack_tries
        if row.channel == Channel.SLACK and is_given_up:
            return _by_email(connection, row)
        return {"failures": failures, "due_at": now + retry_delay(failures, delivery)}


def _claimable(started: datetime, now: datetime) -> Select[Any]:
    """Ask for deliveries that are due, with their alerts, oldest first.

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
            former.c.state == WAITING,
            former.c.id < DELIVERY.c.id,
        )
        .exists()
    )
    return (
        select(
            DELIVERY,
            ALERT.c.body,
            ALERT.c.fingerprint,
            ALERT.c.occurrences,
            ALERT.c.first_raised_at,
            ALERT.c.last_raised_at,
            ALERT.c.resolved_at,
        )
        .join(ALERT, ALERT.c.id == DELIVERY.c.alert_id)
        .where(
            DELIVERY.c.state == WAITING,
            DELIVERY.c.due_at <= started,
            DELIVERY.c.claimed_until.is_(None) | (DELIVERY.c.claimed_until <= now),
            ~waits_for_another,
        )
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
    )


def _still_claimed(dispatch: Dispatch, claimant: str) -> tuple[Any, ...]:
    return (
        DELIVERY.c.id.in_(dispatch.delivery_ids),
        DELIVERY.c.claimed_by == claimant,
        DELIVERY.c.state == WAITING,
    )


def _claimed_rows(connection: Connection, dispatch: Dispatch, claimant: str) -> Sequence[Row[Any]]:
    """Return the deliveries of a message that its process still holds."""
    return connection.execute(select(DELIVERY).where(*_still_claimed(dispatch, claimant))).all()


def _give_back(
    connection: Connection, row: Row[Any], reason: str, change: Mapping[str, Any]
) -> None:
    """Record why a claimed delivery did not go and what becomes of it; nobody holds it any more."""
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id == row.id)
        .values(last_error=reason, claimed_by=None, claimed_until=None, **change)
    )


def _by_email(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """Return what to change in a delivery that Slack does not take."""
    if _is_told_by_email_anyway(connection, row):
        return {"state": FOLDED}
    return {"channel": Channel.EMAIL.value, "failures": 0}


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
        DELIVERY.c.state != FOLDED,
        *conditions,
    )
    return connection.execute(other.limit(1)).one_or_none() is not None


def _notice(connection: Connection, row: Row[Any], environment: EnvironmentName) -> Notice:
    affected = connection.execute(
        select(ALERT).where(ALERT.c.root_id == row.alert_id).order_by(ALERT.c.id)
    ).all()
    return Notice(
        alert=alert_of(row, environment),
        event=Event(row.event),
        occurrences=row.occurrences,
        first_raised_at=row.first_raised_at,
        last_raised_at=row.last_raised_at,
        resolved_at=row.resolved_at,
        affected=tuple(alert_of(each, environment).subject for each in affected),
    )
