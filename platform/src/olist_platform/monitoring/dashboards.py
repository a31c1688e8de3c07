"""The pipeline's SLA: the dashboards are ready by the environment's hour."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from olist_platform.alerts.kinds import Severity
from olist_platform.moments import as_utc
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.monitored_warehouse import Row

DASHBOARDS = "dashboards"
# Relation and columns, as a monitored warehouse is asked for them.
PUBLICATION = ("serving.publication", "relation_name, row_count, as_of_date, published_at")


def last_due(ready_by: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the last moment by which dashboards had to be ready."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), ready_by, zone)
    if due > local:
        due = datetime.combine(local.date() - timedelta(days=1), ready_by, zone)
    return due


def dashboards(
    publication: Sequence[Row], ready_by: time | None, zone: ZoneInfo, now: datetime
) -> list[CheckResult]:
    """Judge whether the marts of the day were published by its hour.

    Args:
        publication: Rows of the table publication; none where nothing is published yet.
        ready_by: The hour, in `zone`; None where nobody waits for one.
        zone: Whose days and hours they are.
        now: The moment.
    """
    if ready_by is None:
        return []
    due = last_due(ready_by, zone, now)
    begin_of_day = datetime.combine(due.date(), time(0), zone)
    # All marts are published together; the oldest says since when that is so.
    published = min((as_utc(row["published_at"]) for row in publication), default=None)
    is_late = published is None or published < begin_of_day
    if is_late and published is not None:
        # Late since the first hour that was missed, though others have come since.
        next_day = published.astimezone(zone).date() + timedelta(days=1)
        due = datetime.combine(next_day, ready_by, zone)
    minutes = (now - due).total_seconds() / 60 if is_late else 0.0
    return [
        CheckResult(
            check=Check.DASHBOARDS,
            subject=DASHBOARDS,
            state=State.FAILING if is_late else State.HEALTHY,
            observed_at=now,
            value=round(minutes),
            unit="minutes late",
            at_most=0.0,
            severity=Severity.CRITICAL if is_late else None,
            summary=f"The dashboards of {due:%Y-%m-%d} were to be ready at {due:%H:%M}"
            " and are not; consumers read former figures."
            if is_late
            else "",
        )
    ]
