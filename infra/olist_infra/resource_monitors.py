"""What credits may be used: a monitor for each warehouse and one for the account."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.naming import Names, Workload

_NOTIFY_PERCENTAGES = (50, 75, 90)
_SUSPEND_PERCENTAGE = 100
_SUSPEND_IMMEDIATELY_PERCENTAGE = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMonitorsArgs:
    """The quotas.

    Attributes:
        names: Names of the environment.
        monthly_credits: Quota of each workload's warehouse.
        account_monthly_credits: Quota of the account, or None where another environment sets it.
    """

    names: Names
    monthly_credits: Mapping[Workload, int]
    account_monthly_credits: int | None


class ResourceMonitors(pulumi.ComponentResource):
    """Monitors that warn, then stop, then cut off.

    Attributes:
        of_workload: Output of each monitor's name, by workload.
    """

    def __init__(
        self, name: str, args: ResourceMonitorsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:ResourceMonitors", name, None, opts)

        def monitor(logical: str, workload: Workload | None, credits_: int) -> pulumi.Output[str]:
            return snowflake.ResourceMonitor(
                f"monitor-{logical}",
                name=args.names.resource_monitor(workload),
                credit_quota=credits_,
                frequency="MONTHLY",
                # Snowflake refuses a start that has passed, so no date could stay in a file. What
                # it makes of the word differs from the word ever after.
                start_timestamp="IMMEDIATELY",
                notify_triggers=list(_NOTIFY_PERCENTAGES),
                suspend_trigger=_SUSPEND_PERCENTAGE,
                suspend_immediate_trigger=_SUSPEND_IMMEDIATELY_PERCENTAGE,
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["startTimestamp"]),
            ).name

        self.of_workload = {
            workload: monitor(workload, workload, credits_)
            for workload, credits_ in args.monthly_credits.items()
        }
        if args.account_monthly_credits is not None:
            account = monitor("account", None, args.account_monthly_credits)
            # No resource assigns a monitor to the account.
            snowflake.Execute(
                "account-monitor",
                execute=pulumi.Output.format("ALTER ACCOUNT SET RESOURCE_MONITOR = {0}", account),
                revert="ALTER ACCOUNT UNSET RESOURCE_MONITOR",
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"monitors": dict(self.of_workload)})
