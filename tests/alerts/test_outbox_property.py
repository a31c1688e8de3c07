"""Whatever happens in whatever order: nobody misses an alert, nobody hears it twice.

Every alert of a state (raised at a severity, escalated, resolved) is told at most once to a target,
and once channels work again, every alert that was raised has been told, by its state or by the
message that it is over.
"""

import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event

from alert_scenario import Scenario, environment, failure
from olist_platform.alerts import router
from olist_platform.alerts.channel_errors import (
    ChannelDownError,
    HoldError,
    NotSentError,
    RefusedError,
)
from olist_platform.alerts.channels import Send
from olist_platform.alerts.delivery_queue import DeliveryQueue
from olist_platform.alerts.kinds import Channel, Severity, Signal
from olist_platform.alerts.notice import Dispatch, Event
from olist_platform.alerts.outbox import Outbox

pytestmark = pytest.mark.slow

MOODS = {
    "works": None,
    "down": ChannelDownError("down"),
    "fails": NotSentError("fails"),
    "refuses": RefusedError("refuses"),
    "asks for a pause": HoldError(timedelta(minutes=3)),
}
SIGNALS = (Signal.TASK_FAILURE, Signal.COST_BUDGET, Signal.DISTRIBUTION, Signal.DASHBOARDS_LATE)
SUBJECTS = st.sampled_from(["a", "b", "c"])
# An outage longer than any wait, a night and a digest lie in it.
LONG_ENOUGH = timedelta(days=3)


