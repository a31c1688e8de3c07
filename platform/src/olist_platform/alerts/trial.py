"""Examples sent for real, through an outbox that lives only as long as the trial."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.delivery_queue import DeliveryQueue
from olist_platform.alerts.outbox import Outbox
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.alerts.router import DeliveryReport, deliver, delivered_folder
from olist_platform.alerts.schedule import next_digest
from olist_platform.environment import Environment

_PREFIX = "This is a test, nothing happened."


def send_examples(
    environment: Environment, alerts: Sequence[Alert], now: datetime
) -> DeliveryReport:
    """Send examples to their real recipients, each saying that it is a test.

    They go at once: the moments of the trial are those at which each would go, so a digest is sent
    as a digest, and nobody is told of a failure twice because a second try would come later.

    Raises:
        OlistError: The trial's outbox cannot be written.
    """
    settings = environment.alerts
    report = DeliveryReport()
    with TemporaryDirectory(prefix="olist-alerts-") as folder:
        database = OutboxDatabase.in_file(Path(folder) / "trial.sqlite")
        outbox, queue = Outbox(database, environment), DeliveryQueue(database, environment)
        for alert in alerts:
            outbox.raise_alert(_marked(alert), now)
        escalated = now + timedelta(minutes=settings.escalate_after_minutes)
        for moment in sorted({now, escalated, next_digest(now, settings)}):
            folder_of_files = delivered_folder(environment)
            at_that_moment = deliver(queue, environment, partial(_same, moment), folder_of_files)
            report.outcomes += at_that_moment.outcomes
    return report


def _same(moment: datetime) -> datetime:
    return moment


def _marked(alert: Alert) -> Alert:
    return alert.model_copy(update={"summary": f"{_PREFIX} {alert.summary}"})
