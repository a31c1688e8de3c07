"""The most that a month may cost: what the resource monitors let through, at the credit's price."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_MONITOR = "snowflake:index/resourceMonitor:ResourceMonitor"
_WAREHOUSE = "snowflake:index/warehouse:Warehouse"
_EXECUTE = "snowflake:index/execute:Execute"
_BUDGET = "aws:budgets/budget:Budget"
_ACCOUNT_MONITOR = re.compile(
    r"\balter\s+account\s+set\s+resource_monitor\s*=\s*\"?(\w+)\"?", re.IGNORECASE
)
# How often a quota is filled again in the longest month.
_REFILLS_A_MONTH = {"DAILY": 31, "WEEKLY": 5, "MONTHLY": 1, "YEARLY": 1, "NEVER": 1}


@dataclass(frozen=True, slots=True)
class MonitorCeiling:
    """What one resource monitor lets through in a month.

    Attributes:
        name: The monitor.
        warehouses: The warehouses it stops; empty for the account's monitor.
        is_account: Whether it stops every warehouse of the account.
        monthly_credits: Its quota in the longest month.
        ceiling_credits: The same up to where running statements are cut off.
    """

    name: str
    warehouses: tuple[str, ...]
    is_account: bool
    monthly_credits: float
    ceiling_credits: float


@dataclass(frozen=True, slots=True)
class SpendCeiling:
    """The most that a month may cost.

    Attributes:
        credit_price_usd: Price of a credit.
        monitors: Every resource monitor.
        unlimited: Warehouses that no monitor stops.
        snowflake_usd: Warehouses, up to where monitors cut off; None when one is unlimited.
        aws_budget_usd: Monthly limits of the AWS budgets; they warn and stop nothing.
    """

    credit_price_usd: float
    monitors: tuple[MonitorCeiling, ...]
    unlimited: tuple[str, ...]
    snowflake_usd: float | None
    aws_budget_usd: float

    @property
    def total_usd(self) -> float | None:
        """Snowflake's ceiling and AWS's budget, or None without a ceiling."""
        return None if self.snowflake_usd is None else self.snowflake_usd + self.aws_budget_usd


def spend_ceiling(
    resources: Iterable[tuple[str, Mapping[str, Any]]], credit_price_usd: float
) -> SpendCeiling:
    """Return the most that a month may cost of what resources declare.

    Args:
        resources: Type token and inputs of every resource of a stack.
        credit_price_usd: Price of a Snowflake credit.
    """
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for type_token, inputs in resources:
        by_type.setdefault(type_token, []).append(inputs)
    account_monitors = {
        name.upper()
        for statement in by_type.get(_EXECUTE, [])
        for name in _ACCOUNT_MONITOR.findall(str(statement.get("execute", "")))
    }
    warehouses = {
        str(warehouse.get("name")): str(warehouse.get("resourceMonitor") or "")
        for warehouse in by_type.get(_WAREHOUSE, [])
    }
    monitors = tuple(
        _monitor_ceiling(monitor, warehouses, account_monitors)
        for monitor in by_type.get(_MONITOR, [])
    )
    covered = {name for monitor in monitors for name in monitor.warehouses}
    account = [monitor.ceiling_credits for monitor in monitors if monitor.is_account]
    unlimited = () if account else tuple(sorted(warehouses.keys() - covered))
    of_warehouses = sum(monitor.ceiling_credits for monitor in monitors if monitor.warehouses)
    if unlimited:
        snowflake = None
    elif warehouses.keys() - covered:
        snowflake = min(account)
    else:
        snowflake = min([of_warehouses, *account])
    return SpendCeiling(
        credit_price_usd=credit_price_usd,
        monitors=monitors,
        unlimited=unlimited,
        snowflake_usd=None if snowflake is None else round(snowflake * credit_price_usd, 2),
        aws_budget_usd=sum(
            float(budget.get("limitAmount") or 0)
            for budget in by_type.get(_BUDGET, [])
            if budget.get("timeUnit") == "MONTHLY"
        ),
    )


def _monitor_ceiling(
    inputs: Mapping[str, Any], warehouses: dict[str, str], account_monitors: set[str]
) -> MonitorCeiling:
    name = str(inputs.get("name"))
    refills = _REFILLS_A_MONTH[str(inputs.get("frequency") or "MONTHLY").upper()]
    monthly = float(inputs.get("creditQuota") or 0) * refills
    # The hard stop; without one, running statements may go on for as long as they like.
    cut_off = float(inputs.get("suspendImmediateTrigger") or inputs.get("suspendTrigger") or 100)
    return MonitorCeiling(
        name=name,
        warehouses=tuple(sorted(w for w, used in warehouses.items() if used.strip('"') == name)),
        is_account=name.upper() in account_monitors,
        monthly_credits=monthly,
        ceiling_credits=monthly * cut_off / 100,
    )
