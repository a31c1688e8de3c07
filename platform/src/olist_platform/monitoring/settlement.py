"""From findings to alerts: what fails is raised, what is found healthy again is resolved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Signal
from olist_platform.alerts.outbox import Raised, StoredAlert
from olist_platform.alerts.router import open_outbox
from olist_platform.environment import Environment
from olist_platform.monitoring.check_result import Check, CheckResult, State

# Raised by these checks alone, so what they do not speak of any more is over: a day that has left
# the window, a warehouse that is gone, a query that nobody repeats.
_OVER_WHEN_SILENT = {
    Signal.VOLUME,
    Signal.DISTRIBUTION,
    Signal.QUALITY_SCORE,
    Signal.COST_BUDGET,
    Signal.SLOW_RUN,
    Signal.ORDER_ANOMALIES,
    Signal.FRAUD_QUEUE,
    Signal.BUSINESS_FIGURES,
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a pass changed in the outbox.

    Attributes:
        raised: Alerts that people are told of: new ones, and those that became worse.
        repeated: How many were open already, or only follow from another.
        resolved: Alerts that are over.
    """

    raised: tuple[Alert, ...]
    repeated: int
    resolved: tuple[Alert, ...]


def settle(
    environment: Environment,
    results: Sequence[CheckResult],
    open_alerts: Sequence[StoredAlert],
    now: datetime,
) -> Settlement:
    """Raise and resolve the alerts of an environment by what its checks found.

    Raises:
        OlistError: The outbox cannot be written.
    """
    outbox = open_outbox(environment)
    open_now = {stored.fingerprint: stored.alert for stored in open_alerts}
    raised, repeated = [], 0
    # Causes before what follows from them, so that nobody is told of both.
    for result in sorted(results, key=lambda each: each.caused_by is not None):
        if result.is_failing:
            alert = result.alert(environment.name)
            raise_it = (
                outbox.raise_anew
                if _has_grown(result, open_now.get(alert.fingerprint))
                else outbox.raise_alert
            )
            if raise_it(alert, now) in (Raised.NEW, Raised.WORSENED):
                raised.append(alert)
            else:
                repeated += 1
    over = [
        stored.alert
        for stored in open_alerts
        if is_over(environment, stored, results) and outbox.resolve(stored.fingerprint, now)
    ]
    return Settlement(tuple(raised), repeated, tuple(over))


def _has_grown(result: CheckResult, told: Alert | None) -> bool:
    """Whether more urgent orders wait than when an alert was raised last: somebody must look."""
    return (
        result.check is Check.FRAUD_QUEUE
        and told is not None
        and told.measurement is not None
        and result.value is not None
        and result.value > told.measurement.value
    )


def is_over(environment: Environment, stored: StoredAlert, results: Sequence[CheckResult]) -> bool:
    """Return whether what an open alert tells of is over by the findings of a pass."""
    signal = stored.alert.signal
    found = [
        result for result in results if result.fingerprint(environment.name) == stored.fingerprint
    ]
    if any(result.is_failing for result in found):
        return False
    for result in found:
        if result.state is State.HEALTHY:
            # A DAG raises failed tests too, maybe of a run that is younger than what was seen here.
            return signal is not Signal.TEST_FAILURE or result.observed_at >= stored.first_raised_at
    if found and signal is Signal.SLOW_RUN:
        # A full refresh without history says nothing of the run that was slow.
        return False
    return signal in _OVER_WHEN_SILENT and _speaks(signal, results)


def _speaks(signal: Signal, results: Sequence[CheckResult]) -> bool:
    """Whether every check of a signal said something; one that could not look says nothing."""
    speaking = {result.check for result in results}
    return all(check in speaking for check in _CHECKS[signal])


_CHECKS = {
    signal: [check for check in Check if check.signal is signal]
    for signal in {check.signal for check in Check}
}
