"""Delivery to a real HTTP server and a real mail server, in every mood that they have."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import event, update

from alert_scenario import MORNING, Scenario, environment, failure
from alert_sinks import (
    INVALID_AUTH,
    INVALID_BLOCKS,
    RATE_LIMITED,
    SERVER_ERROR,
    TAKEN,
    SlackAnswer,
    SlackSink,
    SmtpSink,
    closed_port,
    slack_and_smtp,
)
from olist_platform.alerts.kinds import Channel, Severity, Signal
from olist_platform.alerts.outbox import Backlog, Raised
from olist_platform.alerts.outbox_tables import ALERT
from olist_platform.errors import OlistError

PLATFORM = "#olist-data-platform"
PLATFORM_EMAIL = "data-platform@olist.example"
FAILED = "HIGH Pipeline failure: olist_production.int_orders"
RESOLVED = "RESOLVED Pipeline failure: olist_production.int_orders"


@pytest.fixture(scope="module")
def sinks() -> Iterator[tuple[SlackSink, SmtpSink]]:
    with slack_and_smtp() as both:
        yield both


@pytest.fixture
def slack(sinks: tuple[SlackSink, SmtpSink], monkeypatch: pytest.MonkeyPatch) -> SlackSink:
    monkeypatch.setenv("OLIST_SLACK_TOKEN", "xoxb-test")
    sink = sinks[0]
    sink.answer = lambda _: TAKEN
    sink.requests.clear()
    sink.messages.clear()
    return sink


@pytest.fixture
def smtp(sinks: tuple[SlackSink, SmtpSink]) -> SmtpSink:
    sink = sinks[1]
    sink.answer = sink.recipient_answer = "250 OK"
    sink.messages.clear()
    return sink


@pytest.fixture
def scenario(slack: SlackSink, smtp: SmtpSink, tmp_path: Path) -> Scenario:
    return Scenario(environment(slack_url=slack.url, smtp_port=smtp.port), tmp_path)


def test_a_failure_reaches_slack_once(scenario: Scenario, slack: SlackSink, smtp: SmtpSink) -> None:
    assert scenario.raise_alert(failure()) is Raised.NEW
    scenario.deliver()
    scenario.wait(days=1)
    assert scenario.deliver().outcomes == []
    assert slack.titles() == [FAILED]
    assert slack.messages[0]["channel"] == PLATFORM
    assert slack.tokens == {"Bearer xoxb-test"}
    assert smtp.messages == []


def test_every_kind_goes_to_its_people(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink
) -> None:
    for signal, subject in (
        (Signal.TASK_FAILURE, "a"),
        (Signal.TEST_FAILURE, "b"),
        (Signal.COST_BUDGET, "c"),
        (Signal.DASHBOARDS_LATE, "d"),
        (Signal.ORDER_ANOMALIES, "e"),
        (Signal.FRAUD_QUEUE, "f"),
        (Signal.PLATFORM_HEALTH, "g"),
    ):
        scenario.raise_alert(failure(subject, signal=signal))
    scenario.deliver()
    assert {(each["channel"], each["text"]) for each in slack.messages} == {
        (PLATFORM, "HIGH Pipeline failure: a"),
        ("#olist-finance", "HIGH Cost overrun: c"),
        ("#olist-executives", "HIGH SLA breach: d"),
        ("#olist-business", "HIGH Anomaly: e"),
        ("#olist-business", "HIGH Fraud: f"),
        ("#olist-operations", "HIGH System health: g"),
    }
    assert {(each["To"], each["Subject"]) for each in smtp.messages} == {
        ("analytics-engineering@olist.example", "[olist prod] HIGH Data quality: b"),
        ("finance-reporting@olist.example", "[olist prod] HIGH Cost overrun: c"),
        ("executive-reporting@olist.example", "[olist prod] HIGH SLA breach: d"),
    }


def test_repeats_are_counted_and_not_told(scenario: Scenario, slack: SlackSink) -> None:
    scenario.raise_alert(failure())
    scenario.deliver()
    for _ in range(3):
        scenario.wait(minutes=10)
        assert scenario.raise_alert(failure()) is Raised.REPEATED
        assert scenario.deliver().outcomes == []
    (stored,) = scenario.outbox.alerts()
    assert (stored.occurrences, stored.sent, stored.waiting) == (4, 1, 0)
    assert slack.titles() == [FAILED]


def test_repeats_before_the_first_telling_are_told_with_it(
    scenario: Scenario, slack: SlackSink
) -> None:
    for _ in range(3):
        scenario.raise_alert(failure())
        scenario.wait(minutes=1)
    scenario.deliver()
    fields = [field["text"] for field in slack.messages[0]["blocks"][2]["fields"]]
    assert "*Seen*\n3 times, last 2018-09-03 10:02 -03" in fields


def test_what_becomes_worse_is_told_again(scenario: Scenario, smtp: SmtpSink) -> None:
    budget = [
        failure("month", severity, Signal.COST_BUDGET)
        for severity in (Severity.MEDIUM, Severity.HIGH, Severity.MEDIUM, Severity.CRITICAL)
    ]
    assert [scenario.raise_alert(alert) for alert in budget[:1]] == [Raised.NEW]
    scenario.deliver()
    assert scenario.raise_alert(budget[1]) is Raised.WORSENED
    scenario.deliver()
    assert scenario.raise_alert(budget[2]) is Raised.REPEATED
    scenario.deliver()
    assert scenario.raise_alert(budget[3]) is Raised.WORSENED
    scenario.deliver()
    assert smtp.subjects("finance-reporting@olist.example") == [
        "[olist prod] MEDIUM Cost overrun: month",
        "[olist prod] HIGH Cost overrun: month",
        "[olist prod] CRITICAL Cost overrun: month",
    ]


def test_a_resolution_is_told_once(scenario: Scenario, slack: SlackSink) -> None:
    scenario.raise_alert(failure())
    scenario.deliver()
    scenario.wait(hours=2, minutes=5)
    assert scenario.resolve(failure())
    assert not scenario.resolve(failure())
    scenario.deliver()
    scenario.deliver()
    assert slack.titles() == [FAILED, RESOLVED]
    fields = [field["text"] for field in slack.messages[1]["blocks"][2]["fields"]]
    assert "*Resolved*\n2018-09-03 12:05 -03, after 2 h 5 min" in fields
    # The same again is a new alert.
    assert scenario.raise_alert(failure()) is Raised.NEW
    scenario.deliver()
    assert slack.titles() == [FAILED, RESOLVED, FAILED]


def test_raised_and_resolved_before_anybody_is_told_is_one_message(
    scenario: Scenario, slack: SlackSink
) -> None:
    scenario.raise_alert(failure())
    scenario.resolve(failure())
    scenario.deliver()
    assert slack.titles() == [RESOLVED]


def test_skipped_children_belong_to_their_root(scenario: Scenario, slack: SlackSink) -> None:
    root = failure()
    early, late = (
        failure(f"olist_production.{name}", caused_by=root.fingerprint)
        for name in ("mart_executive_kpis", "publish_marts")
    )
    # Airflow's callbacks come in any order.
    assert scenario.raise_alert(early) is Raised.NEW
    assert scenario.raise_alert(root) is Raised.NEW
    assert scenario.raise_alert(late) is Raised.PART_OF_ITS_ROOT
    scenario.deliver()
    assert slack.titles() == [FAILED]
    fields = [field["text"] for field in slack.messages[0]["blocks"][2]["fields"]]
    assert fields[-1] == (
        "*Held up by it*\nolist_production.mart_executive_kpis, olist_production.publish_marts"
    )
    assert not scenario.resolve(failure("another"))
    scenario.resolve(early)
    scenario.resolve(root)
    scenario.deliver()
    assert slack.titles() == [FAILED, RESOLVED]
    assert scenario.outbox.alerts() == []


def test_a_child_whose_root_nobody_raised_is_told_itself(
    scenario: Scenario, slack: SlackSink
) -> None:
    scenario.raise_alert(failure(caused_by="0123456789abcdef"))
    scenario.deliver()
    assert slack.titles() == [FAILED]


def test_retry_after_is_honoured_and_costs_no_try(scenario: Scenario, slack: SlackSink) -> None:
    slack.answer = lambda _: RATE_LIMITED
    scenario.raise_alert(failure())
    scenario.raise_alert(failure("another"))
    report = scenario.deliver()
    assert [outcome.problem for outcome in report.outcomes] == [
        "the channel's rate limit: not before 7 s"
    ]
    assert len(slack.requests) == 1
    slack.answer = lambda _: TAKEN
    scenario.wait(seconds=6)
    scenario.raise_alert(failure("a third"))
    assert scenario.deliver().outcomes == []
    scenario.wait(seconds=1)
    scenario.deliver()
    assert sorted(slack.titles()) == [
        "HIGH Pipeline failure: a third",
        "HIGH Pipeline failure: another",
        FAILED,
    ]


def test_a_rate_limit_that_goes_on_ends_in_an_email(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink
) -> None:
    slack.answer = lambda _: RATE_LIMITED
    scenario.raise_alert(failure(severity=Severity.CRITICAL))
    # backlog_minutes is 30; Slack asks for 7 seconds each time.
    scenario.deliver()
    scenario.wait(minutes=29, seconds=53)
    scenario.deliver()
    assert (len(slack.requests), smtp.messages) == (2, [])
    scenario.wait(seconds=8)
    scenario.deliver()
    assert len(slack.requests) == 3
    assert smtp.subjects(PLATFORM_EMAIL) == [f"[olist prod] {FAILED.replace('HIGH', 'CRITICAL')}"]


def test_a_long_retry_after_sends_by_email_at_once(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink
) -> None:
    body = RATE_LIMITED.body
    slack.answer = lambda _: SlackAnswer(429, body, {"Retry-After": "3600"})
    for subject in ("first", "second"):
        scenario.raise_alert(failure(subject))
    scenario.deliver()
    assert len(slack.requests) == 1
    # While it lasts what is raised later comes by e-mail only if it would be late.
    scenario.wait(minutes=31)
    scenario.raise_alert(failure("third"))
    scenario.deliver()
    assert sorted(smtp.subjects(PLATFORM_EMAIL)) == [
        "[olist prod] HIGH Pipeline failure: first",
        "[olist prod] HIGH Pipeline failure: second",
    ]
    slack.answer = lambda _: TAKEN
    scenario.wait(minutes=29)
    scenario.deliver()
    assert slack.titles() == ["HIGH Pipeline failure: third"]
    assert len(smtp.messages) == 2


@pytest.mark.parametrize("answer", [SERVER_ERROR, INVALID_AUTH], ids=["500", "invalid_auth"])
def test_failures_back_off_then_go_by_email(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink, answer: SlackAnswer
) -> None:
    slack.answer = lambda _: answer
    scenario.raise_alert(failure())
    # slack_tries is 4, the first delay 30 s; it doubles.
    for tries, wait in enumerate((30, 60, 120), start=1):
        scenario.deliver()
        assert len(slack.requests) == tries
        scenario.wait(seconds=wait - 1)
        assert scenario.deliver().outcomes == []
        scenario.wait(seconds=1)
    assert smtp.messages == []
    report = scenario.deliver()
    assert [(each.channel, each.problem is None) for each in report.outcomes] == [
        (Channel.SLACK, False),
        (Channel.EMAIL, True),
    ]
    (message,) = smtp.messages
    assert message["To"] == PLATFORM_EMAIL
    body = message.get_body(("plain",))
    assert body is not None
    assert f"Slack did not take this message for {PLATFORM}, so it comes by e-mail." in (
        body.get_content()
    )
    slack.answer = lambda _: TAKEN
    scenario.wait(days=1)
    assert scenario.deliver().outcomes == []
    assert slack.messages == []


def test_a_message_that_slack_refuses_goes_by_email_at_once(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink
) -> None:
    slack.answer = lambda request: INVALID_BLOCKS if "int_orders" in request["text"] else TAKEN
    scenario.raise_alert(failure())
    scenario.raise_alert(failure("another"))
    report = scenario.deliver()
    assert report.not_sent[0].problem == "Slack answered: invalid_blocks"
    assert slack.titles() == ["HIGH Pipeline failure: another"]
    assert smtp.subjects(PLATFORM_EMAIL) == [f"[olist prod] {FAILED}"]


def test_who_is_told_by_email_anyway_is_not_told_twice(
    scenario: Scenario, slack: SlackSink, smtp: SmtpSink
) -> None:
    slack.answer = lambda _: INVALID_BLOCKS
    alert = failure("month", signal=Signal.COST_BUDGET)
    scenario.raise_alert(alert)
    scenario.deliver()
    scenario.resolve(alert)
    scenario.deliver()
    assert smtp.subjects() == [
        "[olist prod] HIGH Cost overrun: month",
        "[olist prod] RESOLVED Cost overrun: month",
    ]


def test_a_slack_that_does_not_answer_costs_one_timeout_a_pass(
    slack: SlackSink, smtp: SmtpSink, tmp_path: Path
) -> None:
    scenario = Scenario(
        environment(
            slack_url=slack.url,
            smtp_port=smtp.port,
            delivery__timeout_seconds=1,
            delivery__slack_tries=1,
        ),
        tmp_path,
    )
    slack.answer = lambda _: SlackAnswer(delay_seconds=1.5)
    for subject in ("a", "b", "c"):
        scenario.raise_alert(failure(subject))
    report = scenario.deliver()
    assert len(slack.requests) == 1
    assert report.outcomes[0].problem is not None
    assert "timed out" in report.outcomes[0].problem
    assert len(smtp.messages) == 3


def test_a_connection_that_breaks_is_one_try(scenario: Scenario, slack: SlackSink) -> None:
    slack.answer = lambda _: SlackAnswer(body="", hangs_up=True)
    scenario.raise_alert(failure())
    (outcome,) = scenario.deliver().outcomes
    assert "Slack cannot be reached" in str(outcome.problem)
    # Whether Slack took it nobody knows; a second try at once would be the client's own.
    assert len(slack.requests) == 1


def test_resolved_on_the_way_and_not_taken_is_one_message(
    scenario: Scenario, slack: SlackSink
) -> None:
    def resolve_and_fail(_: dict[str, Any]) -> SlackAnswer:
        scenario.resolve(failure())
        return SERVER_ERROR

    scenario.raise_alert(failure())
    slack.answer = resolve_and_fail
    scenario.deliver()
    slack.answer = lambda _: TAKEN
    scenario.wait(days=1)
    scenario.deliver()
    assert slack.titles() == [RESOLVED]


def test_nobody_hears_of_the_end_before_the_beginning(scenario: Scenario, slack: SlackSink) -> None:
    meanwhile: list[int] = []

    def resolve_and_let_another_deliver(_: dict[str, Any]) -> SlackAnswer:
        if scenario.resolve(failure()):
            meanwhile.append(len(scenario.deliver().outcomes))
        return TAKEN

    scenario.raise_alert(failure())
    slack.answer = resolve_and_let_another_deliver
    scenario.deliver()
    assert meanwhile == [0]
    assert slack.titles() == [FAILED, RESOLVED]


def test_nothing_is_lost_while_both_channels_are_down(
    slack: SlackSink, smtp: SmtpSink, tmp_path: Path
) -> None:
    down = environment(slack_url=f"http://127.0.0.1:{closed_port()}/api/", smtp_port=closed_port())
    broken = Scenario(down, tmp_path)
    broken.raise_alert(failure())
    for _ in range(30):
        broken.deliver()
        broken.wait(hours=1)
    backlog = broken.outbox.backlog(broken.now)
    assert isinstance(backlog, Backlog)
    assert (backlog.overdue, backlog.oldest_wanted_at) == (1, MORNING)
    assert "the mail server cannot be used" in str(backlog.last_error)
    mended = Scenario(environment(slack_url=slack.url, smtp_port=smtp.port), tmp_path)
    mended.now = broken.now
    mended.deliver()
    assert smtp.subjects(PLATFORM_EMAIL) == [f"[olist prod] {FAILED}"]
    assert mended.outbox.backlog(mended.now) == Backlog(0, None, None)


def test_a_missing_token_is_a_failure_of_the_channel(
    scenario: Scenario, slack: SlackSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OLIST_SLACK_TOKEN")
    scenario.raise_alert(failure())
    (outcome,) = scenario.deliver().outcomes
    assert outcome.problem == "the secret OLIST_SLACK_TOKEN is not set"
    assert slack.requests == []


@pytest.mark.parametrize("answer", ["451 Try later", "554 No"])
def test_a_mail_that_is_not_taken_is_tried_again(
    scenario: Scenario, smtp: SmtpSink, answer: str
) -> None:
    smtp.answer = answer
    scenario.raise_alert(failure("rows", signal=Signal.TEST_FAILURE))
    (outcome,) = scenario.deliver().outcomes
    code, words = answer.split(" ", 1)
    assert outcome.problem == f"the mail server answered {code}: {words}"
    smtp.answer = "250 OK"
    scenario.wait(seconds=30)
    scenario.deliver()
    assert smtp.subjects() == ["[olist prod] HIGH Data quality: rows"]


def test_a_recipient_that_is_refused_keeps_no_other_from_being_told(
    scenario: Scenario, smtp: SmtpSink
) -> None:
    smtp.recipient_answer = "550 Unknown user"
    scenario.raise_alert(failure("rows", signal=Signal.TEST_FAILURE))
    (outcome,) = scenario.deliver().outcomes
    assert outcome.problem == "the mail server refuses the recipient (550)"
    smtp.recipient_answer = "250 OK"
    scenario.raise_alert(failure("others", signal=Signal.TEST_FAILURE))
    scenario.deliver()
    assert smtp.subjects() == ["[olist prod] HIGH Data quality: others"]


def test_quiet_hours_end_at_seven(scenario: Scenario, slack: SlackSink) -> None:
    scenario.now = datetime(2018, 9, 4, 2, 30, tzinfo=UTC)  # 23:30 in Sao Paulo
    scenario.raise_alert(failure("medium", Severity.MEDIUM))
    scenario.raise_alert(failure("high", Severity.HIGH))
    scenario.deliver()
    assert slack.titles() == ["HIGH Pipeline failure: high"]
    scenario.now = datetime(2018, 9, 4, 9, 59, tzinfo=UTC)
    scenario.deliver()
    assert len(slack.titles()) == 1
    scenario.wait(minutes=1)
    scenario.deliver()
    assert slack.titles()[1:] == ["MEDIUM Pipeline failure: medium"]


def test_a_late_deliverer_respects_quiet_hours_too(scenario: Scenario, slack: SlackSink) -> None:
    scenario.raise_alert(failure("medium", Severity.MEDIUM))
    scenario.now = datetime(2018, 9, 4, 2, 30, tzinfo=UTC)
    scenario.deliver()
    assert slack.titles() == []
    scenario.now = datetime(2018, 9, 4, 10, 0, tzinfo=UTC)
    # It was not overdue in those hours.
    assert scenario.outbox.backlog(scenario.now).overdue == 0
    scenario.deliver()
    assert slack.titles() == ["MEDIUM Pipeline failure: medium"]


def test_small_alerts_wait_for_the_digest_of_nine(scenario: Scenario, smtp: SmtpSink) -> None:
    small = [failure(name, Severity.LOW, Signal.DISTRIBUTION) for name in ("a.x", "b.y", "c.z")]
    for alert in small:
        scenario.raise_alert(alert)
        scenario.wait(minutes=1)
    scenario.resolve(small[1])
    scenario.deliver()
    assert smtp.messages == []
    scenario.now = datetime(2018, 9, 4, 12, 0, tzinfo=UTC)
    scenario.deliver()
    (message,) = smtp.messages
    assert message["Subject"] == "[olist prod] Digest of prod: 3 alerts"
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "LOW Data quality: a.x" in text
    assert "RESOLVED Data quality: b.y" in text
    assert "LOW Data quality: c.z" in text
    # Who read of it in a digest reads of its end in the next one.
    scenario.resolve(small[0])
    scenario.deliver()
    assert len(smtp.messages) == 1
    scenario.wait(days=1)
    scenario.deliver()
    assert smtp.subjects()[1:] == ["[olist prod] Digest of prod: 1 alert"]


def test_what_the_rate_limit_holds_back_comes_in_one_message(
    slack: SlackSink, smtp: SmtpSink, tmp_path: Path
) -> None:
    limited = environment(
        slack_url=slack.url,
        smtp_port=smtp.port,
        rate_limit={"messages": 3, "per_minutes": 60},
    )
    scenario = Scenario(limited, tmp_path)
    for number in range(8):
        scenario.raise_alert(failure(f"task_{number}"))
    scenario.raise_alert(failure("urgent", Severity.CRITICAL))
    scenario.deliver()
    assert len(slack.messages) == 4
    assert "CRITICAL Pipeline failure: urgent" in slack.titles()
    scenario.wait(minutes=59)
    scenario.deliver()
    assert len(slack.messages) == 4
    scenario.wait(minutes=1)
    scenario.deliver()
    assert slack.titles()[4:] == ["5 alerts of prod at once, gathered by the rate limit"]
    lines = [block["text"]["text"] for block in slack.messages[4]["blocks"][1:]]
    assert [line.splitlines()[0] for line in lines] == [
        f"*HIGH Pipeline failure: task_{number}*" for number in range(3, 8)
    ]


def test_a_critical_alert_that_stays_open_is_escalated(scenario: Scenario, smtp: SmtpSink) -> None:
    first, second = (failure(name, Severity.CRITICAL) for name in ("first", "second"))
    scenario.raise_alert(first)
    scenario.raise_alert(second)
    scenario.deliver()
    scenario.wait(minutes=29)
    scenario.resolve(second)
    scenario.deliver()
    assert smtp.messages == []
    scenario.wait(minutes=1)
    scenario.deliver()
    assert smtp.subjects("platform-operations@olist.example") == [
        "[olist prod] STILL OPEN Pipeline failure: first"
    ]
    scenario.resolve(first)
    scenario.deliver()
    assert smtp.subjects()[1:] == ["[olist prod] RESOLVED Pipeline failure: first"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        # Of a release that knew another signal, and of one that knew another field.
        ('{"environment": "prod", "signal": "of_tomorrow", "subject": "x"}', "System health"),
        ('{"environment": "prod", "signal": "cost_budget", "of_tomorrow": 1}', "Cost overrun"),
        ("", "System health"),
    ],
)
def test_an_alert_that_cannot_be_read_is_told_and_holds_up_no_other(
    scenario: Scenario, slack: SlackSink, body: str, told: str
) -> None:
    root, unreadable = failure(), failure("unreadable", Severity.CRITICAL)
    scenario.raise_alert(unreadable)
    scenario.raise_alert(root)
    child = failure("unreadable child", caused_by=root.fingerprint)
    scenario.raise_alert(child)
    lost = ALERT.c.fingerprint.in_([unreadable.fingerprint, child.fingerprint])
    with scenario.outbox._database.transaction() as connection:
        connection.execute(update(ALERT).where(lost).values(body=body))
    scenario.deliver()
    assert slack.titles() == [f"CRITICAL {told}: alert {unreadable.fingerprint}", FAILED]
    first, second = (message["blocks"] for message in slack.messages)
    assert "whose text this release cannot read" in first[1]["text"]["text"]
    assert second[2]["fields"][-1]["text"] == f"*Held up by it*\nalert {child.fingerprint}"
    assert [stored.fingerprint for stored in scenario.outbox.alerts()] == [
        unreadable.fingerprint,
        root.fingerprint,
        child.fingerprint,
    ]
    # Raised again by this release it can be read, and whoever finds it healthy resolves it.
    scenario.raise_alert(unreadable)
    assert scenario.outbox.alerts()[0].alert == unreadable
    assert scenario.resolve(unreadable)


def test_without_channels_messages_become_files(tmp_path: Path) -> None:
    scenario = Scenario(environment(slack=None, email=None), tmp_path)
    scenario.raise_alert(failure())
    scenario.raise_alert(failure("rows", signal=Signal.TEST_FAILURE))
    assert len(scenario.deliver().sent) == 2
    slack_file, mail_file = sorted((tmp_path / "delivered").iterdir())
    assert f'"channel": "{PLATFORM}"' in slack_file.read_text(encoding="utf-8")
    assert b"Subject: [olist prod] HIGH Data quality: rows\r\n" in mail_file.read_bytes()
    assert b"Date: Mon, 03 Sep 2018 13:00:00 +0000\r\n" in mail_file.read_bytes()


def test_an_outbox_without_room_says_so_and_keeps_what_it_has(
    scenario: Scenario, slack: SlackSink
) -> None:
    scenario.raise_alert(failure())
    engine = scenario.outbox._database._engine
    with engine.connect() as connection:
        pages: int = connection.exec_driver_sql("pragma page_count").scalar_one()

    def no_room(connection: object, _: object) -> None:
        connection.execute(f"pragma max_page_count = {pages}")  # type: ignore[attr-defined]

    event.listen(engine, "connect", no_room)
    with pytest.raises(OlistError, match=r"outbox\.sqlite\) cannot be used: .*full") as caught:
        raise_many(scenario)
    assert "disk has room" in caught.value.mend
    event.remove(engine, "connect", no_room)
    scenario.deliver()
    assert slack.titles()[0] == FAILED


def raise_many(scenario: Scenario) -> None:
    for number in range(2000):
        scenario.raise_alert(failure(f"task_{number}", details=("x" * 290,) * 5))


class _Login:
    def __call__(self, *arguments: object) -> AuthResult:
        login = arguments[-1]
        assert isinstance(login, LoginPassword)
        return AuthResult(success=login == LoginPassword(b"olist", b"secret"), handled=False)


def test_the_mail_server_is_spoken_to_encrypted_and_with_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = SmtpSink(tls_context=context, require_starttls=True, authenticator=_Login())
    monkeypatch.setenv("OLIST_SMTP_PASSWORD", "secret")
    scenario = Scenario(
        environment(
            email__host="127.0.0.1", email__port=server.port, email__user="olist", slack=None
        ),
        tmp_path,
    )
    try:
        scenario.raise_alert(failure("rows", signal=Signal.TEST_FAILURE))
        (outcome,) = scenario.deliver().outcomes
        assert "certificate verify failed" in str(outcome.problem)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        scenario.wait(minutes=1)
        scenario.deliver()
        assert server.subjects() == ["[olist prod] HIGH Data quality: rows"]
        monkeypatch.setenv("OLIST_SMTP_PASSWORD", "wrong")
        scenario.raise_alert(failure("others", signal=Signal.TEST_FAILURE))
        (outcome,) = scenario.deliver().outcomes
        assert "535" in str(outcome.problem)
        assert "wrong" not in str(outcome.problem)
    finally:
        server.stop()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
