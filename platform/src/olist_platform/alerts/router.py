"""The entry points of alerts: DAG callbacks and checks raise and resolve, one task delivers.

Raising and resolving only write to the outbox: they take milliseconds, and a Slack that is down
cannot fail the task that calls them.
"""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.channel_errors import (
    ChannelDownError,
    HoldError,
    NotSentError,
    RefusedError,
)
from olist_platform.alerts.channels import Send, channels
from olist_platform.alerts.delivery_queue import DeliveryQueue, Failure
from olist_platform.alerts.kinds import Channel
from olist_platform.alerts.notice import Dispatch, Timing
from olist_platform.alerts.outbox import Outbox, Raised
from olist_platform.alerts.outbox_database import alerts_folder, open_database
from olist_platform.alerts.pii_guard import masked
from olist_platform.alerts.wording import headline, word
from olist_platform.environment import Environment

Clock = Callable[[], datetime]

_log = logging.getLogger(__name__)
_passes = count()
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message in a pass.

    Attributes:
        recipient: Name of the recipient in the settings.
        channel: The channel that was tried.
        title: What it told, in a line.
        problem: Why it did not go; None when it did.
    """

    recipient: str
    channel: Channel
    title: str
    problem: str | None = None


@dataclass(slots=True)
class DeliveryReport:
    """What a pass did: every message it took up, in order."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def sent(self) -> list[Outcome]:
        """The messages that went."""
        return [outcome for outcome in self.outcomes if outcome.problem is None]

    @property
    def not_sent(self) -> list[Outcome]:
        """The tries that failed; their messages wait for another time or went by e-mail."""
        return [outcome for outcome in self.outcomes if outcome.problem is not None]


def raise_alert(environment: Environment, alert: Alert, now: datetime) -> Raised:
    """Record an alert, and who is to be told of it; `deliver_due` tells them.

    Raise it as often as its condition is found: while it is open it is counted, and told again only
    where it has become worse.

    Args:
        environment: Where it happened; its settings decide who is told.
        alert: What happened.
        now: The moment, with a time zone.

    Raises:
        OlistError: The outbox cannot be written.
        ValueError: The alert is of another environment.
    """
    if alert.environment is not environment.name:
        raise ValueError(f"an alert of {alert.environment} was raised in {environment.name}")
    return open_outbox(environment).raise_alert(alert, now)


def resolve(environment: Environment, fingerprint: str, now: datetime) -> bool:
    """Record that what an alert told of is over; `deliver_due` tells whoever was told of it.

    Resolve whenever the condition is found gone: without an open alert it changes nothing. Alerts
    that only followed from it are resolved with it.

    Args:
        environment: Where it happened.
        fingerprint: Identity of the alert, from `alert.fingerprint_of`.
        now: The moment, with a time zone.

    Returns:
        Whether an alert was open.

    Raises:
        OlistError: The outbox cannot be written.
    """
    return open_outbox(environment).resolve(fingerprint, now)


def deliver_due(environment: Environment, clock: Clock) -> DeliveryReport:
    """Send everything that is due; what does not go is given another time or channel.

    Several processes may do it at once. One that dies after sending a message and before recording
    it leaves that message to be sent again: at least once, and once in every other case.

    Args:
        environment: Whose outbox.
        clock: Returns the moment, with a time zone.

    Raises:
        OlistError: The outbox cannot be read or written.
    """
    queue = DeliveryQueue(open_database(environment), environment)
    return deliver(queue, environment, clock, delivered_folder(environment))


def open_outbox(environment: Environment) -> Outbox:
    """Open an environment's outbox; it is made where there is none.

    Raises:
        OlistError: Its database cannot be reached or written.
    """
    return Outbox(open_database(environment), environment)


def delivered_folder(environment: Environment) -> Path:
    """Folder of the messages of an environment without Slack or mail server."""
    return alerts_folder(environment) / "delivered"


def deliver(
    queue: DeliveryQueue, environment: Environment, clock: Clock, folder: Path
) -> DeliveryReport:
    """Send everything that is due in a queue; see `deliver_due`."""
    settings = environment.alerts
    claimant = f"{socket.gethostname()[:40]}:{os.getpid()}:{next(_passes)}"
    send = channels(settings, folder)
    down: dict[Channel, str] = {}
    report = DeliveryReport()
    started = clock()
    while dispatch := queue.claim(started, clock(), claimant):
        channel = dispatch.channel
        error = (
            ChannelDownError(down[channel])
            if channel in down
            else _try_to_send(send[channel], dispatch, clock())
        )
        problem = None if error is None else masked(str(error))[:_LONGEST_REASON]
        match error:
            case None:
                queue.record_sent(dispatch, clock(), claimant)
            case HoldError(wait=wait):
                queue.hold(dispatch, clock() + wait, str(problem), claimant)
            case _:
                if isinstance(error, ChannelDownError):
                    down[channel] = str(problem)
                failure = Failure(str(problem), is_permanent=isinstance(error, RefusedError))
                queue.record_failure(dispatch, failure, clock(), claimant)
        title = _title(dispatch, environment)
        report.outcomes.append(Outcome(dispatch.recipient, channel, title, problem))
    return report


def _try_to_send(send: Send, dispatch: Dispatch, now: datetime) -> NotSentError | None:
    """Send a message; return why it did not go, or None if it did."""
    try:
        send(dispatch, now)
    except NotSentError as error:
        return error
    except Exception as error:
        # A message that cannot even be made must not keep all others from going.
        _log.exception("message %s cannot be made", dispatch.message_id)
        return RefusedError(f"{type(error).__name__}: {error}")
    return None


def _title(dispatch: Dispatch, environment: Environment) -> str:
    if dispatch.timing is Timing.AT_ONCE:
        return word(dispatch.notices[0], environment.alerts).title
    return headline(dispatch)
