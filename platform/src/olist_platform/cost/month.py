"""The month of an environment, read from its warehouse."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from olist_platform.cost.account_usage import (
    Question,
    Row,
    WarehouseDay,
    attribution,
    metering,
    warehouse_days,
)
from olist_platform.cost.budget import (
    MonthCost,
    environment_budget,
    month_cost,
    warehouse_budgets,
)
from olist_platform.cost.run_costs import daily_costs
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.monitoring.monitored_warehouse import MonitoredWarehouse
from olist_platform.project_vars import project_vars

ENVIRONMENT = "month"
# Of every node of every run; a figure of it, what a test found and how long it took.
_RUN_COLUMNS = """
    invocation_id, run_started_at, captured_at, dag_id, dag_run_id, command, full_refresh, node_id,
    resource_type, layer, tested_node_id, materialized, status, failures, message, execution_time_s,
    relation_rows, warehouse, credits_estimated, credits_attributed, notional_cost, cost_basis
"""


def read_run_costs(
    environment: Environment, warehouse: MonitoredWarehouse, now: datetime
) -> list[Row]:
    """Return the nodes of the runs of the last days (var run_history_days), oldest first."""
    since = now - timedelta(days=project_vars()["run_history_days"])
    return warehouse.rows(
        "monitoring.dbt_run_costs",
        _RUN_COLUMNS,
        f"where target = '{environment.name}'"
        f" and run_started_at >= '{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
        " order by run_started_at, invocation_id, node_id",
    )


def read_warehouse_days(
    warehouse: MonitoredWarehouse, now: datetime, earlier: datetime | None = None
) -> list[WarehouseDay]:
    """Return what Snowflake metered, the newest day first.

    Args:
        warehouse: Whom to ask.
        now: The moment.
        earlier: Since when; the begin of the last month, which a forecast needs, at the latest.
    """
    since = _begin_of_day((now.replace(day=1) - timedelta(days=1)).replace(day=1))
    if earlier is not None:
        since = min(since, _begin_of_day(earlier))
    return warehouse_days(
        ask(warehouse, metering(since)),
        ask(warehouse, attribution(since)),
    )


def month_costs(
    environment: Environment,
    runs: Sequence[Row],
    days: Sequence[WarehouseDay],
    now: datetime,
) -> list[MonthCost]:
    """Return the month against its budget: the whole environment first, then each warehouse.

    Args:
        environment: Whose budget.
        runs: Rows of `read_run_costs`; they are the cost of an embedded warehouse.
        days: Rows of `read_warehouse_days`; they are the cost of Snowflake's.
        now: The moment.
    """
    budget, unit = environment_budget(environment)
    if isinstance(environment.warehouse, DuckDBWarehouse):
        known = max((row["captured_at"] for row in runs), default=None)
        return [
            month_cost(
                daily_costs(runs, unit),
                now,
                subject=ENVIRONMENT,
                unit=unit,
                budget=budget,
                known_until=known,
            )
        ]
    limits = {ENVIRONMENT: budget} | warehouse_budgets(environment)
    daily: dict[str, dict[date, float]] = {subject: defaultdict(float) for subject in limits}
    for each in days:
        daily[ENVIRONMENT][each.day] += each.metered
        if each.warehouse in limits:
            daily[each.warehouse][each.day] += each.metered
    known = max((each.metered_until for each in days), default=None)
    return [
        month_cost(daily[subject], now, subject=subject, unit=unit, budget=limit, known_until=known)
        for subject, limit in limits.items()
    ]


def read_month(environment: Environment, warehouse: MonitoredWarehouse, now: datetime) -> MonthCost:
    """Return the month of the whole environment; what a preflight asks for the budget left."""
    if isinstance(environment.warehouse, DuckDBWarehouse):
        runs = read_run_costs(environment, warehouse, now)
        return month_costs(environment, runs, [], now)[0]
    return month_costs(environment, [], read_warehouse_days(warehouse, now), now)[0]


def _begin_of_day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def ask(warehouse: MonitoredWarehouse, question: Question) -> list[Row]:
    """Ask a question of account usage."""
    return warehouse.rows(question.relation, question.columns, question.clauses)
