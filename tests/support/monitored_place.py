"""An environment with something to watch: what builds leave, an Airflow, an outbox, a clock.

Rows are those of a quiet day unless a test changes them; what reads them is the real thing.
"""

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from olist_platform.airflow_home import airflow_home
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import StoredAlert
from olist_platform.alerts.router import DeliveryReport, deliver_due, delivered_folder, open_outbox
from olist_platform.dbt_command import monitoring_export_folder
from olist_platform.environment import Environment
from olist_platform.monitoring.hourly import MonitoringPass, run_checks
from olist_platform.monitoring.node_directory import NodeDirectory
from olist_workspace import ROOT
from yaml_files import read_yaml

# A Monday, 10:00 in Sao Paulo: the production run of the morning is done.
MORNING = datetime(2026, 9, 14, 13, 0, tzinfo=UTC)
BUILT_AT = MORNING.replace(hour=7)
MARTS = ("mart_executive_kpis", "mart_fraud_monitoring")
DIRECTORY = NodeDirectory(
    {"model.olist.int_customer_360": "analytics_engineering", "model.olist.stg_orders": "sources"},
    "https://docs.olist.example/dbt/",
)

Row = dict[str, Any]


def environment(**monitoring: Any) -> Environment:
    """The local environment with the hours of production."""
    content = read_yaml(ROOT / "environments" / "local.yaml")
    content["monitoring"] |= {
        "loaded_within_hours": 30,
        "published_within_hours": 30,
        "dashboards_ready_by": "06:30",
    } | monitoring
    return Environment.model_validate(content)


def node_run(
    node_id: str = "model.olist.int_customer_360",
    *,
    started_at: datetime = BUILT_AT,
    seconds: float = 10,
    **others: Any,
) -> Row:
    """A row of dbt_run_costs as a build on DuckDB leaves it."""
    kind = node_id.split(".", maxsplit=1)[0]
    started = started_at.replace(tzinfo=None)
    return {
        "invocation_id": f"run {started:%Y-%m-%d %H:%M}",
        "run_started_at": started,
        "captured_at": started + timedelta(minutes=5),
        "dag_id": "olist_production",
        "dag_run_id": f"scheduled__{started:%Y-%m-%d}",
        "command": "build",
        "target": "local",
        "full_refresh": False,
        "node_id": node_id,
        "resource_type": kind,
        "layer": "intermediate",
        "tested_node_id": "model.olist.int_customer_360" if "test" in kind else None,
        "materialized": "test" if "test" in kind else "table",
        "status": "pass" if "test" in kind else "success",
        "failures": 0 if "test" in kind else None,
        "message": None,
        "execution_time_s": seconds,
        "relation_rows": 5000,
        "warehouse": None,
        "credits_estimated": None,
        "credits_attributed": None,
        "notional_cost": seconds * 0.0005,
        "cost_basis": "notional",
    } | others


def freshness(relation: str, layer: str = "staging", **others: Any) -> Row:
    """A row of monitoring_freshness."""
    return {
        "relation": relation,
        "layer": layer,
        "newest_business_date": date(2018, 8, 31),
        "as_of_date": date(2018, 8, 31),
        "business_lag_days": 0,
        "newest_loaded_at": BUILT_AT.replace(tzinfo=None) if layer == "staging" else None,
        "max_business_lag_days": 3,
        "freshness_status": "fresh",
    } | others


def quality(dataset: str = "orders", score: float | None = 0.99) -> Row:
    """A row of monitoring_data_quality."""
    return {
        "dataset": dataset,
        "quality_score": score,
        "quality_tier": "Excellent",
        "completeness": score,
        "avg_data_quality_score": 1.0,
        "quarantined_share": 0.0,
    }


def profile(column: str = "price", **others: Any) -> Row:
    """A row of monitoring_column_profile."""
    return {
        "relation": "stg_order_items",
        "column_name": column,
        "null_share": 0.0,
        "minimum": 1.0,
        "mean": 120.0,
        "maximum": 900.0,
        "max_null_share": 0.0,
        "min_mean": 80.0,
        "max_mean": 180.0,
        "min_value": 0.0,
        "max_value": None,
        "is_judged": True,
        "out_of_bounds": None,
    } | others


def volume_day(rows: int = 250, day: date = date(2018, 8, 31), **others: Any) -> Row:
    """A row of monitoring_volume."""
    anomaly = rows < 182 or rows > 318
    return {
        "dataset": "orders",
        "business_date": day,
        "row_count": rows,
        "expected_low": 182.0,
        "expected_high": 318.0,
        "is_judged": True,
        "is_anomaly": anomaly,
        "anomaly_direction": ("drop" if rows < 182 else "spike") if anomaly else None,
        "is_in_detection_window": True,
    } | others


def anomaly_month(severe: float = 0.01, month: date = date(2018, 8, 1), **others: Any) -> Row:
    """A row of monitoring_order_anomalies."""
    return {
        "purchase_month": month,
        "orders": 6000,
        "anomaly_share": 0.1 + severe,
        "severe_anomaly_share": severe,
        "max_anomaly_share": 0.2,
        "max_severe_anomaly_share": 0.04,
        "is_judged": True,
    } | others


def segment_day(rows: int = 250, segment: str = "SP", **others: Any) -> Row:
    """A row of monitoring_segment_volume."""
    row = volume_day(rows, **others) | {"dimension": "customer_state", "segment": segment}
    del row["dataset"]
    return row


