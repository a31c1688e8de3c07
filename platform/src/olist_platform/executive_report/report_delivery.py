"""The report's way out: to the executives once a day, or to a file."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

from olist_platform.alerts.channel_errors import NotSentError
from olist_platform.alerts.outbox_database import open_database
from olist_platform.alerts.router import open_outbox
from olist_platform.alerts.smtp_transport import LOCAL_SENDER, send_by_smtp
from olist_platform.dashboards.dashboard_settings import ExecutiveReportSettings
from olist_platform.dashboards.published_marts import open_published_marts
from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executive_report.report import ExecutiveReport, compose_report
from olist_platform.executive_report.report_message import (
    message_id,
    report_message,
    report_page,
)
from olist_platform.executive_report.report_record import ReportRecord
from olist_platform.repository import state_folder

Clock = Callable[[], datetime]


class Outcome(StrEnum):
    """What became of a report."""

    SENT = "sent"
    ALREADY_SENT = "already sent"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report's end.

    Attributes:
        outcome: What became of it.
        title: What it is.
        where: The recipient's address, or the file.
    """

    outcome: Outcome
    title: str
    where: str


def report_settings(environment: Environment) -> ExecutiveReportSettings:
    """Return the settings of an environment's report.

    Raises:
        OlistError: The environment sends none.
    """
    settings = environment.dashboards.executive_report
    if settings is None:
        raise OlistError(
            f"environment '{environment.name}' sends no report to executives",
            f"set dashboards.executive_report in environments/{environment.name}.yaml",
        )
    return settings


def current_report(
    environment: Environment, now: datetime, reference: date | None = None
) -> ExecutiveReport:
    """Put the report of what is published into words.

    Args:
        environment: Whose report.
        now: The moment, with a time zone.
        reference: Day whose report it is; that of what is published unless told.

    Raises:
        OlistError: The environment sends none, nothing is published, or something cannot be read.
    """
    settings = report_settings(environment)
    open_alerts = open_outbox(environment).alerts()
    with open_published_marts(environment) as marts:
        return compose_report(
            environment,
            marts,
            open_alerts,
            now,
            numbers=settings.numbers,
            reference=reference,
        )


def deliver_report(environment: Environment, clock: Clock) -> Delivered:
    """Send the report of what is published to the executives, unless it has gone already.

    The day is that of the publication: a task that is tried again sends nothing twice. A process
    that dies after the mail server took the message and before that is recorded leaves it to be
    sent again, under the same Message-ID. Without a mail server the report is written to a file.

    Args:
        environment: Whose report.
        clock: Returns the moment, with a time zone.

    Raises:
        OlistError: The report cannot be made or the mail server did not take it; try again.
    """
    report = current_report(environment, clock())
    smtp = environment.alerts.email
    if smtp is None:
        path = reports_folder(environment) / f"{message_id(report)}.eml"
        write_report(environment, report, path, clock())
        return Delivered(Outcome.WRITTEN, report.title, str(path))
    name, address = message_id(report), recipient_address(environment)
    record = ReportRecord(open_database(environment))
    claim = record.claim(name, f"{socket.gethostname()[:40]}:{os.getpid()}", clock())
    if claim.sent_at is not None:
        return Delivered(Outcome.ALREADY_SENT, report.title, address)
    if not claim.is_ours:
        raise OlistError(
            f"the report {name} is being sent by {claim.held_by}",
            "try again in five minutes: if it did not go, it can be taken over then",
        )
    message = _dated(report_message(report, smtp.sender, address), clock())
    sent_at = None
    try:
        send_by_smtp(smtp, message, environment.alerts.delivery.timeout_seconds)
        sent_at = clock()
    except NotSentError as error:
        raise OlistError(
            f"the report {name} did not go: {error}",
            "mend what is named, then run the same command or clear the task again",
        ) from error
    finally:
        record.release(name, sent_at)
    return Delivered(Outcome.SENT, report.title, address)


def write_report(
    environment: Environment, report: ExecutiveReport, path: Path, now: datetime
) -> None:
    """Write a report to a file: `.html` for a browser, `.eml` as it would be sent.

    Raises:
        OlistError: The file's name has another ending, or it cannot be written.
    """
    match path.suffix:
        case ".html":
            content = report_page(report).encode()
        case ".eml":
            sender = environment.alerts.email.sender if environment.alerts.email else LOCAL_SENDER
            message = report_message(report, sender, recipient_address(environment))
            content = _dated(message, now).as_bytes(policy=SMTP_POLICY)
        case _:
            raise OlistError(
                f"{path}: a report is written as .eml or .html", "end the file's name so"
            )
    partial = path.with_name(f"{path.name}.part")
    with os_errors_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)


def reports_folder(environment: Environment) -> Path:
    """Folder of the reports of an environment without a mail server."""
    return state_folder(environment.name) / "executive-reports"


def recipient_address(environment: Environment) -> str:
    """Return the address the report goes to.

    Raises:
        OlistError: The environment sends none.
    """
    return environment.alerts.recipients[report_settings(environment).to].email


def _dated(message: EmailMessage, now: datetime) -> EmailMessage:
    message["Date"] = format_datetime(now)
    return message
