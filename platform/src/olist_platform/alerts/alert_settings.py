"""The section `alerts` of an environment: who is told of what, when, and by which channel.

Every key is required; `null` stands where an environment has none of it.
"""

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from olist_platform.alerts.kinds import AlertKind, Channel, Severity
from olist_platform.settings_model import SecretReference, Settings

Hour = Annotated[int, Field(ge=0, le=23)]
EmailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]


class SlackApi(Settings):
    """Slack's Web API.

    Attributes:
        api_url: Its base address, `https://slack.com/api/` unless a test's sink.
        token: Bot token with the scope chat:write, invited to the channels of the recipients.
    """

    api_url: WebAddress
    token: SecretReference


class SmtpServer(Settings):
    """The mail server.

    Attributes:
        starttls: Whether the connection must be encrypted before anything is said.
        user: Who logs in, or null where the server asks nobody.
        password: Its password, or null likewise.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    starttls: bool
    user: str | None
    password: SecretReference | None
    sender: EmailAddress

    @model_validator(mode="after")
    def _user_and_password_belong_together(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password are both given or both null")
        return self


class Recipient(Settings):
    """People who are told together.

    Attributes:
        slack: Their Slack channel.
        email: Address of their group; what Slack does not take goes there too.
    """

    slack: Annotated[str, Field(pattern=r"^#[a-z0-9_-]{1,79}$")]
    email: EmailAddress


class Target(Settings):
    """A recipient and the channel to reach it, written `slack: data_platform`."""

    channel: Channel
    recipient: str

    def __str__(self) -> str:
        return f"{self.channel}: {self.recipient}"

    @model_validator(mode="before")
    @classmethod
    def _read_the_short_form(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            ((channel, recipient),) = value.items()
            if channel in set(Channel):
                return {"channel": channel, "recipient": recipient}
        if isinstance(value, dict) and set(value) == {"channel", "recipient"}:
            return value
        raise ValueError("expected {slack: <recipient>} or {email: <recipient>}")


class Route(Settings):
    """Who is told of a kind of alert.

    Attributes:
        to: Who is told.
        at_once_from: Least severity that is told at once; what is smaller waits for the digest.
        escalation: Who is told too when a critical alert stays open for `escalate_after_minutes`.
    """

    to: Annotated[tuple[Target, ...], Field(min_length=1)]
    at_once_from: Severity
    escalation: tuple[Target, ...]


class Routes(Settings):
    """The route of every kind."""

    pipeline_failure: Route
    data_quality: Route
    cost_overrun: Route
    sla_breach: Route
    anomaly: Route
    fraud: Route
    system_health: Route

    def of(self, kind: AlertKind) -> Route:
        """Return the route of a kind."""
        route: Route = getattr(self, kind.value)
        return route


class QuietHours(Settings):
    """When people sleep, hours of `time_zone`; an end before the start lies on the next day.

    Attributes:
        start: First quiet hour.
        end: First hour after them.
        let_through_from: Least severity that wakes people all the same.
    """

    start: Hour
    end: Hour
    let_through_from: Severity

    @model_validator(mode="after")
    def _have_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same hour; write quiet_hours: null for none")
        return self


class RateLimit(Settings):
    """How many messages a recipient gets on a channel; critical ones and digests never wait.

    What is too many is gathered into one message as soon as there is room.
    """

    messages: Annotated[int, Field(ge=1)]
    per_minutes: Annotated[int, Field(ge=1)]


class Delivery(Settings):
    """How hard delivery tries.

    Attributes:
        timeout_seconds: What a channel may take for one message.
        first_retry_seconds: Delay after the first failure; it doubles each time.
        longest_retry_minutes: No delay is longer. Tries never end.
        slack_tries: Failures on Slack after which a message goes by e-mail.
        backlog_messages: So many overdue messages are a fault of delivery itself.
        backlog_minutes: So is one that is overdue so long; what Slack's rate limit would hold up
            for longer goes by e-mail.
    """

    timeout_seconds: Annotated[float, Field(gt=0, le=60)]
    first_retry_seconds: Annotated[int, Field(ge=1)]
    longest_retry_minutes: Annotated[int, Field(ge=1)]
    slack_tries: Annotated[int, Field(ge=1)]
    backlog_messages: Annotated[int, Field(ge=1)]
    backlog_minutes: Annotated[int, Field(ge=1)]


class AlertLinks(Settings):
    """Where links of a message lead.

    Attributes:
        docs: The page `olist docs build` writes, where it is served; null where it is a file.
        runbooks: Folder of the runbooks, where it is served; null for the checkout's own.
    """

    docs: WebAddress | None
    runbooks: WebAddress | None


class AlertSettings(Settings):
    """Who is told of what, when, and by which channel.

    Attributes:
        outbox: Variable that holds the outbox's database as an SQLAlchemy address; null for a
            SQLite file in the environment's state folder.
        slack: Slack, or null: its messages are written to files of the state folder.
        email: The mail server, or null likewise.
        time_zone: Zone of quiet hours and digest, and of every time a message names.
        digest_hour: When the small alerts of a day are told, together.
        escalate_after_minutes: How long a critical alert may stay open before its route's
            escalation is told.
    """

    outbox: SecretReference | None
    slack: SlackApi | None
    email: SmtpServer | None
    links: AlertLinks
    time_zone: str
    quiet_hours: QuietHours | None
    digest_hour: Hour
    rate_limit: RateLimit
    escalate_after_minutes: Annotated[int, Field(ge=0)]
    delivery: Delivery
    recipients: dict[str, Recipient]
    routes: Routes

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is no time zone; write one such as America/Sao_Paulo")
        return value

    @model_validator(mode="after")
    def _routes_lead_to_recipients(self) -> Self:
        named = set()
        for kind in AlertKind:
            route = self.routes.of(kind)
            for target in (*route.to, *route.escalation):
                named.add(target.recipient)
                if target.recipient not in self.recipients:
                    raise ValueError(
                        f"routes.{kind}: recipients has no '{target.recipient}';"
                        f" it has: {', '.join(self.recipients) or 'none'}"
                    )
        if unused := set(self.recipients) - named:
            raise ValueError(f"recipients: no route leads to {', '.join(sorted(unused))}")
        return self

    @model_validator(mode="after")
    def _the_digest_wakes_nobody(self) -> Self:
        if self.quiet_hours and is_within(
            self.digest_hour, self.quiet_hours.start, self.quiet_hours.end
        ):
            raise ValueError(f"digest_hour: {self.digest_hour} lies in the quiet hours")
        return self


def is_within(hour: int, start: int, end: int) -> bool:
    """Whether an hour of the day lies from start to before end, over midnight if need be."""
    return start <= hour < end if start < end else hour >= start or hour < end
