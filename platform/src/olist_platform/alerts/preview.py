"""An alert as it would be routed and rendered, in text; nothing is stored or sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.alert_settings import AlertSettings, Target
from olist_platform.alerts.email_message import email_message
from olist_platform.alerts.kinds import Channel
from olist_platform.alerts.notice import Dispatch, Event, Notice, Timing
from olist_platform.alerts.routing import PlannedDelivery, plan_deliveries
from olist_platform.alerts.slack_message import slack_message
from olist_platform.alerts.wording import moment_text

_SENDER = "olist-platform@olist.example"


@dataclass(frozen=True, slots=True)
class PreviewedMessage:
    """A message in text.

    Attributes:
        channel: How it would travel.
        address: Slack channel or e-mail address.
        due: When it would go, in words.
        text: What it would say.
    """

    channel: Channel
    address: str
    due: str
    text: str


def preview(alert: Alert, settings: AlertSettings, now: datetime) -> list[PreviewedMessage]:
    """Return the messages an alert would lead to, if it were raised now."""
    return [
        _previewed(planned, alert, settings, now)
        for planned in plan_deliveries(alert.kind, alert.severity, settings, now)
    ]


def rendered(notice: Notice, target: Target, settings: AlertSettings) -> str:
    """Return a notice as its target would read it."""
    return rendered_dispatch(single_dispatch(notice, target), settings)


def rendered_dispatch(dispatch: Dispatch, settings: AlertSettings) -> str:
    """Return a message as its recipient would read it."""
    if dispatch.channel is Channel.SLACK:
        return slack_as_text(slack_message(dispatch, settings))
    message = email_message(dispatch, settings, _SENDER)
    text = next(message.iter_parts()).get_content()
    return f"Subject: {message['Subject']}\n\n{text}".rstrip()


def single_dispatch(notice: Notice, target: Target) -> Dispatch:
    """Return the message of one notice to one target, of no outbox."""
    return Dispatch(
        delivery_ids=(0,),
        recipient=target.recipient,
        channel=target.channel,
        timing=Timing.AT_ONCE,
        notices=(notice,),
        message_id=f"preview-{notice.alert.fingerprint}",
        stands_in=False,
    )


def slack_as_text(message: dict[str, Any]) -> str:
    """Return Slack's blocks as lines of text, buttons in brackets."""
    return "\n\n".join(_block_as_text(block) for block in message["blocks"])


def _previewed(
    planned: PlannedDelivery, alert: Alert, settings: AlertSettings, now: datetime
) -> PreviewedMessage:
    recipient = settings.recipients[planned.target.recipient]
    notice = Notice(alert, planned.event, 1, now, now)
    is_slack = planned.target.channel is Channel.SLACK
    return PreviewedMessage(
        channel=planned.target.channel,
        address=recipient.slack if is_slack else recipient.email,
        due=_due(planned, settings, now),
        text=rendered(notice, planned.target, settings),
    )


def _due(planned: PlannedDelivery, settings: AlertSettings, now: datetime) -> str:
    moment = moment_text(planned.due_at, settings)
    if planned.event is Event.ESCALATED:
        return f"if still open at {moment}"
    if planned.timing is Timing.DIGEST:
        return f"in the digest of {moment}"
    return "at once" if planned.due_at <= now else f"after quiet hours, {moment}"


def _block_as_text(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return str(block["text"]["text"])
        case "section" if "fields" in block:
            return "\n".join(field["text"].replace("*\n", "*  ") for field in block["fields"])
        case "section":
            return str(block["text"]["text"]).replace("```", "")
        case "actions":
            return "\n".join(
                f"[{button['text']['text']}] {button['url']}" for button in block["elements"]
            )
        case _:
            return "\n".join(element["text"] for element in block["elements"])
