"""How a message leaves: Slack's Web API, an SMTP server, or files where an environment has neither.

A channel tries once. When to try again is the outbox's business, because it outlives a process.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from olist_platform.alerts.alert_settings import AlertSettings, SlackApi, SmtpServer
from olist_platform.alerts.channel_errors import (
    ChannelDownError,
    HoldError,
    NotSentError,
    RefusedError,
)
from olist_platform.alerts.email_message import email_message
from olist_platform.alerts.kinds import Channel
from olist_platform.alerts.notice import Dispatch
from olist_platform.alerts.slack_message import slack_message
from olist_platform.alerts.smtp_transport import LOCAL_SENDER, secret_of, send_by_smtp
from olist_platform.errors import OlistError, os_errors_explained

Send = Callable[[Dispatch, datetime], None]

_DEFAULT_RETRY_AFTER = timedelta(seconds=60)
# What Slack answers to a message that it would refuse again: the message or its channel is wrong.
_SLACK_REFUSALS = frozenset(
    {
        "cannot_reply_to_message",
        "channel_not_found",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "is_archived",
        "markdown_text_conflict",
        "messages_tab_disabled",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "not_in_channel",
        "restricted_action",
        "too_many_attachments",
    }
)


def channels(settings: AlertSettings, folder: Path) -> dict[Channel, Send]:
    """Return how to send by each channel.

    Args:
        settings: The environment's alerts.
        folder: Where messages are written that have no channel to leave by.
    """
    slack, smtp = settings.slack, settings.email
    return {
        Channel.SLACK: partial(_post_to_slack, settings, slack)
        if slack
        else partial(_write_slack_message, settings, folder),
        Channel.EMAIL: partial(_send_by_smtp, settings, smtp)
        if smtp
        else partial(_write_email, settings, folder),
    }


def _post_to_slack(
    settings: AlertSettings, slack: SlackApi, dispatch: Dispatch, now: datetime
) -> None:
    # It takes a moment to import, and an environment without Slack never needs it.
    from slack_sdk import WebClient  # noqa: PLC0415
    from slack_sdk.errors import SlackApiError, SlackClientError  # noqa: PLC0415

    del now
    client = WebClient(
        token=secret_of(slack.token),
        base_url=slack.api_url,
        timeout=_whole_seconds(settings.delivery.timeout_seconds),
        # Its own second try could post twice, and would be one that the outbox does not know of.
        retry_handlers=[],
    )
    try:
        client.chat_postMessage(
            channel=settings.recipients[dispatch.recipient].slack,
            **slack_message(dispatch, settings),
            unfurl_links=False,
            metadata={
                "event_type": "olist_alert",
                "event_payload": {"message_id": dispatch.message_id},
            },
        )
    except SlackApiError as error:
        raise _slack_error(error) from error
    except (SlackClientError, OSError, ValueError) as error:
        raise ChannelDownError(f"Slack cannot be reached: {error}") from error


def _slack_error(error: Exception) -> NotSentError:
    response = error.response  # type: ignore[attr-defined] # SlackApiError, imported late
    status = int(response.status_code)
    answer = str(response.get("error") or "no error named").splitlines()[0][:200]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HoldError(_retry_after(headers.get("retry-after")))
    if status != HTTPStatus.OK:
        return ChannelDownError(f"Slack answered {status}: {answer}")
    reason = f"Slack answered: {answer}"
    return RefusedError(reason) if answer in _SLACK_REFUSALS else NotSentError(reason)


def _retry_after(seconds: str | None) -> timedelta:
    if seconds is not None and seconds.strip().isdigit():
        return timedelta(seconds=max(int(seconds), 1))
    return _DEFAULT_RETRY_AFTER


def _send_by_smtp(
    settings: AlertSettings, smtp: SmtpServer, dispatch: Dispatch, now: datetime
) -> None:
    message = _dated(dispatch, settings, smtp.sender, now)
    send_by_smtp(smtp, message, settings.delivery.timeout_seconds)


def _write_slack_message(
    settings: AlertSettings, folder: Path, dispatch: Dispatch, now: datetime
) -> None:
    del now
    channel = settings.recipients[dispatch.recipient].slack
    content = {"channel": channel, **slack_message(dispatch, settings)}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    _write(folder / f"{dispatch.message_id}.slack.json", text.encode())


def _write_email(settings: AlertSettings, folder: Path, dispatch: Dispatch, now: datetime) -> None:
    message = _dated(dispatch, settings, LOCAL_SENDER, now)
    _write(folder / f"{dispatch.message_id}.eml", message.as_bytes(policy=SMTP_POLICY))


def _dated(dispatch: Dispatch, settings: AlertSettings, sender: str, now: datetime) -> EmailMessage:
    message = email_message(dispatch, settings, sender)
    message["Date"] = format_datetime(now)
    return message


def _write(path: Path, content: bytes) -> None:
    partial_path = path.with_name(f"{path.name}.part")
    try:
        with os_errors_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial_path.write_bytes(content)
            partial_path.replace(path)
    except OlistError as error:
        raise ChannelDownError(error.message) from error


def _whole_seconds(seconds: float) -> int:
    return max(round(seconds), 1)
