"""All checks on one observation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.cost.budget import MonthCost
from olist_platform.cost.month import month_costs
from olist_platform.dbt_run_results import node_name
from olist_platform.environment import Environment, SnowflakeWarehouse
from olist_platform.monitoring.anomalies import distribution, segment_volume, volume
from olist_platform.monitoring.budget_check import budgets
from olist_platform.monitoring.business import business_figures, fraud_queue, order_anomalies
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.dashboards import dashboards
from olist_platform.monitoring.data_tests import data_tests
from olist_platform.monitoring.delivery import alert_delivery
from olist_platform.monitoring.durations import (
    node_durations,
    one_root,
    query_durations,
    task_durations,
)
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.freshness import (
    data_freshness,
    mart_freshness,
    reference_date,
    source_freshness,
)
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory, model_id
from olist_platform.monitoring.observation import (
    ACCOUNT_USAGE,
    AIRFLOW,
    WAREHOUSE,
    Observation,
)
from olist_platform.monitoring.quality import quality_scores
from olist_platform.pipeline_alerts import LANDING


def evaluate(
    environment: Environment,
    observation: Observation,
    expectations: Expectations,
    directory: NodeDirectory,
) -> list[CheckResult]:
    """Return what every check says of an observation.

    A check whose rows could not be read, or are not there yet, says nothing.
    """
    now = observation.at
    results = _observed(environment, observation)
    if WAREHOUSE not in observation.problems:
        found = _of_warehouse(environment, observation, expectations, directory)
        results += _following_late_landing(_following_failed_tests(found, observation), observation)
    nodes = node_durations(observation.runs, directory, expectations)
    results += one_root(nodes, task_durations(observation.airflow, expectations, now))
    results += alert_delivery(environment, observation.backlog, now)
    return results


def months(environment: Environment, observation: Observation) -> list[MonthCost]:
    """Return the month against its budget: the whole environment first, then each warehouse.

    None where nothing could be read of it: nothing spent would be a wrong figure.
    """
    if observation.problems.keys() & {WAREHOUSE, ACCOUNT_USAGE}:
        return []
    return month_costs(environment, observation.runs, observation.warehouse_days, observation.at)


def _of_warehouse(
    environment: Environment,
    observation: Observation,
    expectations: Expectations,
    directory: NodeDirectory,
) -> list[CheckResult]:
    settings, rows, now = environment.monitoring, observation.rows, observation.at
    publication = rows("publication")
    ready = dashboards(publication, settings.dashboards_ready_by, environment.alerts.zone, now)
    of_which_day = reference_date(rows("freshness"), directory, now)
    open_budgets = observation.open_subjects(Signal.COST_BUDGET)
    return [
        *source_freshness(rows("freshness"), settings.loaded_within_hours, now, observation.runs),
        *data_freshness(rows("freshness"), directory, now),
        *ready,
        *mart_freshness(
            publication,
            settings.published_within_hours,
            directory,
            now,
            ready[0] if ready else None,
        ),
        *of_which_day,
        *quality_scores(rows("quality"), expectations.least_quality_score, directory, now),
        *data_tests(observation.runs, directory, now),
        *budgets(months(environment, observation), directory, now, open_budgets),
        *query_durations(observation.queries, expectations, now),
        # A day of the past is no news, and tells nothing of what is so today.
        *(
            []
            if any(each.is_failing for each in of_which_day)
            else _of_the_day(rows, directory, now)
        ),
    ]


def _of_the_day(
    rows: Callable[[str], Sequence[Row]], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge what depends on the reference date."""
    volumes = volume(rows("volume"), directory, now)
    return [
        *volumes,
        *segment_volume(rows("segments"), volumes, directory, now),
        *distribution(rows("profile"), directory, now),
        *order_anomalies(rows("anomalies"), directory, now),
        *fraud_queue(rows("fraud"), directory, now),
        *business_figures(rows("figures"), directory, now),
    ]


# Tests of these models tell a DAG what the checks tell here.
_TESTED_MODELS = {
    Check.QUALITY_SCORE: "monitoring_data_quality",
    Check.DISTRIBUTION: "monitoring_column_profile",
    Check.DATA_FRESHNESS: "monitoring_freshness",
    Check.VOLUME: "monitoring_volume",
    Check.SEGMENT_VOLUME: "monitoring_segment_volume",
}


def _following_failed_tests(
    results: list[CheckResult], observation: Observation
) -> list[CheckResult]:
    """Make a finding follow from the failed test that a DAG has told people of already."""
    told = observation.open_subjects(Signal.TEST_FAILURE)
    tests = {
        row["tested_node_id"]: node_name(row["node_id"])
        for row in observation.runs
        if row["resource_type"] == "test" and node_name(row["node_id"]) in told
    }
    causes = {
        check: (Check.DATA_TEST, tests[model_id(model)])
        for check, model in _TESTED_MODELS.items()
        if model_id(model) in tests
    }
    return [
        replace(each, caused_by=causes[each.check])
        if each.is_failing and each.caused_by is None and each.check in causes
        else each
        for each in results
    ]


def _following_late_landing(
    results: list[CheckResult], observation: Observation
) -> list[CheckResult]:
    """Make sources that are not loaded follow from the late landing that a DAG has told of."""
    signal, subject = LANDING
    is_told = subject in observation.open_subjects(signal)
    return [
        replace(each, caused_by=(Check.SOURCE_FRESHNESS, subject))
        if is_told and each.is_failing and each.check is Check.SOURCE_FRESHNESS
        else each
        for each in results
    ]


def _observed(environment: Environment, observation: Observation) -> list[CheckResult]:
    """Judge whether everything could be looked at."""
    return [
        CheckResult(
            check=Check.OBSERVATION,
            subject=subject,
            state=State.FAILING if problem else State.HEALTHY,
            observed_at=observation.at,
            severity=Severity.HIGH if problem else None,
            summary=f"Monitoring cannot look at the {subject}." if problem else "",
            details=(problem,) if problem else (),
        )
        for subject in (WAREHOUSE, ACCOUNT_USAGE, AIRFLOW)
        if subject != ACCOUNT_USAGE or isinstance(environment.warehouse, SnowflakeWarehouse)
        for problem in [observation.problems.get(subject)]
    ]
