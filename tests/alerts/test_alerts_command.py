"""`olist alerts`, driven as a user drives it, and the entry points that DAGs call."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alert_scenario import environment, failure
from olist_platform.alerts.alert import Alert
from olist_platform.alerts.delivery_health import delivery_alert
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import Backlog, Raised
from olist_platform.alerts.router import deliver_due, open_outbox, raise_alert, resolve
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_workspace import Workspace

NOW = datetime(2018, 9, 3, 13, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("alerts")


@pytest.fixture
def workspace(shared: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("OLIST_HOME", str(shared.home))
    for name in ("OLIST_SLACK_TOKEN", "OLIST_SMTP_PASSWORD", "OLIST_ALERTS_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    return shared


@pytest.fixture
def local() -> Environment:
    return load_environment(EnvironmentName.LOCAL)


def local_failure(subject: str = "olist_production.int_orders") -> Alert:
    return failure(subject, environment=EnvironmentName.LOCAL)


@pytest.mark.slow
def test_an_alert_from_raise_to_resolution(workspace: Workspace, local: Environment) -> None:
    alert = local_failure()
    assert raise_alert(local, alert, NOW) is Raised.NEW
    assert raise_alert(local, alert, NOW) is Raised.REPEATED
    listed = workspace.olist("alerts", "list")
    for expected in ("high", "Pipeline failure: olist_production.int_orders", alert.fingerprint):
        assert expected in listed
    assert "0 sent, 1 waiting" in listed
    printed = workspace.olist("alerts", "deliver")
    assert "sent slack data_platform: HIGH Pipeline failure: olist_production.int_orders" in printed
    folder = workspace.home / "data" / "local" / "alerts" / "delivered"
    assert str(folder) in printed
    assert len(list(folder.glob("*.slack.json"))) == 1
    assert deliver_due(local, lambda: NOW).outcomes == []
    (stored,) = open_outbox(local).alerts()
    assert (stored.sent, stored.waiting, stored.occurrences) == (1, 0, 2)
    assert "resolved" in workspace.olist("alerts", "resolve", alert.fingerprint)
    assert not resolve(local, alert.fingerprint, NOW)
    assert "sent slack data_platform: RESOLVED" in workspace.olist("alerts", "deliver")
    assert "nothing is due" in workspace.olist("alerts", "deliver")
    assert "no open alerts in local" in workspace.olist("alerts", "list")
    assert "resolved" in workspace.olist("alerts", "list", "--all")


@pytest.mark.slow
def test_a_try_that_fails_is_said_and_ends_with_one(
    workspace: Workspace, local: Environment
) -> None:
    raise_alert(local, local_failure("unwritable"), NOW)
    folder = workspace.home / "data" / "local" / "alerts" / "delivered"
    aside = folder.rename(folder.with_name("aside")) if folder.exists() else None
    folder.write_text("in the way", encoding="utf-8")
    printed = workspace.olist("alerts", "deliver", expect=1)
    assert "not sent slack data_platform: HIGH Pipeline failure: unwritable" in printed
    assert "error: 1 of 1 tries failed; the messages wait" in printed
    assert "0 sent, 1 waiting" in workspace.olist("alerts", "list")
    folder.unlink()
    if aside:
        aside.rename(folder)
    resolve(local, local_failure("unwritable").fingerprint, NOW)
    deliver_due(local, lambda: datetime.now(UTC))


def test_an_alert_of_another_environment_is_refused(
    workspace: Workspace, local: Environment
) -> None:
    assert workspace.home.exists()
    with pytest.raises(ValueError, match="an alert of prod was raised in local"):
        raise_alert(local, failure(), NOW)


def test_a_preview_shows_every_alert_and_sends_nothing(workspace: Workspace) -> None:
    printed = workspace.olist("alerts", "test", "prod")
    for signal in Signal:
        assert f": {signal} " in printed, signal
    assert "slack to #olist-data-platform, " in printed
    assert "email to finance-reporting@olist.example, " in printed
    assert "[Runbook] https://docs.olist.example/runbooks/cost-budget.md" in printed
    assert not (workspace.home / "data" / "prod").exists()


def test_one_preview_word_for_word(workspace: Workspace) -> None:
    printed = workspace.olist("alerts", "test", "local", "--signal", "fraud_queue")
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    assert lines[1] == "slack to #olist-business, at once"
    assert lines[2].startswith("email to operations-reporting@olist.example, if still open at ")
    assert lines[3] == "CRITICAL Fraud: P0"
    assert "*Expected*  at most 0 open orders" in lines
    assert "Runbook: `platform/docs/runbooks/fraud-queue.md`" in lines


def test_a_trial_sends_through_the_real_channels_and_leaves_no_alert(
    workspace: Workspace, local: Environment
) -> None:
    printed = workspace.olist("alerts", "test", "local", "--signal", "slow_run", "--send")
    assert "1 messages sent" in printed
    folder = workspace.home / "data" / "local" / "alerts" / "delivered"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.slack.json")]
    assert any(
        "This is a test, nothing happened. A model takes far longer" in each for each in texts
    )
    assert open_outbox(local).alerts() == []


def test_a_trial_without_secrets_says_which_is_missing(workspace: Workspace) -> None:
    printed = workspace.olist(
        "alerts", "test", "prod", "--signal", "platform_health", "--send", expect=1
    )
    assert "the secret OLIST_SLACK_TOKEN is not set" in printed


@pytest.mark.slow
def test_mistakes_of_the_user(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = workspace.olist("alerts", "resolve", "0123456789abcdef", expect=1)
    assert "no open alert has the fingerprint '0123456789abcdef'" in printed
    assert "olist alerts list --env local" in printed
    printed = workspace.olist("alerts", "list", "--env", "prod", expect=1)
    assert "the secret OLIST_ALERTS_DATABASE is not set" in printed
    monkeypatch.setenv("OLIST_ALERTS_DATABASE", "somewhere")
    printed = workspace.olist("alerts", "list", "--env", "prod", expect=1)
    assert "OLIST_ALERTS_DATABASE does not lead to a database" in printed
    monkeypatch.setenv("OLIST_ALERTS_DATABASE", "sqlite:////nowhere/outbox.sqlite")
    printed = workspace.olist("alerts", "list", "--env", "prod", expect=1)
    assert "unable to open database file" in printed
    assert "unknown environment 'staging'" in workspace.olist("alerts", "test", "staging", expect=1)


def test_a_broken_outbox_is_named(workspace: Workspace, local: Environment) -> None:
    path = workspace.home / "data" / "local" / "alerts" / "outbox.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.read_bytes() if path.exists() else b""
    for rest in path.parent.glob("outbox.sqlite-*"):
        rest.unlink()
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(OlistError, match=r"outbox\.sqlite\) cannot be used: file is not a data"):
        open_outbox(local)
    path.write_bytes(kept)


def test_the_shared_database_is_the_one_that_the_variable_names(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workspace.home.exists()
    monkeypatch.setenv("OLIST_ALERTS_DATABASE", f"sqlite:///{tmp_path}/shared.sqlite")
    prod = environment()
    raise_alert(prod, failure(severity=Severity.LOW), NOW)
    assert (tmp_path / "shared.sqlite").exists()
    assert "Pipeline failure" in workspace.olist("alerts", "list", "--env", "prod")


@pytest.mark.usefixtures("workspace")
def test_delivery_watches_itself(local: Environment) -> None:
    """What the hourly checks judge; `monitoring/test_faults.py` shows that they tell of it."""
    raise_alert(local, local_failure("forgotten"), NOW)

    def judged(now: datetime) -> tuple[int, Alert | None]:
        backlog = open_outbox(local).backlog(now)
        return backlog.overdue, delivery_alert(local, backlog, now)

    assert judged(NOW + timedelta(minutes=30)) == (1, None)
    late = NOW + timedelta(minutes=31)
    _, alert = judged(late)
    assert alert is not None
    assert alert.summary == "Alerts are not delivered: 1 overdue in the outbox."
    assert alert.measurement is not None
    assert alert.measurement.describe_value() == "31 minutes late"
    # Somebody delivers again: the next look finds nothing.
    deliver_due(local, lambda: late)
    assert judged(late + timedelta(minutes=60)) == (0, None)
    resolve(local, local_failure("forgotten").fingerprint, late)
    assert open_outbox(local).alerts() == []
    deliver_due(local, lambda: late + timedelta(hours=2))


def test_many_overdue_messages_are_a_fault_before_they_are_old(local: Environment) -> None:
    backlog = Backlog(51, NOW, "Slack answered 503: no")
    alert = delivery_alert(local, backlog, NOW)
    assert alert is not None
    assert alert.measurement is not None
    assert alert.measurement.describe_value() == "51 overdue messages"
    assert alert.details == ("Slack answered 503: no",)
    assert delivery_alert(local, Backlog(50, NOW, None), NOW) is None
    assert delivery_alert(local, Backlog(0, None, None), NOW) is None


@pytest.mark.slow
def test_help_has_examples(workspace: Workspace) -> None:
    for command in ("list", "deliver", "resolve", "test", "examples"):
        assert "Example" in workspace.olist("alerts", command, "--help")
