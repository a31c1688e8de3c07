"""The words of a notice, the same on Slack and in an e-mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from olist_platform.alerts.alert_settings import AlertSettings
from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.notice import Dispatch, Event, Notice, Timing

_AFFECTED_NAMED = 5
_MINUTES_IN_A_DAY = 24 * 60
_REPOSITORY_RUNBOOKS = "platform/docs/runbooks"


@dataclass(frozen=True, slots=True)
class Link:
    """Where to look. A target without http is a path in the checkout."""

    label: str
    target: str

    @property
    def is_web_address(self) -> bool:
        """Whether a browser can open it."""
        return self.target.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice in words.

    Attributes:
        mark: The state in a word of capitals: CRITICAL, RESOLVED.
        title: One line that says it all.
        summary: What happened.
        facts: Label and value, in the order to read them.
        details: Lines that help.
        links: Where to look.
    """

    mark: str
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    details: tuple[str, ...]
    links: tuple[Link, ...]


def word(notice: Notice, settings: AlertSettings) -> Wording:
    """Put a notice into words."""
    alert = notice.alert
    mark = _mark(notice)
    return Wording(
        mark=mark,
        title=f"{mark} {alert.kind.label}: {alert.subject}",
        summary=f"This is over. It was: {alert.summary}"
        if notice.event is Event.RESOLVED
        else alert.summary,
        facts=tuple(_facts(notice, settings)),
        details=alert.details,
        links=tuple(_links(notice, settings)),
    )


def headline(dispatch: Dispatch) -> str:
    """Return the title of a message of several notices."""
    count = len(dispatch.notices)
    environment = dispatch.notices[0].alert.environment
    alerts = f"{count} alert{'' if count == 1 else 's'}"
    if dispatch.timing is Timing.DIGEST:
        return f"Digest of {environment}: {alerts}"
    return f"{alerts} of {environment} at once, gathered by the rate limit"


def stand_in_remark(dispatch: Dispatch, settings: AlertSettings) -> str | None:
    """Return why a message for Slack comes by e-mail, or None if it does not."""
    if not dispatch.stands_in:
        return None
    channel = settings.recipients[dispatch.recipient].slack
    return f"Slack did not take this message for {channel}, so it comes by e-mail."


def moment_text(moment: datetime, settings: AlertSettings) -> str:
    """Write a moment in the environment's time zone: `2018-09-03 04:12 -03`."""
    return moment.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M %Z")


def duration_text(duration: timedelta) -> str:
    """Write a duration in its two largest units: `1 d 3 h`, `2 h 5 min`, `under a minute`."""
    minutes = int(duration.total_seconds() // 60)
    days, rest = divmod(minutes, _MINUTES_IN_A_DAY)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    while parts and parts[0][0] == 0:
        parts.pop(0)
    told = [f"{number} {unit}" for number, unit in parts[:2] if number]
    return " ".join(told) or "under a minute"


def _mark(notice: Notice) -> str:
    match notice.event:
        case Event.RESOLVED:
            return "RESOLVED"
        case Event.ESCALATED:
            return "STILL OPEN"
        case Event.RAISED:
            return notice.alert.severity.upper()


def _facts(notice: Notice, settings: AlertSettings) -> list[tuple[str, str]]:
    alert = notice.alert
    facts = [("Environment", alert.environment.value), ("Severity", alert.severity.value)]
    if alert.measurement:
        facts.append(("Value", alert.measurement.describe_value()))
        facts.append(("Expected", alert.measurement.describe_expectation()))
    facts.append(("Owner", alert.owner))
    facts.append(("Since", moment_text(notice.first_raised_at, settings)))
    if notice.resolved_at:
        lasted = duration_text(notice.resolved_at - notice.first_raised_at)
        facts.append(("Resolved", f"{moment_text(notice.resolved_at, settings)}, after {lasted}"))
    if notice.occurrences > 1:
        last = moment_text(notice.last_raised_at, settings)
        facts.append(("Seen", f"{notice.occurrences} times, last {last}"))
    if notice.affected:
        facts.append(("Held up by it", _some_of(notice.affected)))
    return facts


def _some_of(names: tuple[str, ...]) -> str:
    named = ", ".join(names[:_AFFECTED_NAMED])
    more = len(names) - _AFFECTED_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _links(notice: Notice, settings: AlertSettings) -> list[Link]:
    alert = notice.alert
    links = []
    runbooks = settings.links.runbooks or _REPOSITORY_RUNBOOKS
    if alert.log:
        links.append(Link("Log", alert.log))
    docs = alert.docs or settings.links.docs
    if docs:
        links.append(Link("Docs", docs))
    links.append(Link("Runbook", f"{runbooks.rstrip('/')}/{alert.signal.runbook}"))
    return links


def worst_open(dispatch: Dispatch) -> Severity | None:
    """Return the worst severity among a message's notices that are not resolved."""
    return Severity.worst(
        notice.alert.severity for notice in dispatch.notices if notice.event is not Event.RESOLVED
    )