def quiet_tables() -> dict[str, list[Row]]:
    """What a build of a good morning leaves: six days of history behind it."""
    days = [BUILT_AT - timedelta(days=n) for n in range(6, -1, -1)]
    runs = [
        run
        for n, day in enumerate(days)
        for run in (
            node_run(started_at=day, seconds=10 + n % 3),
            node_run("test.olist.not_null_int_orders.0a1b", started_at=day, seconds=0.1),
        )
    ]
    return {
        "dbt_run_costs": runs,
        "monitoring_freshness": [
            freshness("stg_orders"),
            freshness("stg_reviews"),
            *(freshness(mart, "marts") for mart in MARTS),
        ],
        "monitoring_data_quality": [quality("orders"), quality("reviews")],
        "monitoring_column_profile": [profile("price"), profile("freight_value")],
        "monitoring_volume": [
            volume_day(dataset=dataset) for dataset in ("orders", "order_items", "reviews")
        ],
        "monitoring_order_anomalies": [anomaly_month(0.02, date(2018, 7, 1)), anomaly_month()],
        "monitoring_segment_volume": [segment_day(), segment_day(segment="RJ")],
    }


class MonitoredPlace:
    """An environment in a home of its own, whose clock a test moves."""

    def __init__(self, settings: Environment) -> None:
        self.environment = settings
        self.now = MORNING
        self.tables = quiet_tables()
        self.published_at = BUILT_AT + timedelta(minutes=10)
        self.fraud = [("P2", "Open", 80.0), ("P0", "Expired", 900.0)]
        self.figures: list[tuple[str, date, bool, str | None]] = [
            ("week", date(2018, 8, 20), False, None),
            ("month", date(2018, 8, 1), False, None),
        ]
        self.airflow_runs: list[tuple[str, str | None, str, datetime, datetime | None]] = []

    def clock(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def rebuild(self) -> None:
        """Publish and load again, now."""
        self.published_at = self.now
        for row in self.tables["monitoring_freshness"]:
            if row["layer"] == "staging":
                row["newest_loaded_at"] = self.now.replace(tzinfo=None)

    def run_checks(self) -> MonitoringPass:
        """Leave what there is to see, and let the checks look."""
        self.leave()
        return run_checks(self.environment, self.clock)

    def deliver(self) -> DeliveryReport:
        return deliver_due(self.environment, self.clock)

    def open_alerts(self) -> list[StoredAlert]:
        """Alerts that people are told of."""
        stored = open_outbox(self.environment).alerts()
        return [each for each in stored if not each.is_part_of_its_root]

    def told(self) -> list[tuple[Signal, str, Severity]]:
        return [(a.alert.signal, a.alert.subject, a.alert.severity) for a in self.open_alerts()]

    def messages(self) -> list[str]:
        """Every message delivered so far, as files of an environment without channels."""
        paths = sorted(delivered_folder(self.environment).iterdir())
        return [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in paths]

    def leave(self) -> None:
        folder = monitoring_export_folder(self.environment)
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            write_parquet(folder / f"{name}.parquet", rows)
        self._publish()
        self._leave_airflow()

    def _publish(self) -> None:
        path = self.environment.serving_path
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name("partial")
        with duckdb.connect(partial) as connection:
            connection.execute(
                "create table publication (relation_name varchar, row_count bigint,"
                " as_of_date date, published_at timestamp)"
            )
            moment = f"timestamp '{self.published_at:%Y-%m-%d %H:%M:%S}'"
            values = ", ".join(f"('{mart}', 7, date '2018-08-31', {moment})" for mart in MARTS)
            connection.execute(f"insert into publication values {values}")
            connection.execute(
                "create table mart_fraud_monitoring"
                " (severity varchar, alert_status varchar, value_at_risk decimal(18, 2))"
            )
            queue = ", ".join(
                f"('{severity}', '{how}', {brl})" for severity, how, brl in self.fraud
            )
            connection.execute(f"insert into mart_fraud_monitoring values {queue}")
            connection.execute(
                "create table mart_executive_kpis (period_type varchar, period_start date,"
                " is_alert boolean, alert_reasons varchar, is_complete boolean)"
            )
            periods = ", ".join(
                f"('{kind}', date '{start}', {is_alert}, '{reasons}', true)"
                for kind, start, is_alert, reasons in self.figures
            )
            connection.execute(f"insert into mart_executive_kpis values {periods}")
        partial.replace(path)

    def _leave_airflow(self) -> None:
        """The two tables of Airflow's metadata that are read, as its SQLite holds them."""
        path = airflow_home(self.environment) / "airflow.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("create table dag_run (dag_id, run_id, state, start_date, end_date)")
            connection.execute(
                "create table task_instance"
                " (dag_id, task_id, run_id, state, start_date, end_date, operator)"
            )
            for dag_id, task_id, state, start, end in self.airflow_runs:
                moments = [
                    each and each.replace(tzinfo=None).isoformat(" ") for each in (start, end)
                ]
                if task_id is None:
                    connection.execute(
                        "insert into dag_run values (?, ?, ?, ?, ?)",
                        [dag_id, f"run {start}", state, *moments],
                    )
                else:
                    connection.execute(
                        "insert into task_instance values (?, ?, ?, ?, ?, ?, ?)",
                        [dag_id, task_id, f"run {start}", state, *moments, _operator(task_id)],
                    )
        connection.close()


def _operator(task_id: str) -> str:
    if "." not in task_id:
        return "_PythonDecoratedOperator"
    is_producer = task_id.endswith("dbt_producer_watcher")
    return "DbtProducerWatcherOperator" if is_producer else "DbtRunWatcherOperator"


def write_parquet(path: Path, rows: list[Row]) -> None:
    """Write rows as dbt's export does: a file that takes the former one's name."""
    partial = path.with_suffix(".part")
    parquet.write_table(pa.Table.from_pylist(rows), partial)
    partial.replace(path)


MakePlace = Callable[..., MonitoredPlace]
