"""The exact texts of Slack messages and e-mails, their limits and their escaping."""

import json
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from alert_scenario import MORNING, environment, failure
from olist_platform.alerts.alert import Alert, Measurement
from olist_platform.alerts.alert_settings import Target
from olist_platform.alerts.delivery_queue import MOST_NOTICES_IN_A_MESSAGE
from olist_platform.alerts.email_message import email_message
from olist_platform.alerts.examples_page import examples_page, examples_page_path
from olist_platform.alerts.kinds import Channel, Severity, Signal
from olist_platform.alerts.notice import Dispatch, Event, Notice, Timing
from olist_platform.alerts.preview import single_dispatch
from olist_platform.alerts.slack_message import escaped, slack_message
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName

SETTINGS = environment().alerts
SENDER = "olist-platform@olist.example"
VOLUME = failure(
    "orders",
    Severity.MEDIUM,
    Signal.VOLUME,
    summary="Far fewer rows than expected & <nobody> knows why.",
    measurement=Measurement(value=61, at_least=182, at_most=318, unit="rows"),
    details=("state SP: 12 rows", "a `backtick`"),
    log="https://airflow.olist.example/log?a=1&b=2",
)


def notice(alert: Alert, event: Event = Event.RAISED, **others: object) -> Notice:
    plain = Notice(alert, event, 1, MORNING, MORNING)
    return replace(plain, **others)  # type: ignore[arg-type]


def to(channel: Channel, recipient: str = "analytics_engineering") -> Target:
    return Target(channel=channel, recipient=recipient)


def gathered(notices: tuple[Notice, ...], timing: Timing = Timing.DIGEST) -> Dispatch:
    single = single_dispatch(notices[0], to(Channel.SLACK))
    return replace(single, notices=notices, timing=timing)


def test_a_slack_message_word_for_word() -> None:
    assert slack_message(single_dispatch(notice(VOLUME), to(Channel.SLACK)), SETTINGS) == {
        "text": "MEDIUM Data quality: orders",
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": "MEDIUM Data quality: orders"},
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "Far fewer rows than expected &amp; &lt;nobody&gt; knows why.",
                },
            },
            {
                "type": "section",
                "fields": [
                    {"type": "mrkdwn", "text": "*Environment*\nprod"},
                    {"type": "mrkdwn", "text": "*Severity*\nmedium"},
                    {"type": "mrkdwn", "text": "*Value*\n61 rows"},
                    {"type": "mrkdwn", "text": "*Expected*\n182 to 318 rows"},
                    {"type": "mrkdwn", "text": "*Owner*\ndata_platform"},
                    {"type": "mrkdwn", "text": "*Since*\n2018-09-03 10:00 -03"},
                ],
            },
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "```state SP: 12 rows\na 'backtick'```"},
            },
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Log"},
                        "url": "https://airflow.olist.example/log?a=1&b=2",
                        "action_id": "log",
                    },
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Docs"},
                        "url": "https://docs.olist.example/dbt/",
                        "action_id": "docs",
                    },
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Runbook"},
                        "url": "https://docs.olist.example/runbooks/volume.md",
                        "action_id": "runbook",
                    },
                ],
            },
        ],
    }


def test_an_email_word_for_word() -> None:
    message = email_message(single_dispatch(notice(VOLUME), to(Channel.EMAIL)), SETTINGS, SENDER)
    assert message["Subject"] == "[olist prod] MEDIUM Data quality: orders"
    assert message["From"] == "Olist platform <olist-platform@olist.example>"
    assert message["To"] == "analytics-engineering@olist.example"
    assert message["Message-ID"] == f"<preview-{VOLUME.fingerprint}@olist.example>"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content() == (
        "MEDIUM Data quality: orders\n"
        "\n"
        "Far fewer rows than expected & <nobody> knows why.\n"
        "\n"
        "  Environment:   prod\n"
        "  Severity:      medium\n"
        "  Value:         61 rows\n"
        "  Expected:      182 to 318 rows\n"
        "  Owner:         data_platform\n"
        "  Since:         2018-09-03 10:00 -03\n"
        "\n"
        "  | state SP: 12 rows\n"
        "  | a `backtick`\n"
        "\n"
        "  Log:           https://airflow.olist.example/log?a=1&b=2\n"
        "  Docs:          https://docs.olist.example/dbt/\n"
        "  Runbook:       https://docs.olist.example/runbooks/volume.md\n"
        "\n"
        "--\n"
        "The Olist platform, environment prod. Open alerts: olist alerts list --env prod\n"
    )


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []


def test_the_html_says_the_same_and_loads_nothing() -> None:
    message = email_message(single_dispatch(notice(VOLUME), to(Channel.EMAIL)), SETTINGS, SENDER)
    html = message.get_body(("html",))
    assert html is not None
    page = _Text()
    page.feed(html.get_content())
    assert "Far fewer rows than expected & <nobody> knows why." in page.texts
    assert "nobody" not in page.tags
    assert page.links == [
        "https://airflow.olist.example/log?a=1&b=2",
        "https://docs.olist.example/dbt/",
        "https://docs.olist.example/runbooks/volume.md",
    ]
    assert not page.tags & {"img", "script", "link", "iframe"}