def need_not_reach_the_disk(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = off")


class Told:
    """What each target was told: alert, opened at, event, severity."""

    def __init__(self) -> None:
        self.mood: dict[Channel, str] = dict.fromkeys(Channel, "works")
        # What happens while the next message is on its way, once.
        self.meanwhile: Callable[[], object] | None = None
        self.over: set[tuple[str, datetime, str, Channel]] = set()
        self.violations: list[str] = []
        self.deliveries: Counter[int] = Counter()
        self.states: Counter[tuple[str, datetime, str, str, str, Channel]] = Counter()
        self.episodes: set[tuple[str, datetime, str]] = set()

    def channels(self) -> dict[Channel, Send]:
        return dict.fromkeys(Channel, self._send)

    def _send(self, dispatch: Dispatch, now: datetime) -> None:
        del now
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            # Delivery takes an exception from here for a refusal of the channel.
            try:
                meanwhile()
            except AssertionError as error:
                self.violations.append(repr(error))
        mood = MOODS[self.mood[dispatch.channel]]
        if mood is not None:
            raise mood
        self.deliveries.update(dispatch.delivery_ids)
        for notice in dispatch.notices:
            fingerprint, opened = notice.alert.fingerprint, notice.first_raised_at
            self.episodes.add((fingerprint, opened, dispatch.recipient))
            if not dispatch.stands_in:
                target = (fingerprint, opened, dispatch.recipient, dispatch.channel)
                if target in self.over:
                    self.violations.append(f"told after it was told to be over: {target}")
                self.over |= {target} if notice.event is Event.RESOLVED else set()
            self.states[
                fingerprint,
                opened,
                notice.event,
                notice.alert.severity,
                dispatch.recipient,
                dispatch.channel,
            ] += 1


class AlertsAndTheirTelling(RuleBasedStateMachine):
    patch: ClassVar[pytest.MonkeyPatch]

    @initialize(
        quiet=st.sampled_from([None, {"start": 22, "end": 7, "let_through_from": "high"}]),
        messages=st.sampled_from([1, 3, 100]),
    )
    def prepare(self, quiet: dict[str, object] | None, messages: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.told = Told()
        AlertsAndTheirTelling.patch.setattr(router, "channels", lambda *_: self.told.channels())
        self.scenario = Scenario(
            environment(
                slack=None,
                email=None,
                quiet_hours=quiet,
                rate_limit={"messages": messages, "per_minutes": 60},
            ),
            Path(self.folder.name),
        )
        event.listen(self.scenario.outbox._database._engine, "connect", need_not_reach_the_disk)
        self.must_know: set[tuple[str, datetime, str]] = set()
        self.must_hear_the_end: set[tuple[str, datetime, str]] = set()
        self.open: dict[str, datetime] = {}

    @rule(signal=st.sampled_from(SIGNALS), subject=SUBJECTS, severity=st.sampled_from(Severity))
    def raise_alert(self, signal: Signal, subject: str, severity: Severity) -> None:
        alert = failure(subject, severity, signal)
        # An alert that opens again is told from its former life by the moment.
        self.scenario.wait(seconds=1)
        self.scenario.raise_alert(alert)
        opened = self.open.setdefault(alert.fingerprint, self.scenario.now)
        route = self.scenario.environment.alerts.routes.of(alert.kind)
        self.must_know |= {(alert.fingerprint, opened, each.recipient) for each in route.to}

    @rule(signal=st.sampled_from(SIGNALS), subject=SUBJECTS)
    def resolve(self, signal: Signal, subject: str) -> None:
        alert = failure(subject, signal=signal)
        was_open = self.scenario.resolve(alert)
        opened = self.open.pop(alert.fingerprint, None)
        assert was_open == (opened is not None)
        self.must_hear_the_end |= {
            episode for episode in self.must_know if episode[:2] == (alert.fingerprint, opened)
        }

    @rule(
        slack=st.sampled_from(list(MOODS)),
        email=st.sampled_from([mood for mood in MOODS if mood != "refuses"]),
    )
    def change_moods(self, slack: str, email: str) -> None:
        self.told.mood = {Channel.SLACK: slack, Channel.EMAIL: email}

    @rule(minutes=st.sampled_from([1, 10, 45, 400, 1500]))
    def wait(self, minutes: int) -> None:
        self.scenario.wait(minutes=minutes)

    @rule()
    def deliver(self) -> None:
        self.scenario.wait(seconds=1)
        self.scenario.deliver()

    @rule(signal=st.sampled_from(SIGNALS), subject=SUBJECTS, severity=st.sampled_from(Severity))
    def deliver_while_raising(self, signal: Signal, subject: str, severity: Severity) -> None:
        self.told.meanwhile = partial(self.raise_alert, signal, subject, severity)
        self.deliver()
        self.told.meanwhile = None

    @rule(signal=st.sampled_from(SIGNALS), subject=SUBJECTS)
    def deliver_while_resolving(self, signal: Signal, subject: str) -> None:
        self.told.meanwhile = partial(self.resolve, signal, subject)
        self.deliver()
        self.told.meanwhile = None

    @rule(signal=st.sampled_from(SIGNALS), subject=SUBJECTS)
    def deliver_while_another_delivers(self, signal: Signal, subject: str) -> None:
        def resolve_and_deliver() -> None:
            self.resolve(signal, subject)
            self.scenario.deliver()

        self.told.meanwhile = resolve_and_deliver
        self.deliver()
        self.told.meanwhile = None

    @invariant()
    def nothing_is_told_twice(self) -> None:
        if hasattr(self, "told"):
            assert self.told.violations == []
            assert not [key for key, count in self.told.deliveries.items() if count > 1]
            assert not [key for key, count in self.told.states.items() if count > 1]

    def teardown(self) -> None:
        if not hasattr(self, "told"):
            return
        self.told.mood = dict.fromkeys(Channel, "works")
        end = self.scenario.now + LONG_ENOUGH
        while self.scenario.now < end:
            self.scenario.wait(hours=4)
            self.scenario.deliver()
        self.nothing_is_told_twice()
        assert self.must_know <= self.told.episodes
        ends = {
            (fingerprint, opened, recipient)
            for fingerprint, opened, happened, _, recipient, _ in self.told.states
            if happened == Event.RESOLVED
        }
        assert self.must_hear_the_end <= ends
        assert self.scenario.outbox.backlog(self.scenario.now).overdue == 0
        assert not [each for each in self.scenario.outbox.alerts() if each.waiting]
        self.folder.cleanup()


def run(monkeypatch: pytest.MonkeyPatch, examples: int, *phases: Phase) -> None:
    AlertsAndTheirTelling.patch = monkeypatch
    run_state_machine_as_test(
        AlertsAndTheirTelling,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=True,
            phases=phases or tuple(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_loses_or_doubles_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, 25)


def nothing(*_: object, **__: object) -> None:
    pass


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        # Sent again and again.
        (DeliveryQueue, "record_sent"),
        # Nobody to be told.
        (Outbox, "_plan"),
        # Nobody to be told that it is over.
        (Outbox, "_tell_that_it_is_over"),
    ],
)
def test_the_property_notices_an_outbox_that_leaves_out_a_step(
    monkeypatch: pytest.MonkeyPatch, owner: object, step: str
) -> None:
    monkeypatch.setattr(owner, step, nothing)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(monkeypatch, 100, Phase.generate)
