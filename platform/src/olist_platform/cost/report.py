"""The report of costs: months against budgets, tables by what one pays for, the dearest things."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from olist_platform.cost.account_usage import Row, WarehouseDay, top_queries
from olist_platform.cost.budget import MonthCost
from olist_platform.cost.month import ask, month_costs, read_run_costs, read_warehouse_days
from olist_platform.cost.recommendations import DearItem, dear_nodes, dear_queries
from olist_platform.cost.run_costs import (
    CostGroup,
    by_dag_run,
    by_day,
    by_node,
    by_warehouse,
)
from olist_platform.environment import Environment, SnowflakeWarehouse
from olist_platform.monitoring.monitored_warehouse import (
    MonitoredWarehouse,
    open_monitored_warehouse,
)
from olist_platform.monitoring.observation import OpenWarehouse

_DEAREST = 5


@dataclass(frozen=True, slots=True)
class CostTable:
    """A table of costs.

    Attributes:
        columns: Their names; those of money or credits say which.
        rows: The rows, in the order to read them.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class CostReport:
    """What an environment costs.

    Attributes:
        months: The month against its budget, the whole environment first.
        runs: Nodes of dbt's runs in the time asked for.
        days: What Snowflake metered in that time; empty on DuckDB.
        dearest: The dearest queries or nodes, with a recommendation each.
    """

    months: list[MonthCost]
    runs: list[Row]
    days: list[WarehouseDay]
    dearest: list[DearItem]

    def table(self, by: str) -> CostTable:
        """Return the costs by `model`, `dag-run`, `warehouse` or `day`.

        What Snowflake meters is known by warehouse and day; of a model or a DAG run there is only
        what its own queries account for.
        """
        match by:
            case "warehouse" | "day" if self.days:
                return _metered(self.days, by)
            case "warehouse":
                return _groups("warehouse", by_warehouse(self.runs))
            case "day":
                return _groups("day, UTC", by_day(self.runs))
            case "dag-run":
                return _groups("DAG run", by_dag_run(self.runs))
            case _:
                return _groups("model", by_node(self.runs))


def read_cost_report(
    environment: Environment,
    now: datetime,
    since: datetime,
    open_warehouse: OpenWarehouse = open_monitored_warehouse,
) -> CostReport:
    """Read what an environment costs.

    Args:
        environment: The environment.
        now: The moment.
        since: Begin of the time that tables and recommendations are of.
        open_warehouse: Opens what may be asked of the warehouse.

    Raises:
        OlistError: The warehouse cannot be asked.
    """
    with open_warehouse(environment) as warehouse:
        runs = read_run_costs(environment, warehouse, now)
        recent = [row for row in runs if _is_since(row["run_started_at"], since)]
        if isinstance(environment.warehouse, SnowflakeWarehouse):
            days = read_warehouse_days(warehouse, now, since)
            dearest = _dear_queries(environment, warehouse, days, since)
        else:
            days, dearest = [], dear_nodes(by_node(recent), _DEAREST)
    return CostReport(
        months=month_costs(environment, runs, days, now),
        runs=recent,
        days=[day for day in days if day.day >= since.date()],
        dearest=dearest,
    )


def _dear_queries(
    environment: Environment,
    warehouse: MonitoredWarehouse,
    days: Sequence[WarehouseDay],
    since: datetime,
) -> list[DearItem]:
    total = sum(day.queries for day in days if day.day >= since.date())
    asked = top_queries(since, environment.names.database, _DEAREST)
    return dear_queries(ask(warehouse, asked), total)


def _groups(what: str, groups: Sequence[CostGroup]) -> CostTable:
    """One unit a row: where both were met, they stand apart."""
    return CostTable(
        (what, "cost", "unit", "runs", "seconds", "failed"),
        [
            (
                group.name,
                group.cost,
                f"{group.unit}{' (estimate)' if group.is_estimated else ''}",
                group.runs,
                group.seconds,
                group.failed_cost,
            )
            for group in groups
        ],
    )


def _metered(days: Sequence[WarehouseDay], by: str) -> CostTable:
    names = sorted({_name(day, by) for day in days}, reverse=by == "day")
    rows = []
    for name in names:
        found = [day for day in days if _name(day, by) == name]
        rows.append(
            (
                name,
                sum(day.metered for day in found),
                sum(day.queries for day in found),
                sum(day.unexplained for day in found),
                sum(day.idle for day in found),
                sum(day.cloud_services for day in found),
            )
        )
    what = "warehouse" if by == "warehouse" else "day, UTC"
    columns = (what, "credits", "queries", "unexplained", "idle", "cloud services")
    return CostTable(columns, rows)


def _name(day: WarehouseDay, by: str) -> str:
    return day.warehouse if by == "warehouse" else day.day.isoformat()


def _is_since(moment: datetime, since: datetime) -> bool:
    return moment.replace(tzinfo=since.tzinfo) >= since
