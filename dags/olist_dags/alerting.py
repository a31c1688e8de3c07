"""The DAGs' side of alerts: what a failed task raises, what a success settles, and delivery."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import get_current_context, task

from olist_dags.dag_environment import current_environment
from olist_platform.alerts.alert import Alert, fingerprint_of
from olist_platform.alerts.kinds import DATA_PLATFORM, Severity, Signal
from olist_platform.dbt_command import manifest_path, read_manifest
from olist_platform.dbt_run_results import dbt_runs_folder, last_results
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.naming import PRODUCTION_DAG
from olist_platform.pipeline_alerts import (
    FailedTask,
    alerts_of,
    node_subject,
    settled_by,
    settled_by_loading,
)

_log = logging.getLogger(__name__)

_PUBLISH_TASK = "publish_marts"
_DASHBOARDS = "dashboards"
_PASSED = ("success", "pass", "warn")


def raise_task_failure(context: Any) -> None:
    """Raise what a task that failed for good stands for; Airflow calls it behind the last try.

    It never raises an error itself: an alert that cannot be recorded must not hide the failure.
    """
    from olist_platform.alerts.router import raise_alert  # noqa: PLC0415 - the scheduler parses this

    try:
        environment, now = current_environment(), datetime.now(UTC)
        results = last_results(dbt_runs_folder(environment, context["run_id"]))
        manifest = read_manifest(manifest_path(environment))
        for alert in alerts_of(_failed_task(context), environment, results, manifest):
            raise_alert(environment, alert, now)
    except Exception:
        _log.exception("no alert could be raised for this failure")


def dashboards_late(context: Any = None, **_: Any) -> None:
    """Raise that the marts are not published by their hour; Airflow calls it for a missed deadline.

    Airflow gives the run and the deadline, no task. Another run may have published the day's marts
    in the place of one that failed: then nobody waits.
    """
    from olist_platform.alerts.router import deliver_due, raise_alert  # noqa: PLC0415 - as above

    environment = current_environment()
    if _are_ready(environment, datetime.now(UTC)):
        _log.info("this run is not finished, but another one has published the day's marts")
        return
    ready_by = environment.monitoring.dashboards_ready_by
    # A deadline's callback is given the run as the API would tell of it.
    run = (context or {}).get("dag_run") or {}
    hour = f" by {ready_by:%H:%M} ({environment.alerts.time_zone})" if ready_by else " in time"
    raise_alert(
        environment,
        Alert(
            environment=environment.name,
            signal=Signal.DASHBOARDS_LATE,
            subject=_DASHBOARDS,
            severity=Severity.CRITICAL,
            owner=DATA_PLATFORM,
            summary=f"Today's figures are not published{hour}; readers see the former ones.",
            details=(f"{run.get('dag_id')} of {run.get('logical_date')} is not finished",),
        ),
        datetime.now(UTC),
    )
    deliver_due(environment, lambda: datetime.now(UTC))


def _are_ready(environment: Environment, now: datetime) -> bool:
    """Whether the day's marts are published; False where the publication cannot be read."""
    from olist_platform.monitoring.dashboards import PUBLICATION, dashboards  # noqa: PLC0415
    from olist_platform.monitoring.monitored_warehouse import (  # noqa: PLC0415
        open_monitored_warehouse,
    )

    try:
        with open_monitored_warehouse(environment) as warehouse:
            publication = warehouse.rows(*PUBLICATION)
    except OlistError:
        _log.exception("the publication cannot be read")
        return False
    ready_by = environment.monitoring.dashboards_ready_by
    judged = dashboards(publication, ready_by, environment.alerts.zone, now)
    return bool(judged) and not judged[0].is_failing


@task(task_id="settle_alerts", retries=0)
def settle_alerts() -> str:
    """Resolve what this run found healthy again, and deliver every alert that is due.

    Other DAGs make it a teardown: it runs whatever happened, and decides nothing about the run's
    state. Where the outbox cannot be used it fails, for alerts that reach nobody must not look
    like health. What a channel does not take stays in the outbox: `olist alerts deliver` and the
    DAG `olist_alert_delivery`, whose only task it is, try again.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.alerts.router import deliver_due  # noqa: PLC0415

    environment, context = current_environment(), get_current_context()
    try:
        resolved = _resolve_what_passed(environment, context)
    finally:
        report = deliver_due(environment, lambda: datetime.now(UTC))
    this = context["ti"]
    resolved += _resolve(environment, settled_by(this.dag_id, this.task_id))
    return f"{resolved} resolved, {len(report.sent)} sent, {len(report.not_sent)} not sent"


def _resolve_what_passed(environment: Environment, context: Any) -> int:
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    states = context["ti"].get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
    healthy = [
        subject
        for task_id, state in states.items()
        if state == "success"
        for subject in settled_by(dag_id, task_id)
    ]
    if states.get("load_raw") == "success" or states.get("wait_for_snowpipe") == "success":
        healthy += [settled for name in _dataset_names() for settled in settled_by_loading(name)]
    if dag_id == PRODUCTION_DAG and states.get(_PUBLISH_TASK) == "success":
        healthy.append((Signal.DASHBOARDS_LATE, _DASHBOARDS))
    results = last_results(dbt_runs_folder(environment, run_id))
    healthy += [
        node_subject(dag_id, node)
        for node, result in results.items()
        if result["status"] in _PASSED
    ]
    return _resolve(environment, healthy)


def _resolve(environment: Environment, healthy: Iterable[tuple[Signal, str]]) -> int:
    from olist_platform.alerts.router import open_outbox  # noqa: PLC0415 - as above

    outbox, now = open_outbox(environment), datetime.now(UTC)
    open_now = {stored.fingerprint for stored in outbox.alerts()}
    found = {fingerprint_of(environment.name, signal, subject) for signal, subject in healthy}
    return sum(outbox.resolve(fingerprint, now) for fingerprint in sorted(open_now & found))


def _dataset_names() -> list[str]:
    from olist_platform.source_catalog import CATALOG  # noqa: PLC0415 - as above

    return [dataset.name for dataset in CATALOG]


def _failed_task(context: Any) -> FailedTask:
    this, instance, error = context["task"], context["ti"], context.get("exception")
    mend = getattr(error, "mend", "")
    # Airflow calls this in the task's own process, with the very error. One that rules another try
    # out is Airflow's, raised from ours.
    cause = error if isinstance(error, OlistError) else getattr(error, "__cause__", None)
    log = str(getattr(instance, "log_url", None) or "")
    return FailedTask(
        dag_id=instance.dag_id,
        task_id=instance.task_id,
        owner=this.owner,
        message="\n".join(str(part) for part in (error, mend) if part),
        node=getattr(this, "model_unique_id", None),
        is_of_tests=bool(getattr(this, "is_test_sensor", False)),
        runs_dbt=hasattr(this, "tests_per_model") or instance.task_id.startswith("gate_"),
        rejected=getattr(error, "rejected", None),
        holds_publication=_PUBLISH_TASK
        in {this.task_id, *this.get_flat_relative_ids(upstream=False)},
        log=log if log.startswith("http") else None,
        error=cause if isinstance(cause, OlistError) else None,
    )
