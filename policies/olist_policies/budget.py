"""The environment's budget: quotas that fit it, and alarms before it is spent."""

from collections.abc import Iterator

from olist_platform.infrastructure_plan.spend import spend_ceiling
from olist_policies.rule import stack_rule
from olist_policies.snowflake_types import EXECUTE, RESOURCE_MONITOR, WAREHOUSE
from olist_policies.stack_view import StackView, plain

_BUDGET = "aws:budgets/budget:Budget"


@stack_rule(
    "quotas-within-budget",
    reason="Quotas are what the environment may spend before anybody is asked.",
    mend="lower monthly_credits or account_monthly_credits in the environment's file, or have "
    "monthly_budget_usd raised there",
)
def quotas_within_budget(stack: StackView) -> Iterator[tuple[str, str]]:
    """Credits up to the monitors' hard stop, at the credit's price, and AWS's budget fit."""
    cloud = stack.environment.cloud
    if cloud is None:
        return
    looked_at = [*stack.of_type(WAREHOUSE, RESOURCE_MONITOR, EXECUTE, _BUDGET)]
    spend = spend_ceiling(
        ((resource.resource_type, plain(resource.props)) for resource in looked_at),
        cloud.snowflake.credit_price_usd,
    )
    if spend.total_usd is not None and spend.total_usd > cloud.monthly_budget_usd:
        largest = max(
            stack.of_type(RESOURCE_MONITOR),
            key=lambda monitor: float(monitor.props.get("creditQuota") or 0),
        )
        found = (
            f"a month may cost {spend.total_usd:,.2f} USD, the budget is "
            f"{cloud.monthly_budget_usd:,.2f}; this is the largest monitor"
        )
        yield largest.urn, found


@stack_rule(
    "aws-budget-warns",
    reason="AWS stops nothing; without an alarm the bill is the first to tell.",
    mend="make a monthly COST Budget of aws.monthly_budget_usd with notifications that reach "
    "a topic or an address, one of them on the forecast",
)
def aws_budget_warns(stack: StackView) -> Iterator[tuple[str, str]]:
    """A budget of the environment's limit warns somebody, also before it is reached."""
    cloud = stack.environment.cloud
    budgets = list(stack.of_type(_BUDGET))
    if cloud is not None and not budgets:
        yield "", "the stack has no AWS budget"
    for budget in budgets:
        notifications = plain(budget.props.get("notifications") or [])
        heard = [
            notification
            for notification in notifications
            if notification.get("subscriberSnsTopicArns")
            or notification.get("subscriberEmailAddresses")
        ]
        if cloud and float(budget.props.get("limitAmount") or 0) > cloud.aws.monthly_budget_usd:
            yield budget.urn, f"its limit is {budget.props['limitAmount']} USD"
        if not any(one.get("notificationType") == "FORECASTED" for one in heard):
            yield budget.urn, "nobody is told of the forecast"
        if not any(one.get("notificationType") == "ACTUAL" for one in heard):
            yield budget.urn, "nobody is told of what was spent"


RULES = (quotas_within_budget, aws_budget_warns)
