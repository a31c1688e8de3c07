"""What one person is told: an alert as it stands, or several of them in one message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Channel


class Event(StrEnum):
    """Why somebody is told."""

    RAISED = "raised"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Timing(StrEnum):
    """When somebody is told.

    `gathered` is what the rate limit held back: all of it goes in one message.
    """

    AT_ONCE = "at_once"
    DIGEST = "digest"
    GATHERED = "gathered"


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as it stands when somebody is told of it.

    Attributes:
        alert: As it was raised last.
        event: Why somebody is told.
        occurrences: How often it was raised since it opened.
        first_raised_at: When it opened, UTC.
        last_raised_at: When it was raised last, UTC.
        resolved_at: When it was resolved, UTC; None while it is open.
        affected: Subjects of the alerts that only follow from it, such as skipped tasks.
    """

    alert: Alert
    event: Event
    occurrences: int
    first_raised_at: datetime
    last_raised_at: datetime
    resolved_at: datetime | None = None
    affected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One message to one recipient, claimed by one process.

    Attributes:
        delivery_ids: The deliveries it makes, all of them or none.
        recipient: Name of the recipient in the settings.
        channel: The channel of this try.
        timing: Why it goes now; at once means one notice.
        notices: What it tells, oldest first.
        message_id: The same for the same deliveries, however often they are tried.
        stands_in: Whether it goes by e-mail because Slack did not take it.
    """

    delivery_ids: tuple[int, ...]
    recipient: str
    channel: Channel
    timing: Timing
    notices: tuple[Notice, ...]
    message_id: str
    stands_in: bool
