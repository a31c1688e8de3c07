"""The hour by which the dashboards are ready, as Airflow's deadline of the production DAG."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from croniter import croniter  # type: ignore[import-untyped]

from olist_dags.alerting import dashboards_late
from olist_platform.environment import Environment

# The distance between two hours of the day is wanted. Any day will do where clocks do not change,
# as in Sao Paulo since 2019; in a zone where they do, half of the year is an hour off.
_SOME_DAY = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))


def dashboards_deadline(environment: Environment) -> DeadlineAlert | None:
    """Return the deadline of a run, or None where nobody waits or no clock starts runs.

    A run is late when it is not finished by the hour that the environment names, next after the
    time it was due to start. A run that is started by hand has as long as a scheduled one.
    """
    interval = time_to_dashboards(environment)
    if interval is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=interval,
        callback=SyncCallback(dashboards_late),
        name="dashboards_ready",
    )


def time_to_dashboards(environment: Environment) -> timedelta | None:
    """Return how long after its scheduled start a run has to be finished."""
    ready_by, schedule = environment.monitoring.dashboards_ready_by, environment.airflow.schedule
    if ready_by is None or schedule is None:
        return None
    start: datetime = croniter(schedule, _SOME_DAY).get_next(datetime)
    zone = environment.alerts.zone
    ready = datetime.combine(start.astimezone(zone).date(), ready_by, tzinfo=zone)
    if ready <= start:
        ready += timedelta(days=1)
    return ready - start
