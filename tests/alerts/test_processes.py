"""Processes that are killed between two steps, and processes that deliver at the same time."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alert_scenario import Scenario, environment, failure
from alert_sinks import SlackSink
from olist_workspace import ROOT

pytestmark = pytest.mark.slow

FAILED = "HIGH Pipeline failure: olist_production.int_orders"
# A claim runs out after twenty times the timeout of ten seconds.
CLAIM = timedelta(seconds=200)

PREPARE = """
import os, signal, sys
from pathlib import Path
from alert_scenario import Scenario, environment, failure
from olist_platform.alerts import router
from olist_platform.alerts.delivery_queue import DeliveryQueue
from olist_platform.alerts.outbox import Outbox

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

scenario = Scenario(
    environment(
        slack_url=sys.argv[1], smtp_port=1, rate_limit={"messages": 9999, "per_minutes": 1}
    ),
    Path(sys.argv[2]),
)
"""
AFTER_CLAIMING = """
claim = DeliveryQueue.claim
DeliveryQueue.claim = lambda *arguments: claim(*arguments) and die()
scenario.deliver()
"""
AFTER_SENDING = """
DeliveryQueue.record_sent = die
scenario.deliver()
"""
AFTER_RECORDING = """
record_sent = DeliveryQueue.record_sent
DeliveryQueue.record_sent = lambda *arguments: (record_sent(*arguments), die())
scenario.deliver()
"""
WHILE_RAISING = """
Outbox._plan = die
scenario.raise_alert(failure())
"""
DELIVER = """
print("ready", flush=True)
sys.stdin.readline()
print(len(scenario.deliver().sent))
"""
RAISE = """
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    scenario.raise_alert(failure())
"""


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackSink]:
    monkeypatch.setenv("OLIST_SLACK_TOKEN", "xoxb-test")
    sink = SlackSink()
    yield sink
    sink.stop()


@pytest.fixture
def scenario(slack: SlackSink, tmp_path: Path) -> Scenario:
    return Scenario(environment(slack_url=slack.url, smtp_port=1), tmp_path)


def process(script: str, slack: SlackSink, folder: Path) -> "subprocess.Popen[str]":
    paths = [str(ROOT / "tests" / "support"), str(ROOT / "platform" / "src")]
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + script, slack.url, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_until_killed(script: str, slack: SlackSink, folder: Path) -> None:
    with process(script, slack, folder) as killed:
        killed.wait(timeout=60)
    assert killed.returncode == -signal.SIGKILL


def run_together(scripts: list[str], slack: SlackSink, folder: Path) -> list[str]:
    running = [process(script, slack, folder) for script in scripts]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    printed = [each.communicate(timeout=120)[0] for each in running]
    assert [each.returncode for each in running] == [0] * len(running)
    return printed


@pytest.mark.parametrize(
    ("script", "times_before", "times_after"),
    [
        (AFTER_CLAIMING, 0, 1),
        # The one case in which somebody is told twice; the message's identity is the same.
        (AFTER_SENDING, 1, 2),
        (AFTER_RECORDING, 1, 1),
    ],
    ids=["after claiming", "after sending", "after recording"],
)
def test_a_killed_deliverer_loses_nothing(
    scenario: Scenario, slack: SlackSink, *, script: str, times_before: int, times_after: int
) -> None:
    scenario.raise_alert(failure())
    run_until_killed(script, slack, scenario.folder)
    assert slack.titles() == [FAILED] * times_before
    # Nobody else sends it while the claim holds: the process might be slow, not dead.
    scenario.now += CLAIM - timedelta(seconds=1)
    assert scenario.deliver().outcomes == []
    scenario.wait(seconds=1)
    scenario.deliver()
    scenario.wait(days=1)
    scenario.deliver()
    assert slack.titles() == [FAILED] * times_after
    identities = {message["metadata"]["event_payload"]["message_id"] for message in slack.messages}
    assert len(identities) == 1


def test_a_killed_raise_leaves_nothing_half_written(
    scenario: Scenario, slack: SlackSink, tmp_path: Path
) -> None:
    run_until_killed(WHILE_RAISING, slack, tmp_path)
    assert scenario.outbox.alerts() == []
    scenario.raise_alert(failure())
    scenario.deliver()
    assert slack.titles() == [FAILED]


def test_two_deliverers_share_the_work_and_send_nothing_twice(
    scenario: Scenario, slack: SlackSink, tmp_path: Path
) -> None:
    titles = [f"HIGH Pipeline failure: task_{number}" for number in range(40)]
    for number in range(40):
        scenario.raise_alert(failure(f"task_{number}"))
    printed = run_together([DELIVER, DELIVER], slack, tmp_path)
    assert Counter(slack.titles()) == Counter(titles)
    shares = [int(text) for text in printed]
    assert sum(shares) == 40
    assert min(shares) > 0


def test_processes_that_raise_the_same_alert_fold_into_one(
    scenario: Scenario, slack: SlackSink, tmp_path: Path
) -> None:
    run_together([RAISE, RAISE], slack, tmp_path)
    (stored,) = scenario.outbox.alerts()
    assert (stored.occurrences, stored.waiting) == (40, 1)


def test_a_slow_deliverer_that_lost_its_claim_changes_nothing(scenario: Scenario) -> None:
    scenario.raise_alert(failure())
    slow = scenario.queue.claim(scenario.now, scenario.now, "slow")
    assert slow is not None
    scenario.now += CLAIM
    other = scenario.queue.claim(scenario.now, scenario.now, "other")
    assert other is not None
    assert other.message_id == slow.message_id
    scenario.queue.record_sent(slow, scenario.now, "slow")
    assert scenario.outbox.alerts()[0].waiting == 1
    scenario.queue.record_sent(other, scenario.now, "other")
    assert scenario.outbox.alerts()[0].sent == 1
    assert scenario.deliver().outcomes == []
