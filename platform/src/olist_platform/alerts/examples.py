"""One example of every signal: what previews, the documentation and tests of routes show."""

from datetime import UTC, datetime, timedelta

from olist_platform.alerts.alert import Alert, Measurement
from olist_platform.alerts.kinds import DATA_PLATFORM, Severity, Signal
from olist_platform.alerts.notice import Event, Notice
from olist_platform.naming import EnvironmentName

# A working morning in Sao Paulo, outside everybody's quiet hours.
EXAMPLE_MOMENT = datetime(2018, 9, 3, 12, 15, tzinfo=UTC)
_LOG = "https://airflow.olist.example/dags/olist_production/runs/scheduled__2018-09-03/tasks/"
_DOCS = "https://docs.olist.example/dbt/#!/model/model.olist."
_EXAMPLE_DURATION = timedelta(hours=2, minutes=5)


def example_alerts(environment: EnvironmentName) -> list[Alert]:
    """Return an alert of every signal, as an environment would raise it."""
    examples = [
        Alert(
            environment=environment,
            signal=Signal.TASK_FAILURE,
            subject="olist_production.int_orders",
            severity=Severity.HIGH,
            owner="analytics_engineering",
            summary="The task failed on its last try; nothing is published, the former marts stay.",
            details=(
                "Conversion Error: Could not convert string 'Chegou tudo certo' to INT32",
                "Model int_orders (models/intermediate/int_orders.sql)",
            ),
            log=f"{_LOG}dbt.int_orders_run",
            docs=f"{_DOCS}int_orders",
        ),
        Alert(
            environment=environment,
            signal=Signal.LOAD_REJECTED,
            subject="orders",
            severity=Severity.HIGH,
            owner=DATA_PLATFORM,
            summary="A landing file cannot be loaded; the other files are loaded.",
            measurement=Measurement(value=1, at_most=0, unit="rejected files"),
            details=(
                "orders/dt=2018-09-03/olist_orders_dataset.csv.gz: the gzip stream is cut off",
            ),
            log=f"{_LOG}load_raw",
        ),
        Alert(
            environment=environment,
            signal=Signal.TEST_FAILURE,
            subject="relationships_int_orders_customer_id",
            severity=Severity.HIGH,
            owner="analytics_engineering",
            summary="A data test of int_orders failed.",
            measurement=Measurement(value=3, at_most=0, unit="failing rows"),
            log=f"{_LOG}dbt.int_orders_test",
            docs=f"{_DOCS}int_orders",
        ),
        Alert(
            environment=environment,
            signal=Signal.QUALITY_SCORE,
            subject="reviews",
            severity=Severity.MEDIUM,
            owner=DATA_PLATFORM,
            summary="The quality score of a dataset fell to the tier Poor.",
            measurement=Measurement(value=0.87, at_least=0.9, unit="points"),
            docs=f"{_DOCS}monitoring_data_quality",
        ),
        Alert(
            environment=environment,
            signal=Signal.FRESHNESS,
            subject="stg_orders",
            severity=Severity.MEDIUM,
            owner=DATA_PLATFORM,
            summary="The newest business date lies too far behind the reference date.",
            measurement=Measurement(value=5, at_most=3, unit="days"),
            docs=f"{_DOCS}monitoring_freshness",
        ),
        Alert(
            environment=environment,
            signal=Signal.VOLUME,
            subject="orders",
            severity=Severity.MEDIUM,
            owner=DATA_PLATFORM,
            summary="Far fewer rows than on the same weekday of the weeks before, on 2018-09-02.",
            measurement=Measurement(value=61, at_least=182, at_most=318, unit="rows"),
            docs=f"{_DOCS}monitoring_volume",
        ),
        Alert(
            environment=environment,
            signal=Signal.DISTRIBUTION,
            subject="stg_order_items.freight_value",
            severity=Severity.LOW,
            owner=DATA_PLATFORM,
            summary="The mean of a measure lies outside its bounds.",
            measurement=Measurement(value=41.7, at_least=10, at_most=35, unit="BRL"),
            docs=f"{_DOCS}monitoring_column_profile",
        ),
        Alert(
            environment=environment,
            signal=Signal.SCHEMA_DRIFT,
            subject="raw.payments",
            severity=Severity.HIGH,
            owner=DATA_PLATFORM,
            summary="Landing files of payments have other columns than the source catalog declares;"
            " all others are loaded.",
            measurement=Measurement(value=1, at_most=0, unit="rejected files"),
            details=(
                "payments/dt=2018-09-02/p.csv.gz: wrong header: missing payment_installments",
            ),
        ),
        Alert(
            environment=environment,
            signal=Signal.COST_BUDGET,
            subject="month 2018-09",
            severity=Severity.HIGH,
            owner="finance_reporting",
            summary="The month's cost has passed 90 % of its budget; the forecast is 118 %.",
            measurement=Measurement(value=91.4, at_most=90, unit="%"),
            docs=f"{_DOCS}monitoring_run_costs",
        ),
        Alert(
            environment=environment,
            signal=Signal.DASHBOARDS_LATE,
            subject="executive_performance",
            severity=Severity.CRITICAL,
            owner=DATA_PLATFORM,
            summary="The executive dashboards are not ready; the production run still builds.",
            measurement=Measurement(value=75, at_most=0, unit="minutes late"),
            log=f"{_LOG}publish_marts",
        ),
        Alert(
            environment=environment,
            signal=Signal.ORDER_ANOMALIES,
            subject="severe_anomaly_share 2018-08",
            severity=Severity.HIGH,
            owner="operations_reporting",
            summary="More orders than usual are anomalies of severity High or Critical.",
            measurement=Measurement(value=5.2, at_most=4, unit="%"),
            docs=f"{_DOCS}int_order_anomalies",
        ),
        Alert(
            environment=environment,
            signal=Signal.BUSINESS_FIGURES,
            subject="week from 2018-08-27",
            severity=Severity.MEDIUM,
            owner="executive_reporting",
            summary="An executive figure of the last complete week is below its threshold.",
            measurement=Measurement(value=81.2, at_least=85, unit="%"),
            docs=f"{_DOCS}mart_executive_kpis",
        ),
        Alert(
            environment=environment,
            signal=Signal.FRAUD_QUEUE,
            subject="P0",
            severity=Severity.CRITICAL,
            owner="operations_reporting",
            summary="Orders of the most urgent fraud severity wait for an answer.",
            measurement=Measurement(value=2, at_most=0, unit="open orders"),
            details=("Value at risk: 3,412.50 BRL",),
            docs=f"{_DOCS}mart_fraud_monitoring",
        ),
        Alert(
            environment=environment,
            signal=Signal.MODEL_FIT,
            subject="churn",
            severity=Severity.MEDIUM,
            owner="analytics_engineering",
            summary="A fit of the model may not score; the version before it goes on scoring.",
            details=(
                "Worse on the back-test beyond chance: log score -0.0461 against -0.0449 before.",
                "Data of 2017-03-07 to 2018-03-02, 180 days after, 131456 rows",
            ),
            log=f"{_LOG}fit_models",
            docs=f"{_DOCS}int_model_parameters",
        ),
        Alert(
            environment=environment,
            signal=Signal.SLOW_RUN,
            subject="int_customer_360",
            severity=Severity.LOW,
            owner="analytics_engineering",
            summary="A model takes far longer than its median of the runs before.",
            measurement=Measurement(value=412, at_most=180, unit="seconds"),
            docs=f"{_DOCS}monitoring_run_history",
        ),
        Alert(
            environment=environment,
            signal=Signal.ALERT_DELIVERY,
            subject="outbox",
            severity=Severity.HIGH,
            owner=DATA_PLATFORM,
            summary="Alerts are not delivered: 63 overdue in the outbox.",
            measurement=Measurement(value=63, at_most=50, unit="overdue messages"),
            details=("Slack answered 503: service_unavailable",),
        ),
        Alert(
            environment=environment,
            signal=Signal.PLATFORM_HEALTH,
            subject="scheduler",
            severity=Severity.HIGH,
            owner=DATA_PLATFORM,
            summary="The Airflow scheduler has not sent a heartbeat.",
            measurement=Measurement(value=11, at_most=5, unit="minutes"),
        ),
    ]
    return sorted(examples, key=lambda alert: list(Signal).index(alert.signal))


