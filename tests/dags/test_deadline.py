"""A run that is not finished by the dashboards' hour, judged by a real scheduler."""

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from alert_scenario import environment
from dag_scenario import DagScenario
from olist_dags.deadline import time_to_dashboards
from olist_platform.alerts.kinds import AlertKind, Severity, Signal
from olist_platform.environment import Environment
from olist_workspace import OLIST, Workspace


def of_hours(ready_by: str | None, schedule: str | None) -> Environment:
    prod = environment()
    return prod.model_copy(
        update={
            "airflow": prod.airflow.model_copy(update={"schedule": schedule}),
            "monitoring": type(prod.monitoring).model_validate(
                prod.monitoring.model_dump() | {"dashboards_ready_by": ready_by}
            ),
        }
    )


@pytest.mark.parametrize(
    ("ready_by", "schedule", "expected"),
    [
        # 07:00 UTC is 04:00 in Sao Paulo.
        ("06:30", "0 7 * * *", timedelta(hours=2, minutes=30)),
        ("03:00", "0 7 * * *", timedelta(hours=23)),
        (None, "0 7 * * *", None),
        ("06:30", None, None),
    ],
)
def test_a_run_has_until_the_next_ready_hour(
    ready_by: str | None, schedule: str | None, expected: timedelta | None
) -> None:
    assert time_to_dashboards(of_hours(ready_by, schedule)) == expected


@pytest.fixture
def scheduler(
    make_workspace: Callable[[str], Workspace],
) -> Iterator[tuple[DagScenario, subprocess.Popen[bytes]]]:
    """A scheduler on an environment with a ready hour, and one run of long ago, not finished."""
    scenario = DagScenario(make_workspace("deadline"))
    scenario.set(airflow__schedule="0 7 * * *", monitoring__dashboards_ready_by="06:30")
    airflow = scenario.workspace.olist
    airflow("airflow", "--", "dags", "reserialize")
    airflow(
        *("airflow", "--", "dags", "trigger", "olist_production"),
        *("--logical-date", "2018-09-03T07:00:00+00:00"),
    )
    process = subprocess.Popen(
        [OLIST, "airflow", "--", "scheduler"],
        env=scenario.workspace.environment_variables(),
        cwd=scenario.home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield scenario, process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


@pytest.mark.slow
def test_a_missed_deadline_is_an_alert_to_the_executives(
    scheduler: tuple[DagScenario, subprocess.Popen[bytes]],
) -> None:
    scenario, process = scheduler
    delivered = scenario.home / "data" / "local" / "alerts" / "delivered"
    end = time.monotonic() + 150
    while not (alerts := scenario.alerts()) or not list(delivered.rglob("*")):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.5)
    [late] = alerts
    assert late.alert.signal is Signal.DASHBOARDS_LATE
    assert late.alert.kind is AlertKind.SLA_BREACH
    assert late.alert.severity is Severity.CRITICAL
    assert "by 06:30 (America/Sao_Paulo)" in late.alert.summary
    assert "olist_production of 2018-09-03T07:00:00" in late.alert.details[0]
    assert late.occurrences == 1
    mails: list[Any] = [path for path in delivered.rglob("*") if path.is_file()]
    assert mails
