"""The page of examples: every signal, its route and its message, as production would send it."""

from dataclasses import replace
from pathlib import Path

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.alert_settings import Target
from olist_platform.alerts.examples import (
    EXAMPLE_MOMENT,
    example_alerts,
    example_digest,
    example_notices,
)
from olist_platform.alerts.kinds import Channel, Signal
from olist_platform.alerts.notice import Dispatch, Event, Timing
from olist_platform.alerts.preview import (
    PreviewedMessage,
    preview,
    rendered,
    rendered_dispatch,
    single_dispatch,
)
from olist_platform.environment import Environment
from olist_platform.errors import os_errors_explained
from olist_platform.repository import repository_root

_HEAD = """# Every alert, as {environment} sends it

Written by `olist alerts examples`; a test proves that it is current. Figures are invented.
Slack messages are shown as text, with their buttons in brackets. `olist alerts test prod` shows the
same on a terminal, with today's times. None of it was sent to a real Slack workspace.

| signal | kind | who is told |
| --- | --- | --- |
"""
_CHANNELS = {Channel.SLACK: "Slack", Channel.EMAIL: "E-mail"}
_OTHER_FORMS = {
    Event.RAISED: "Raised again while open, with the tasks it holds up",
    Event.ESCALATED: "Still open after the time to escalate",
    Event.RESOLVED: "Resolved",
}


def examples_page_path() -> Path:
    """Path of the page in the checkout."""
    return repository_root() / "platform" / "docs" / "alert-examples.md"


def write_examples_page(environment: Environment) -> Path:
    """Write the page and return its path.

    Raises:
        OlistError: It cannot be written.
    """
    path = examples_page_path()
    with os_errors_explained(path):
        path.write_text(examples_page(environment), encoding="utf-8")
    return path


def examples_page(environment: Environment) -> str:
    """Return the page, in Markdown."""
    alerts = [
        (alert, preview(alert, environment.alerts, EXAMPLE_MOMENT))
        for alert in example_alerts(environment.name)
    ]
    target = Target(channel=Channel.SLACK, recipient="data_platform")
    parts = [
        _HEAD.format(environment=environment.name)
        + "\n".join(_row(alert, messages) for alert, messages in alerts)
        + "\n",
        *(_section(alert, messages) for alert, messages in alerts),
        "## Other forms of a message\n",
        *(
            _fenced(_OTHER_FORMS[notice.event], rendered(notice, target, environment.alerts))
            for notice in example_notices(environment.name)
        ),
        _fenced("A digest by e-mail", rendered_dispatch(_digest(environment), environment.alerts)),
    ]
    return "\n".join(parts)


def _digest(environment: Environment) -> Dispatch:
    notices = example_digest(environment.name)
    target = Target(channel=Channel.EMAIL, recipient="analytics_engineering")
    single = single_dispatch(notices[0], target)
    return replace(single, notices=notices, timing=Timing.DIGEST)


def _row(alert: Alert, messages: list[PreviewedMessage]) -> str:
    told = ", ".join(f"{message.address} {message.due}" for message in messages)
    link = f"[{_title(alert.signal)}](#{alert.signal.replace('_', '-')})"
    return f"| {link} | {alert.kind.label} | {told} |"


def _section(alert: Alert, messages: list[PreviewedMessage]) -> str:
    of_channel = {message.channel: message for message in reversed(messages)}
    return "\n".join(
        [
            f"## {_title(alert.signal)}\n",
            f"Severity {alert.severity}, [runbook](runbooks/{alert.signal.runbook}).\n",
            *(
                _fenced(_CHANNELS[channel], of_channel[channel].text)
                for channel in Channel
                if channel in of_channel
            ),
        ]
    )


def _fenced(title: str, text: str) -> str:
    return f"{title}:\n\n```text\n{text}\n```\n"


def _title(signal: Signal) -> str:
    return signal.replace("_", " ").capitalize()