def test_a_resolution_says_how_long_it_took() -> None:
    over = notice(VOLUME, Event.RESOLVED, resolved_at=MORNING + timedelta(days=1, hours=3))
    message = slack_message(single_dispatch(over, to(Channel.SLACK)), SETTINGS)
    assert message["text"] == "RESOLVED Data quality: orders"
    assert message["blocks"][1]["text"]["text"].startswith("This is over. It was: Far fewer rows")
    assert {
        "type": "mrkdwn",
        "text": "*Resolved*\n2018-09-04 13:00 -03, after 1 d 3 h",
    } in message["blocks"][2]["fields"]


def test_a_digest_has_a_line_for_each() -> None:
    notices = (notice(VOLUME), notice(failure(severity=Severity.LOW)))
    assert slack_message(gathered(notices), SETTINGS) == {
        "text": "Digest of prod: 2 alerts",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Digest of prod: 2 alerts"}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": (
                        "*MEDIUM Data quality: orders*\n"
                        "Far fewer rows than expected &amp; &lt;nobody&gt; knows why."
                        " (61 rows, expected 182 to 318 rows)\n"
                        "<https://docs.olist.example/runbooks/volume.md|Runbook>"
                    ),
                },
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": (
                        "*LOW Pipeline failure: olist_production.int_orders*\n"
                        "The task failed.\n"
                        "<https://docs.olist.example/runbooks/task-failure.md|Runbook>"
                    ),
                },
            },
        ],
    }


def test_the_colour_of_a_digest_is_of_what_is_still_open() -> None:
    over = notice(failure(severity=Severity.CRITICAL), Event.RESOLVED, resolved_at=MORNING)
    colours = {
        (notice(VOLUME), over): "#8a6100",
        (over, over): "#1b7f4b",
        (notice(failure(severity=Severity.CRITICAL)), over): "#b3261e",
    }
    for notices, colour in colours.items():
        html = email_message(gathered(notices), SETTINGS, SENDER).get_body(("html",))
        assert html is not None
        assert f"background:{colour};color:#ffffff" in html.get_content()


def test_where_nothing_is_served_a_link_is_a_path() -> None:
    local = environment(EnvironmentName.LOCAL).alerts
    message = slack_message(single_dispatch(notice(VOLUME), to(Channel.SLACK)), local)
    assert message["blocks"][-1] == {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": "Runbook: `platform/docs/runbooks/volume.md`"}],
    }


TEXTS = st.text(alphabet=st.sampled_from("ab<>&`\n'_* é☃"), min_size=1, max_size=900)


@given(st.text(alphabet="<>&a", max_size=60), st.integers(min_value=1, max_value=50))
def test_escaping_never_cuts_an_entity(text: str, limit: int) -> None:
    result = escaped(text, limit)
    assert len(result) <= limit
    rest = result.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert not set(rest) & set("<>&")


@settings(max_examples=60)
@example(
    subject="&" * 120, summary="<" * 600, details=["&" * 300] * 9, count=40, timing=Timing.AT_ONCE
)
@example(subject="&" * 120, summary="<" * 600, details=[], count=40, timing=Timing.GATHERED)
@given(
    subject=TEXTS,
    summary=TEXTS,
    details=st.lists(TEXTS, max_size=8),
    count=st.integers(1, MOST_NOTICES_IN_A_MESSAGE),
    timing=st.sampled_from(Timing),
)
def test_no_text_breaks_the_limits_of_slack(
    subject: str, summary: str, details: list[str], count: int, timing: Timing
) -> None:
    alert = failure(
        f"x{subject}",
        summary=f"x{summary}",
        details=tuple(details),
        measurement=Measurement(value=1, at_most=0, unit="rows"),
    )
    told = notice(alert, occurrences=7, affected=(subject,) * 20, resolved_at=MORNING)
    notices = (told,) * (1 if timing is Timing.AT_ONCE else count)
    message = slack_message(gathered(notices, timing), SETTINGS)
    assert 1 <= len(message["blocks"]) <= 50
    for block in Block.parse_all(message["blocks"]):
        # slack-sdk's own check of lengths and shapes.
        block.validate_json()
        fields = getattr(block, "fields", None) or []
        assert len(fields) <= 10
        assert all(len(field.text) <= 2000 for field in fields)
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    for section in (block for block in message["blocks"] if block["type"] == "section"):
        assert len(section.get("text", {}).get("text", "")) <= 3000
    json.dumps(message)


def test_the_page_of_examples_is_current() -> None:
    page = examples_page(load_environment(EnvironmentName.PROD))
    assert examples_page_path().read_text(encoding="utf-8") == page, "run: olist alerts examples"
    for signal in Signal:
        assert f"(runbooks/{signal.runbook})" in page
