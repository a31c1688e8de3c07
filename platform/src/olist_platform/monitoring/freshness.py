"""Freshness: of what was loaded, of what the data speak of, and of what is published."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from olist_platform.alerts.kinds import Severity
from olist_platform.dbt_run_results import FAULTS
from olist_platform.moments import as_utc
from olist_platform.monitoring.check_result import (
    Check,
    CheckResult,
    State,
    follow_from_first,
)
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory, model_id
from olist_platform.source_catalog import dataset_named

REFERENCE_DATE = "reference date"
_STAGING_PREFIX = "stg_"
# So many times the limit is no delay any more.
_LONG = 2


def source_freshness(
    freshness: Sequence[Row],
    limit_hours: float | None,
    now: datetime,
    runs: Sequence[Row] = (),
) -> list[CheckResult]:
    """Judge the age of each dataset's newest load by the wall clock.

    That of a dataset which does not come nightly is a figure that nothing is expected of. So is
    every age where a build failed before it counted the loads anew: the source may be in time, and
    what failed is told of.

    Args:
        freshness: Rows of monitoring_freshness.
        limit_hours: Age from which a source is late; None where nothing loads by a clock.
        now: The moment.
        runs: Rows of dbt_run_costs, oldest first; they tell how old the ages are.
    """
    is_outdated = _failed_before_it_was_built(model_id("monitoring_freshness"), runs)
    results = []
    for row in _sorted(freshness):
        if row["newest_loaded_at"] is None:
            continue
        dataset = dataset_named(row["relation"].removeprefix(_STAGING_PREFIX))
        hours = _hours(now - as_utc(row["newest_loaded_at"]))
        limit = limit_hours if dataset.is_nightly else None
        is_late = limit is not None and hours > limit
        if is_late and is_outdated:
            limit, is_late = None, False
        results.append(
            CheckResult(
                check=Check.SOURCE_FRESHNESS,
                subject=f"raw.{dataset.name}",
                state=_state(limit, is_bad=is_late),
                observed_at=now,
                value=hours,
                unit="hours",
                at_most=limit,
                severity=_by_delay(hours, limit) if is_late else None,
                summary="Nothing of this source was loaded for too long." if is_late else "",
            )
        )
    return follow_from_first(results)


def data_freshness(
    freshness: Sequence[Row], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge how far the newest business date of each dataset and mart lies behind the reference.

    A mart that is stale or empty as its dataset is follows from that one.
    """
    results = []
    for row in _sorted(freshness):
        if row["business_lag_days"] is None and row["freshness_status"] == "fresh":
            continue
        failing = row["freshness_status"] != "fresh"
        what = (
            "It holds no row."
            if row["freshness_status"] == "empty"
            else "The newest business date lies too far behind the reference date."
        )
        lag = row["business_lag_days"]
        results.append(
            CheckResult(
                check=Check.DATA_FRESHNESS,
                subject=row["relation"],
                state=State.FAILING if failing else State.HEALTHY,
                observed_at=now,
                value=None if lag is None else float(lag),
                unit="days",
                at_most=float(row["max_business_lag_days"]),
                severity=Severity.MEDIUM if failing else None,
                owner=directory.model_owner(row["relation"]),
                summary=what if failing else "",
                docs=directory.docs_of("monitoring_freshness"),
            )
        )
    return follow_from_first(results)


def reference_date(
    freshness: Sequence[Row], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge whether the figures are of the day of the newest purchase that is loaded.

    They are of a former one where somebody asked a run for it.

    Args:
        freshness: Rows of monitoring_freshness.
        directory: Where it is documented.
        now: The moment.
    """
    results = []
    for row in freshness:
        newest, as_of = row["newest_business_date"], row["as_of_date"]
        if row["relation"] != "stg_orders" or newest is None or as_of is None:
            continue
        behind = max((newest - as_of).days, 0)
        results.append(
            CheckResult(
                check=Check.DATA_FRESHNESS,
                subject=REFERENCE_DATE,
                state=State.FAILING if behind else State.HEALTHY,
                observed_at=now,
                value=float(behind),
                unit="days",
                at_most=0.0,
                severity=Severity.MEDIUM if behind else None,
                summary=f"The figures are of {as_of}, though purchases up to {newest} are loaded: a"
                " run was asked for a day of the past."
                if behind
                else "",
                docs=directory.docs_of("monitoring_freshness"),
            )
        )
    return results


def mart_freshness(
    publication: Sequence[Row],
    limit_hours: float | None,
    directory: NodeDirectory,
    now: datetime,
    late_dashboards: CheckResult | None = None,
) -> list[CheckResult]:
    """Judge the age of each published mart by the wall clock.

    Args:
        publication: Rows of the table publication.
        limit_hours: Age from which a mart is stale; None where nothing publishes by a clock.
        directory: Whose a mart is.
        now: The moment.
        late_dashboards: What the SLA already tells of the same; marts then follow from it.
    """
    results = []
    for row in sorted(publication, key=lambda row: str(row["relation_name"])):
        hours = _hours(now - as_utc(row["published_at"]))
        is_stale = limit_hours is not None and hours > limit_hours
        mart = row["relation_name"].lower()
        results.append(
            CheckResult(
                check=Check.MART_FRESHNESS,
                subject=f"serving.{mart}",
                state=_state(limit_hours, is_bad=is_stale),
                observed_at=now,
                value=hours,
                unit="hours",
                at_most=limit_hours,
                severity=Severity.HIGH if is_stale else None,
                owner=directory.model_owner(mart),
                summary="Consumers read a mart that was published too long ago."
                if is_stale
                else "",
                docs=directory.docs_of(mart),
            )
        )
    if late_dashboards is not None and late_dashboards.is_failing:
        cause = late_dashboards.identity
        return [replace(each, caused_by=cause) if each.is_failing else each for each in results]
    return follow_from_first(results)


def _sorted(freshness: Sequence[Row]) -> list[Row]:
    """Orders first, staging before marts: what others follow from comes before them."""
    return sorted(
        freshness,
        key=lambda row: (
            row["layer"] != "staging",
            row["relation"] != "stg_orders",
            row["relation"],
        ),
    )


def _state(limit: float | None, *, is_bad: bool) -> State:
    if limit is None:
        return State.NOT_JUDGED
    return State.FAILING if is_bad else State.HEALTHY


def _failed_before_it_was_built(node_id: str, runs: Sequence[Row]) -> bool:
    """Whether something failed in a run that is younger than a node's last success."""
    faults = [row["run_started_at"] for row in runs if row["status"] in FAULTS]
    built = [
        row["run_started_at"]
        for row in runs
        if row["node_id"] == node_id and row["status"] == "success"
    ]
    return bool(faults and built) and max(faults) > max(built)


def _by_delay(hours: float, limit: float | None) -> Severity:
    return Severity.HIGH if limit is not None and hours > _LONG * limit else Severity.MEDIUM


def _hours(duration: timedelta) -> float:
    return round(duration.total_seconds() / 3600, 4)
