"""What a plan looks like, to people, to tools and in a pull request."""

import json
from dataclasses import replace

import pytest

from obedient_stack import Stack, obedient_stack
from olist_platform.cli import plan_output
from olist_platform.cli.console import out
from olist_platform.cli.plan import plan as plan_command
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan import installed_tools
from olist_platform.infrastructure_plan.comparison import compare
from olist_platform.infrastructure_plan.component_picture import component_picture
from olist_platform.infrastructure_plan.component_tree import component_graph, short_type
from olist_platform.infrastructure_plan.plan import ONLY_THE_PROVIDER_CHECKS, Plan, priced
from olist_platform.infrastructure_plan.policy_pack import (
    EnforcementLevel,
    PolicyRule,
    Violation,
)
from olist_platform.naming import EnvironmentName

DEV = load_environment(EnvironmentName.DEV)
RULE = PolicyRule(
    "warehouse-auto-suspends", "It bills | all night.", "set it", EnforcementLevel.MANDATORY
)
STACK = obedient_stack()
VIOLATION = Violation(
    RULE.id, STACK.resources["warehouse"].urn, "auto_suspend is 0", EnforcementLevel.MANDATORY
)


def grouped(stack: Stack) -> Stack:
    """Put the Snowflake resources of a stack under its component."""
    component = stack.resources["analytics-database"]
    return stack.with_(
        *(
            replace(one, parent=component.urn)
            for one in stack.resources.values()
            if one.type.startswith("snowflake:")
        )
    )


def plan(*violations: Violation, before: Stack | None = None) -> Plan:
    program = grouped(STACK).program
    return Plan(
        environment=DEV,
        program=program,
        rules=(RULE,),
        violations=violations,
        spend=priced(program, DEV),
        comparison=compare(grouped(before).program, program, "main") if before else None,
    )


def printed(made: Plan, *, every_resource: bool = False) -> str:
    with out.capture() as capture:
        plan_output.print_plan(made, every_resource=every_resource)
    return capture.get()


def test_people_read_components_policy_spend_and_what_is_not_known() -> None:
    text = printed(plan())
    assert "dev: 44 resources" in text
    assert "analytics-database olist:snowflake:AnalyticsDatabase, 19" in text
    assert "snowflake.GrantAccountRole x 2" in text
    assert "1 rules, 0 mandatory violations, 0 of advice" in text
    # 10 credits, cut off at 110 %, at 4.50 USD, and 50 USD of AWS.
    assert "Ceiling of monthly spend: 99.50 USD" in text
    for sentence in ONLY_THE_PROVIDER_CHECKS:
        assert sentence in text


def test_a_dropped_column_is_told_to_people_and_in_a_pull_request() -> None:
    columns = STACK.resources["customers"].inputs["columns"]
    made = plan(before=STACK.changed("customers", columns=[*columns, {"name": "FORMER"}]))
    assert "drops with its content: FORMER" in printed(made)
    assert "(**drops with its content: FORMER**)" in plan_output.as_markdown(made)
    [change] = json.loads(plan_output.as_json(made))["comparison"]["changes"]
    assert change["dropped_columns"] == ["FORMER"]


def test_every_resource_is_named_when_asked() -> None:
    assert "snowflake.GrantAccountRole user-role" in printed(plan(), every_resource=True)
    assert "snowflake.GrantAccountRole user-role" not in printed(plan())


def test_a_violation_shows_rule_resource_and_mend_and_ends_as_an_error() -> None:
    made = plan(VIOLATION)
    text = printed(made)
    assert "1 mandatory violation," in text
    assert "warehouse-auto-suspends snowflake.Warehouse warehouse: auto_suspend is 0" in text
    assert "mend: set it" in text
    error = plan_output.refusal(made)
    assert "warehouse-auto-suspends: snowflake.Warehouse warehouse: auto_suspend" in error.message
    assert error.mend == "warehouse-auto-suspends: set it"


def test_advice_ends_nothing() -> None:
    made = plan(replace(VIOLATION, level=EnforcementLevel.ADVISORY))
    assert made.mandatory_violations == ()
    assert "0 mandatory violations, 1 of advice" in printed(made)


def test_json_holds_everything() -> None:
    document = json.loads(plan_output.as_json(plan(VIOLATION, before=STACK)))
    assert document["environment"] == "dev"
    assert document["passes"] is False
    assert document["violations"] == [
        {
            "rule": "warehouse-auto-suspends",
            "urn": VIOLATION.urn,
            "found": "auto_suspend is 0",
            "level": "mandatory",
        }
    ]
    assert document["spend"]["total_usd"] == 99.5
    assert document["comparison"]["changes"] == []
    [warehouse] = [one for one in document["resources"] if one["name"] == "warehouse"]
    assert warehouse["inputs"]["autoSuspend"] == 60.0


def test_a_comparison_shows_what_changes_and_how() -> None:
    before = (
        STACK.changed("warehouse", autoSuspend=120.0)
        .changed("monitor", name="OLD")
        .without("topic")
        .add("aws:sqs/queue:Queue", "queue")
    )
    text = printed(plan(before=before))
    assert "1 created, 1 changed, 1 replaced, 1 deleted, 41 unchanged" in text
    assert "change  snowflake.Warehouse warehouse\n          autoSuspend: 120 -> 60" in text
    assert "name: OLD -> OLIST_DEV_LOAD_MONITOR (replaces)" in text


def test_markdown_is_a_comment_of_a_pull_request() -> None:
    before = STACK.changed("warehouse", autoSuspend=120.0, comment="a | b").without("topic")
    lines = plan_output.as_markdown(plan(VIOLATION, before=before)).splitlines()
    assert lines[0] == "### Plan of `dev`"
    assert "**1 mandatory violation**" in "".join(lines[:6])
    assert (
        "| `warehouse-auto-suspends` | mandatory | `snowflake.Warehouse warehouse` "
        "| auto_suspend is 0 | set it |"
    ) in lines
    assert "1 created, 1 changed, 0 replaced, 0 deleted, 42 unchanged." in lines
    assert "| create | `aws.sns.Topic topic` |  |" in lines
    assert (
        "| change | `snowflake.Warehouse warehouse` | `autoSuspend`: 120 → 60<br>"
        "`comment`: a \\| b → (absent) |"
    ) in lines
    assert not any(line.startswith("|") and line.count(" | ") < 1 for line in lines)


def test_the_picture_has_a_box_for_each_component_and_its_edges() -> None:
    bucket = STACK.resources["bucket"]
    stack = grouped(STACK).with_(
        replace(grouped(STACK).resources["customers"], dependencies=(bucket.urn,))
    )
    graph = component_graph(stack.program)
    assert graph.has_edge("bucket", "analytics-database")
    picture = component_picture(graph, "Components of dev")
    assert picture.startswith("<svg ")
    assert picture.count("marker-end") == graph.number_of_edges()
    assert ">analytics-database</text>" in picture


@pytest.mark.parametrize(
    ("token", "short"),
    [
        ("aws:s3/bucket:Bucket", "aws.s3.bucket"),
        ("snowflake:index/table:Table", "snowflake.Table"),
        ("pulumi:providers:aws", "aws.Provider"),
        ("olist:aws:LandingZone", "olist.aws.LandingZone"),
    ],
)
def test_short_types_are_what_a_program_writes(token: str, short: str) -> None:
    assert short_type(token).lower() == short.lower()


def test_without_pulumi_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_tools, "_TOOLS", ("pulumi", "pulumi_not_installed"))
    with pytest.raises(OlistError, match=r": pulumi_not_installed$") as raised:
        plan_command("dev")
    assert raised.value.mend == "run: make setup"
