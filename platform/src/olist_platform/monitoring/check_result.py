"""What a check finds of one subject: a figure, what is expected of it, and how that stands."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import isfinite

from olist_platform.alerts.alert import Alert, Measurement, fingerprint_of
from olist_platform.alerts.kinds import DATA_PLATFORM, Severity, Signal
from olist_platform.naming import EnvironmentName


class Check(StrEnum):
    """The closed set of checks. Each raises alerts of one signal."""

    SOURCE_FRESHNESS = "source_freshness"
    DATA_FRESHNESS = "data_freshness"
    MART_FRESHNESS = "mart_freshness"
    VOLUME = "volume"
    SEGMENT_VOLUME = "segment_volume"
    DISTRIBUTION = "distribution"
    QUALITY_SCORE = "quality_score"
    DATA_TEST = "data_test"
    NODE_DURATION = "node_duration"
    TASK_DURATION = "task_duration"
    RUN_DURATION = "run_duration"
    QUERY_DURATION = "query_duration"
    BUDGET = "budget"
    DASHBOARDS = "dashboards"
    ORDER_ANOMALIES = "order_anomalies"
    FRAUD_QUEUE = "fraud_queue"
    BUSINESS_FIGURES = "business_figures"
    ALERT_DELIVERY = "alert_delivery"
    OBSERVATION = "observation"

    @property
    def signal(self) -> Signal:
        """The signal of every alert that this check raises."""
        return _SIGNALS[self]


_SIGNALS = {
    Check.SOURCE_FRESHNESS: Signal.FRESHNESS,
    Check.DATA_FRESHNESS: Signal.FRESHNESS,
    Check.MART_FRESHNESS: Signal.FRESHNESS,
    Check.VOLUME: Signal.VOLUME,
    Check.SEGMENT_VOLUME: Signal.VOLUME,
    Check.DISTRIBUTION: Signal.DISTRIBUTION,
    Check.QUALITY_SCORE: Signal.QUALITY_SCORE,
    Check.DATA_TEST: Signal.TEST_FAILURE,
    Check.NODE_DURATION: Signal.SLOW_RUN,
    Check.TASK_DURATION: Signal.SLOW_RUN,
    Check.RUN_DURATION: Signal.SLOW_RUN,
    Check.QUERY_DURATION: Signal.SLOW_RUN,
    Check.BUDGET: Signal.COST_BUDGET,
    Check.DASHBOARDS: Signal.DASHBOARDS_LATE,
    Check.ORDER_ANOMALIES: Signal.ORDER_ANOMALIES,
    Check.FRAUD_QUEUE: Signal.FRAUD_QUEUE,
    Check.BUSINESS_FIGURES: Signal.BUSINESS_FIGURES,
    Check.ALERT_DELIVERY: Signal.ALERT_DELIVERY,
    Check.OBSERVATION: Signal.PLATFORM_HEALTH,
}


class State(StrEnum):
    """How a subject stands, best first.

    `not_judged` is a figure without an expectation: too little history, or an environment that
    expects nothing of it.
    """

    HEALTHY = "healthy"
    NOT_JUDGED = "not_judged"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One subject of one check in one pass.

    Attributes:
        check: The check.
        subject: What was looked at; the same each time.
        state: How it stands.
        observed_at: The moment that the figure speaks of, UTC.
        value: The figure, in `unit`; None where there is nothing to measure.
        unit: Unit of value and bounds.
        at_least: Smallest value that is fine; None for no bound.
        at_most: Largest value that is fine; None for no bound.
        severity: How bad it is; None unless it fails.
        owner: Who looks after the subject.
        summary: What is wrong, one sentence; empty unless it fails.
        details: Lines that help.
        docs: Address of the subject's documentation.
        caused_by: Check and subject because of which this one fails too; people hear of that one.
        is_recorded: Whether it goes to the history. Of what there are hundreds (tests) only the
            failing ones and a count do.
    """

    check: Check
    subject: str
    state: State
    observed_at: datetime
    value: float | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    severity: Severity | None = None
    owner: str = DATA_PLATFORM
    summary: str = ""
    details: tuple[str, ...] = ()
    docs: str | None = None
    caused_by: tuple[Check, str] | None = None
    is_recorded: bool = True

    def __post_init__(self) -> None:
        if (self.state is State.FAILING) != (self.severity is not None and self.summary != ""):
            raise ValueError(f"{self.check} {self.subject}: severity and summary say what fails")

    @property
    def is_failing(self) -> bool:
        """Whether it fails."""
        return self.state is State.FAILING

    @property
    def identity(self) -> tuple[Check, str]:
        """Check and subject, as `caused_by` names them."""
        return self.check, self.subject

    @property
    def measurement(self) -> Measurement | None:
        """The figure against its bounds; None where one of them is no number."""
        figures = [each for each in (self.value, self.at_least, self.at_most) if each is not None]
        has_bound = self.at_least is not None or self.at_most is not None
        if self.value is None or not has_bound or not all(map(isfinite, figures)):
            return None
        return Measurement(
            value=self.value, at_least=self.at_least, at_most=self.at_most, unit=self.unit
        )

    def fingerprint(self, environment: EnvironmentName) -> str:
        """Identity of the alert about this subject."""
        return fingerprint_of(environment, self.check.signal, self.subject)

    def alert(self, environment: EnvironmentName) -> Alert:
        """Return the alert of a failing subject."""
        assert self.severity is not None, "only what fails is an alert"  # noqa: S101
        cause = self.caused_by and fingerprint_of(
            environment, self.caused_by[0].signal, self.caused_by[1]
        )
        return Alert(
            environment=environment,
            signal=self.check.signal,
            subject=self.subject,
            severity=self.severity,
            owner=self.owner,
            summary=self.summary,
            measurement=self.measurement,
            details=self.details,
            docs=self.docs,
            caused_by=cause,
        )


def over(check: Check, subject: str, observed_at: datetime) -> CheckResult:
    """Return the result of a subject that the project no longer has: its alert is over."""
    return CheckResult(
        check=check,
        subject=subject,
        state=State.HEALTHY,
        observed_at=observed_at,
        is_recorded=False,
    )


def follow_from_first(results: list[CheckResult]) -> list[CheckResult]:
    """Make all that fail follow from the first one that does: one fault, one alert."""
    failing = [result for result in results if result.is_failing and result.caused_by is None]
    if not failing:
        return results
    root = failing[0]
    return [
        replace(result, caused_by=root.identity)
        if result.is_failing and result.caused_by is None and result is not root
        else result
        for result in results
    ]
