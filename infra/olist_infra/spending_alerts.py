"""AWS's budget: it tells before the money is gone, and again when it is."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_ACTUAL_PERCENTAGES = (50, 80, 100)
_FORECAST_PERCENTAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingAlertsArgs:
    """How much, and who is told.

    Attributes:
        name: Name of the budget.
        monthly_usd: What AWS may cost in a month.
        topic_arn: The alert topic.
        topic_ready: What publishing to it hangs on.
    """

    name: str
    monthly_usd: float
    topic_arn: pulumi.Input[str]
    topic_ready: pulumi.Resource


class SpendingAlerts(pulumi.ComponentResource):
    """A monthly budget over the whole account: environments that share one share its warnings."""

    def __init__(
        self, name: str, args: SpendingAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:SpendingAlerts", name, None, opts)
        thresholds = [("ACTUAL", share) for share in _ACTUAL_PERCENTAGES]
        thresholds.append(("FORECASTED", _FORECAST_PERCENTAGE))
        aws.budgets.Budget(
            name,
            name=args.name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{args.monthly_usd:g}",
            limit_unit="USD",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=share,
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[args.topic_arn],
                )
                for kind, share in thresholds
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.topic_ready]),
        )
        self.register_outputs({"monthlyUsd": args.monthly_usd})
