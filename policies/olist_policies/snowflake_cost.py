"""Snowflake's bill: every warehouse sleeps, is capped, and the caps fit the budget."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule, stack_rule
from olist_policies.snowflake_types import RESOURCE_MONITOR, WAREHOUSE
from olist_policies.stack_view import StackView, plain

# Snowflake bills at least a minute at each start; after ten idle minutes it is only waiting.
_SHORTEST_SUSPEND_SECONDS = 60
_LONGEST_SUSPEND_SECONDS = 600
_SECONDS_OF_A_DAY = 24 * 60 * 60


@resource_rule(
    "warehouse-auto-suspends",
    WAREHOUSE,
    reason="A warehouse that does not suspend bills every second of the night.",
    mend=f"set auto_suspend to {_SHORTEST_SUSPEND_SECONDS}-{_LONGEST_SUSPEND_SECONDS} seconds",
)
def warehouse_auto_suspends(warehouse: ResourceValidationArgs) -> Iterator[str]:
    """The warehouse suspends itself soon, but not within the minute that is billed anyway."""
    seconds = warehouse.props.get("autoSuspend")
    if not seconds:
        yield "auto_suspend is not set, so it never suspends"
    elif not _SHORTEST_SUSPEND_SECONDS <= seconds <= _LONGEST_SUSPEND_SECONDS:
        yield f"auto_suspend is {seconds:g} seconds"


@resource_rule(
    "warehouse-auto-resumes",
    WAREHOUSE,
    reason="A suspended warehouse that does not resume fails the night's build, and people mend "
    "that by keeping it awake.",
    mend="set auto_resume to 'true' and initially_suspended to True",
)
def warehouse_auto_resumes(warehouse: ResourceValidationArgs) -> Iterator[str]:
    """The warehouse wakes by itself and is not created awake."""
    if warehouse.props.get("autoResume") != "true":
        yield "auto_resume is not 'true'"
    if warehouse.props.get("initiallySuspended") is not True:
        yield "it is created running"


@resource_rule(
    "warehouse-statements-time-out",
    WAREHOUSE,
    reason="Snowflake lets a statement run for two days; one bad join spends a month's budget.",
    mend="set statement_timeout_in_seconds and statement_queued_timeout_in_seconds, "
    "to a day at most",
)
def warehouse_statements_time_out(warehouse: ResourceValidationArgs) -> Iterator[str]:
    """Running and queueing statements end."""
    for key, name in (
        ("statementTimeoutInSeconds", "statement_timeout_in_seconds"),
        ("statementQueuedTimeoutInSeconds", "statement_queued_timeout_in_seconds"),
    ):
        seconds = warehouse.props.get(key)
        if not seconds:
            yield f"{name} is not set"
        elif seconds > _SECONDS_OF_A_DAY:
            yield f"{name} is {seconds:g}, more than a day"


@stack_rule(
    "warehouse-monitored",
    reason="A warehouse without a resource monitor of its own has no limit but the account's.",
    mend="set resource_monitor to a monitor of this stack",
)
def warehouse_monitored(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every warehouse names a monitor that this stack holds."""
    names = {monitor.props.get("name") for monitor in stack.of_type(RESOURCE_MONITOR)}
    for warehouse in stack.of_type(WAREHOUSE):
        monitor = warehouse.props.get("resourceMonitor")
        if not monitor:
            yield warehouse.urn, "no resource monitor is attached"
        elif monitor.strip('"') not in names:
            yield warehouse.urn, f"the stack has no resource monitor {monitor}"


@resource_rule(
    "monitor-warns-and-stops",
    RESOURCE_MONITOR,
    reason="A monitor that only notifies stops nothing, and one that only stops surprises.",
    mend="set notify_triggers 50, 75 and 90, suspend_trigger 100, suspend_immediate_trigger 110 "
    "and a credit_quota",
)
def monitor_warns_and_stops(monitor: ResourceValidationArgs) -> Iterator[str]:
    """Warnings before, an orderly stop at the quota, a hard one soon after."""
    if not monitor.props.get("creditQuota"):
        yield "it has no credit quota"
    warnings = sorted(plain(monitor.props.get("notifyTriggers") or []))
    if not {50, 75, 90} <= set(warnings):
        yield f"it notifies at {', '.join(f'{share:g}' for share in warnings) or 'nothing'}"
    if monitor.props.get("suspendTrigger") != 100:  # noqa: PLR2004 - per cent of the quota
        yield "it does not suspend at 100 %"
    if monitor.props.get("suspendImmediateTrigger") != 110:  # noqa: PLR2004 - per cent of the quota
        yield "it does not suspend immediately at 110 %"


RULES = (
    warehouse_auto_suspends,
    warehouse_auto_resumes,
    warehouse_statements_time_out,
    warehouse_monitored,
    monitor_warns_and_stops,
)