def example_notices(environment: EnvironmentName) -> list[Notice]:
    """Return every way in which a notice can look beside a first telling."""
    failure, *_ = example_alerts(environment)
    late = next(
        each for each in example_alerts(environment) if each.signal is Signal.DASHBOARDS_LATE
    )
    return [
        Notice(
            failure,
            Event.RAISED,
            occurrences=3,
            first_raised_at=EXAMPLE_MOMENT,
            last_raised_at=EXAMPLE_MOMENT + timedelta(minutes=20),
            affected=tuple(f"olist_production.{name}" for name in _SKIPPED),
        ),
        Notice(
            late,
            Event.ESCALATED,
            occurrences=2,
            first_raised_at=EXAMPLE_MOMENT,
            last_raised_at=EXAMPLE_MOMENT + timedelta(minutes=30),
        ),
        Notice(
            failure,
            Event.RESOLVED,
            occurrences=3,
            first_raised_at=EXAMPLE_MOMENT,
            last_raised_at=EXAMPLE_MOMENT + timedelta(minutes=20),
            resolved_at=EXAMPLE_MOMENT + _EXAMPLE_DURATION,
        ),
    ]


def example_digest(environment: EnvironmentName) -> tuple[Notice, ...]:
    """Return the notices of a digest: what is small, and what is over."""
    small = [alert for alert in example_alerts(environment) if alert.severity is Severity.LOW]
    raised = [Notice(alert, Event.RAISED, 1, EXAMPLE_MOMENT, EXAMPLE_MOMENT) for alert in small]
    return (*raised, example_notices(environment)[-1])


_SKIPPED = (
    "int_order_anomalies",
    "mart_executive_kpis",
    "mart_fraud_monitoring",
    "mart_logistics_performance",
    "mart_seller_management",
    "mart_unit_economics",
    "publish_marts",
)
