"""Everything that a pass looks at, read once."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from olist_platform.alerts.kinds import Signal
from olist_platform.alerts.outbox import Backlog, StoredAlert
from olist_platform.alerts.router import open_outbox
from olist_platform.cost.account_usage import Question, WarehouseDay, query_durations
from olist_platform.cost.month import ask, read_run_costs, read_warehouse_days
from olist_platform.environment import Environment, SnowflakeWarehouse
from olist_platform.errors import OlistError
from olist_platform.monitoring.airflow_history import AirflowRun, airflow_runs
from olist_platform.monitoring.dashboards import PUBLICATION
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.monitored_warehouse import (
    MonitoredWarehouse,
    Row,
    open_monitored_warehouse,
)
from olist_platform.naming import Workload

_QUERY_DAYS = 14

WAREHOUSE, ACCOUNT_USAGE, AIRFLOW = "warehouse", "account usage", "airflow database"

OpenWarehouse = Callable[[Environment], AbstractContextManager[MonitoredWarehouse]]

# Relation, columns, clauses: the same on both engines.
_QUESTIONS = {
    "publication": PUBLICATION,
    "freshness": (
        "monitoring.monitoring_freshness",
        """relation, layer, newest_business_date, as_of_date, business_lag_days, newest_loaded_at,
        max_business_lag_days, freshness_status""",
    ),
    "quality": (
        "monitoring.monitoring_data_quality",
        """dataset, quality_score, quality_tier, completeness, avg_data_quality_score,
        quarantined_share""",
    ),
    "profile": (
        "monitoring.monitoring_column_profile",
        """relation, column_name, null_share, minimum, mean, maximum, max_null_share, min_mean,
        max_mean, min_value, max_value, is_judged, out_of_bounds""",
    ),
    "volume": (
        "monitoring.monitoring_volume",
        """dataset, business_date, row_count, expected_low, expected_high, is_judged, is_anomaly,
        anomaly_direction""",
        "where is_in_detection_window",
    ),
    "segments": (
        "monitoring.monitoring_segment_volume",
        """dimension, segment, business_date, row_count, expected_low, expected_high, is_judged,
        is_anomaly, anomaly_direction""",
        "where is_in_detection_window",
    ),
    "anomalies": (
        "monitoring.monitoring_order_anomalies",
        """purchase_month, orders, anomaly_share, severe_anomaly_share, max_anomaly_share,
        max_severe_anomaly_share, is_judged""",
    ),
    # Numbers only: orders and customers of the queue are nobody's business here.
    "fraud": (
        "serving.mart_fraud_monitoring",
        """severity, count(case when alert_status in ('Open', 'Overdue') then 1 end) as orders,
        sum(case when alert_status in ('Open', 'Overdue') then value_at_risk end)
        as value_at_risk""",
        "group by severity",
    ),
    "figures": (
        "serving.mart_executive_kpis",
        "period_type, period_start, is_alert, alert_reasons",
        "where is_complete and period_type in ('week', 'month')",
    ),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen. A relation that is not built yet has no rows.

    Attributes:
        at: The moment.
        runs: Nodes of dbt's runs, oldest first.
        tables: Rows by the name of their question.
        airflow: Runs of DAGs and tasks, oldest first.
        warehouse_days: What Snowflake metered, newest first.
        queries: Queries of Snowflake's readers, oldest first.
        backlog: What is overdue in the outbox.
        open_alerts: Alerts that are open.
        problems: What could not be looked at, and why.
    """

    at: datetime
    backlog: Backlog
    open_alerts: list[StoredAlert]
    runs: list[Row] = field(default_factory=list)
    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    airflow: list[AirflowRun] = field(default_factory=list)
    warehouse_days: list[WarehouseDay] = field(default_factory=list)
    queries: list[Row] = field(default_factory=list)
    problems: Mapping[str, str] = field(default_factory=dict)

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a question."""
        return self.tables.get(name, [])

    def open_subjects(self, signal: Signal) -> set[str]:
        """Return the subjects of the open alerts of a signal."""
        return {each.alert.subject for each in self.open_alerts if each.alert.signal is signal}


def observe(
    environment: Environment,
    now: datetime,
    expectations: Expectations,
    open_warehouse: OpenWarehouse = open_monitored_warehouse,
) -> Observation:
    """Look at everything; what cannot be looked at is a problem of the observation.

    Raises:
        OlistError: The outbox cannot be read: then nobody could be told either.
    """
    outbox = open_outbox(environment)
    problems: dict[str, str] = {}
    runs: list[Row] = []
    tables: dict[str, list[Row]] = {}
    days: list[WarehouseDay] = []
    queries: list[Row] = []
    airflow: list[AirflowRun] = []
    try:
        with open_warehouse(environment) as warehouse:
            runs = read_run_costs(environment, warehouse, now)
            tables = {name: warehouse.rows(*asked) for name, asked in _QUESTIONS.items()}
            if isinstance(environment.warehouse, SnowflakeWarehouse):
                try:
                    days = read_warehouse_days(warehouse, now)
                    queries = ask(warehouse, _readers_queries(environment, now))[::-1]
                except OlistError as error:
                    problems[ACCOUNT_USAGE] = error.message
    except OlistError as error:
        problems[WAREHOUSE] = error.message
    try:
        airflow = airflow_runs(environment, now, expectations.run_history_days)
    except OlistError as error:
        problems[AIRFLOW] = error.message
    return Observation(
        at=now,
        backlog=outbox.backlog(now),
        open_alerts=outbox.alerts(),
        runs=runs,
        tables=tables,
        airflow=airflow,
        warehouse_days=days,
        queries=queries,
        problems=problems,
    )


def _readers_queries(environment: Environment, now: datetime) -> Question:
    """Those of dashboards and people; of the builds, dbt itself tells."""
    warehouse = environment.names.warehouse(Workload.REPORT)
    return query_durations(now - timedelta(days=_QUERY_DAYS), warehouse)
