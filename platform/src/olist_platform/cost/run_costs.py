"""What dbt's nodes cost, from the rows of monitoring.dbt_run_costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from olist_platform.cost.budget import CREDITS, NOTIONAL
from olist_platform.dbt_run_results import FAULTS

Row = Mapping[str, Any]

_NOT_IN_AIRFLOW = "by hand"


@dataclass(frozen=True, slots=True)
class CostGroup:
    """The cost of rows that belong together.

    Attributes:
        name: What they are of: a model, a DAG run, a day.
        unit: Unit of the cost.
        cost: Sum of their cost.
        seconds: Sum of their seconds.
        runs: Number of node runs.
        failed_cost: The part of the cost that failed runs had.
        full_refresh_cost: The part of full refreshes.
        is_estimated: Whether a part is estimated from seconds, an upper bound.
        started_at: When the first of them began, UTC.
        last: The newest row.
    """

    name: str
    unit: str
    cost: float
    seconds: float
    runs: int
    failed_cost: float
    full_refresh_cost: float
    is_estimated: bool
    started_at: datetime
    last: Row


def cost_of(row: Row) -> tuple[str, float]:
    """Return unit and cost of a row: attributed credits, else their estimate, or notional."""
    if row["cost_basis"] == "notional":
        return NOTIONAL, float(row["notional_cost"] or 0)
    attributed = row["credits_attributed"]
    return CREDITS, float((row["credits_estimated"] if attributed is None else attributed) or 0)


def by_node(rows: Sequence[Row]) -> list[CostGroup]:
    """Return the cost of each model, seed, snapshot and test, the dearest first."""
    return _grouped(rows, lambda row: str(row["node_id"]))


def by_dag_run(rows: Sequence[Row]) -> list[CostGroup]:
    """Return the cost of each DAG run, the newest first; what ran by hand is of its day."""
    groups = _grouped(rows, _dag_run)
    return sorted(groups, key=lambda group: group.started_at, reverse=True)


def by_day(rows: Sequence[Row]) -> list[CostGroup]:
    """Return the cost of each UTC day, the newest first."""
    groups = _grouped(rows, lambda row: row["run_started_at"].date().isoformat())
    return sorted(groups, key=lambda group: group.name, reverse=True)


def by_warehouse(rows: Sequence[Row]) -> list[CostGroup]:
    """Return the cost of each warehouse; the embedded one has no name of its own."""
    return _grouped(rows, lambda row: str(row["warehouse"] or "embedded"))


def daily_costs(rows: Iterable[Row], unit: str) -> dict[date, float]:
    """Return the cost of each UTC day in one unit."""
    daily: dict[date, float] = defaultdict(float)
    for row in rows:
        of_row, cost = cost_of(row)
        if of_row == unit:
            daily[row["run_started_at"].date()] += cost
    return dict(daily)


def _dag_run(row: Row) -> str:
    if row["dag_run_id"] is None:
        return f"{_NOT_IN_AIRFLOW} {row['run_started_at'].date().isoformat()}"
    return f"{row['dag_id']} {row['dag_run_id']}"


def _grouped(rows: Sequence[Row], name_of: Callable[[Row], str]) -> list[CostGroup]:
    grouped: dict[tuple[str, str], list[tuple[float, Row]]] = defaultdict(list)
    for row in rows:
        unit, cost = cost_of(row)
        grouped[name_of(row), unit].append((cost, row))
    groups = [_group(name, unit, found) for (name, unit), found in grouped.items()]
    return sorted(groups, key=lambda group: (-group.cost, group.name))


def _group(name: str, unit: str, found: list[tuple[float, Row]]) -> CostGroup:
    return CostGroup(
        name=name,
        unit=unit,
        cost=sum(cost for cost, _ in found),
        seconds=sum(float(row["execution_time_s"] or 0) for _, row in found),
        runs=len(found),
        failed_cost=sum(cost for cost, row in found if row["status"] in FAULTS),
        full_refresh_cost=sum(cost for cost, row in found if row["full_refresh"]),
        is_estimated=any(row["cost_basis"] == "estimate" for _, row in found),
        started_at=min(row["run_started_at"] for _, row in found),
        last=max((row for _, row in found), key=lambda row: row["run_started_at"]),
    )
