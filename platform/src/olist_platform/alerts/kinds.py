"""The closed sets of alerts: what they are about, how bad, and which signals raise them."""

from collections.abc import Iterable
from enum import StrEnum

# The group of dbt that owns what no other one does.
DATA_PLATFORM = "data_platform"


class AlertKind(StrEnum):
    """What an alert is about; routes send by it."""

    PIPELINE_FAILURE = "pipeline_failure"
    DATA_QUALITY = "data_quality"
    COST_OVERRUN = "cost_overrun"
    SLA_BREACH = "sla_breach"
    ANOMALY = "anomaly"
    FRAUD = "fraud"
    SYSTEM_HEALTH = "system_health"

    @property
    def label(self) -> str:
        """The kind as people read it."""
        return "SLA breach" if self is AlertKind.SLA_BREACH else self.replace("_", " ").capitalize()


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)

    @staticmethod
    def worst(found: Iterable["Severity"]) -> "Severity | None":
        """Return the worst of some; None of none."""
        return min(found, key=lambda severity: severity.rank, default=None)

    def reaches(self, other: "Severity") -> bool:
        """Whether this is as bad as the other, or worse."""
        return self.rank <= other.rank


class Channel(StrEnum):
    """How a message travels."""

    SLACK = "slack"
    EMAIL = "email"


class Signal(StrEnum):
    """The condition that raises an alert. Each has a kind and a runbook of its own."""

    TASK_FAILURE = "task_failure"
    LOAD_REJECTED = "load_rejected"
    TEST_FAILURE = "test_failure"
    QUALITY_SCORE = "quality_score"
    FRESHNESS = "freshness"
    VOLUME = "volume"
    DISTRIBUTION = "distribution"
    SCHEMA_DRIFT = "schema_drift"
    COST_BUDGET = "cost_budget"
    DASHBOARDS_LATE = "dashboards_late"
    ORDER_ANOMALIES = "order_anomalies"
    BUSINESS_FIGURES = "business_figures"
    FRAUD_QUEUE = "fraud_queue"
    MODEL_FIT = "model_fit"
    SLOW_RUN = "slow_run"
    ALERT_DELIVERY = "alert_delivery"
    PLATFORM_HEALTH = "platform_health"

    @property
    def kind(self) -> AlertKind:
        """The kind of every alert that this signal raises."""
        return _KINDS[self]

    @property
    def runbook(self) -> str:
        """File name of its runbook in platform/docs/runbooks."""
        return f"{self.replace('_', '-')}.md"


_KINDS = {
    Signal.TASK_FAILURE: AlertKind.PIPELINE_FAILURE,
    Signal.LOAD_REJECTED: AlertKind.PIPELINE_FAILURE,
    Signal.TEST_FAILURE: AlertKind.DATA_QUALITY,
    Signal.QUALITY_SCORE: AlertKind.DATA_QUALITY,
    Signal.FRESHNESS: AlertKind.DATA_QUALITY,
    Signal.VOLUME: AlertKind.DATA_QUALITY,
    Signal.DISTRIBUTION: AlertKind.DATA_QUALITY,
    Signal.SCHEMA_DRIFT: AlertKind.PIPELINE_FAILURE,
    Signal.COST_BUDGET: AlertKind.COST_OVERRUN,
    Signal.DASHBOARDS_LATE: AlertKind.SLA_BREACH,
    Signal.ORDER_ANOMALIES: AlertKind.ANOMALY,
    Signal.BUSINESS_FIGURES: AlertKind.ANOMALY,
    Signal.FRAUD_QUEUE: AlertKind.FRAUD,
    Signal.MODEL_FIT: AlertKind.DATA_QUALITY,
    Signal.SLOW_RUN: AlertKind.SYSTEM_HEALTH,
    Signal.ALERT_DELIVERY: AlertKind.SYSTEM_HEALTH,
    Signal.PLATFORM_HEALTH: AlertKind.SYSTEM_HEALTH,
}
