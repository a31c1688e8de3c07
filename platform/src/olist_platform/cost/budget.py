"""The month's cost against its budget: so far, and as it is going to end."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError

CREDITS = "credits"
NOTIONAL = "BRL notional"
# Two whole weeks, so that weekdays count alike.
_RATE_DAYS = 14


@dataclass(frozen=True, slots=True)
class MonthCost:
    """A month's cost of something that has a budget.

    Attributes:
        subject: What is paid for: the environment, or one of its Snowflake warehouses.
        unit: `credits`, or `BRL notional`; figures of different units never meet.
        budget: What the month may cost.
        spent: What it has cost so far.
        forecast: What it is going to cost by its last day.
        known_until: The moment up to which costs are known, UTC; None where nothing is.
    """

    subject: str
    unit: str
    budget: float
    spent: float
    forecast: float
    known_until: datetime | None = None

    def subject_in(self, now: datetime) -> str:
        """Name what is paid for with the month, which is one of UTC as that of its costs is."""
        return f"{self.subject} {now.astimezone(UTC):%Y-%m}"

    @property
    def left(self) -> float:
        """What is left of the budget; negative when it is exceeded."""
        return self.budget - self.spent

    @property
    def spent_share(self) -> float:
        """Spent / budget, as a fraction."""
        return self.spent / self.budget

    @property
    def forecast_share(self) -> float:
        """Forecast / budget, as a fraction."""
        return self.forecast / self.budget


def month_cost(
    daily: Mapping[date, float],
    now: datetime,
    *,
    subject: str,
    unit: str,
    budget: float,
    known_until: datetime | None = None,
) -> MonthCost:
    """Reckon the month of a moment from the cost of each day.

    The rest of the month costs, each day, the mean of the two weeks before today, days without
    any cost inside; where the first cost is younger than that, the mean since then. Today costs at
    least that much. On a first day, what today has cost so far stands for each day.

    Args:
        daily: Cost of each UTC day that has any.
        now: The moment.
        subject: What is paid for.
        unit: Unit of the costs and of the budget.
        budget: What a month may cost.
        known_until: The moment up to which the costs are known.
    """
    today = now.astimezone(UTC).date()
    spent = sum(cost for day, cost in daily.items() if _is_same_month(day, today) and day <= today)
    spent_today = daily.get(today, 0.0)
    rate = _daily_rate(daily, today, spent_today)
    days_left = monthrange(today.year, today.month)[1] - today.day
    forecast = spent + max(rate - spent_today, 0.0) + rate * days_left
    return MonthCost(subject, unit, budget, spent, forecast, known_until)


def environment_budget(environment: Environment) -> tuple[float, str]:
    """Return what an environment's warehouse may cost a month, and the unit of that.

    Raises:
        OlistError: The environment has none.
    """
    if isinstance(environment.warehouse, DuckDBWarehouse):
        budget = environment.monitoring.notional_budget_brl
        unit = NOTIONAL
    else:
        cloud = environment.cloud
        budget = None if cloud is None else float(cloud.snowflake.account_monthly_credits)
        unit = CREDITS
    if budget is None:
        raise OlistError(f"environment '{environment.name}' has no budget")
    return budget, unit


def warehouse_budgets(environment: Environment) -> dict[str, float]:
    """Return the monthly credits of each Snowflake warehouse, by its name; none on DuckDB."""
    return {
        name: float(settings.monthly_credits)
        for name, settings in environment.snowflake_warehouses.items()
    }


def _daily_rate(daily: Mapping[date, float], today: date, spent_today: float) -> float:
    first = min((day for day, cost in daily.items() if cost > 0), default=today)
    begin = max(first, today - timedelta(days=_RATE_DAYS))
    days = (today - begin).days
    if days <= 0:
        return spent_today
    return sum(daily.get(begin + timedelta(days=n), 0.0) for n in range(days)) / days


def _is_same_month(day: date, other: date) -> bool:
    return (day.year, day.month) == (other.year, other.month)
