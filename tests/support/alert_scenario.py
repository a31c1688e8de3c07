"""Alerts of one environment on an outbox of its own, with a clock that a test moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.delivery_queue import DeliveryQueue
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import Outbox, Raised
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.router import DeliveryReport, deliver
from olist_platform.environment import Environment
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT
from yaml_files import read_yaml

# A Monday, 10:00 in Sao Paulo.
MORNING = datetime(2018, 9, 3, 13, 0, tzinfo=UTC)


def environment(
    name: EnvironmentName = EnvironmentName.PROD,
    *,
    slack_url: str | None = None,
    smtp_port: int | None = None,
    **alerts: Any,
) -> Environment:
    """An environment of the checkout, with Slack and mail server of a test and other settings."""
    path = ROOT / "environments" / f"{name}.yaml"
    content = read_yaml(path)
    if slack_url:
        content["alerts"]["slack"] = {
            "api_url": slack_url,
            "token": {"environment_variable": "OLIST_SLACK_TOKEN"},
        }
    if smtp_port:
        content["alerts"]["email"] = {
            "host": "127.0.0.1",
            "port": smtp_port,
            "starttls": False,
            "user": None,
            "password": None,
            "sender": "olist-platform@olist.example",
        }
    for key, value in alerts.items():
        section = content["alerts"]
        *parents, last = key.split("__")
        for parent in parents:
            section = section[parent]
        section[last] = value
    return Environment.model_validate(content)


def failure(
    subject: str = "olist_production.int_orders",
    severity: Severity = Severity.HIGH,
    signal: Signal = Signal.TASK_FAILURE,
    **others: Any,
) -> Alert:
    values: dict[str, Any] = {
        "environment": EnvironmentName.PROD,
        "signal": signal,
        "subject": subject,
        "severity": severity,
        "owner": "data_platform",
        "summary": "The task failed.",
    }
    return Alert(**(values | others))


class Scenario:
    def __init__(self, settings: Environment, folder: Path) -> None:
        self.environment = settings
        self.folder = folder
        self.now = MORNING
        database = OutboxDatabase.in_file(folder / "outbox.sqlite")
        self.outbox = Outbox(database, settings)
        self.queue = DeliveryQueue(database, settings)

    def clock(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def raise_alert(self, alert: Alert) -> Raised:
        return self.outbox.raise_alert(alert, self.now)

    def resolve(self, alert: Alert) -> bool:
        return self.outbox.resolve(alert.fingerprint, self.now)

    def deliver(self) -> DeliveryReport:
        return deliver(self.queue, self.environment, self.clock, self.folder / "delivered")
