"""Every rule, through the real pack over gRPC: one stack obeys them all, each case breaks one."""

import subprocess
from collections.abc import Iterator

import pytest

from obedient_stack import obedient_stack
from olist_platform.infrastructure_plan.policy_pack import (
    PolicyPack,
    Violation,
    running_policy_pack,
)
from olist_workspace import OLIST, ROOT
from policy_cases import CASES, Case


@pytest.fixture(scope="module")
def pack() -> Iterator[PolicyPack]:
    with running_policy_pack() as running:
        yield running


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_obedient_stack_passes_every_rule(pack: PolicyPack, stack: str) -> None:
    assert pack.violations(obedient_stack(stack).program) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.what}")
def test_a_spoilt_stack_breaks_exactly_one_rule(pack: PolicyPack, case: Case) -> None:
    found = [one for one in pack.violations(case.stack.program) if one.rule != case.also]
    by_urn = {resource.urn: resource.name for resource in case.stack.program.resources}
    assert {(one.rule, by_urn.get(one.urn, "")) for one in found} == {
        (case.rule, offender) for offender in case.offenders
    }
    assert all(case.says in one.found for one in found), found


def test_every_rule_has_a_case_that_breaks_it(pack: PolicyPack) -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in pack.rules}
    assert len(pack.rules) >= 20


def test_every_rule_says_why_and_how_to_mend(pack: PolicyPack) -> None:
    assert [rule.id for rule in pack.rules if not (rule.reason and rule.mend)] == []
    assert len({rule.id for rule in pack.rules}) == len(pack.rules)


def test_an_unknown_value_is_advice_not_a_pass(pack: PolicyPack) -> None:
    """In the engine's first preview what the provider computes is unknown."""
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    spoilt = obedient_stack().changed("reads", policy=unknown)
    found = pack.violations(spoilt.program)
    assert {one.rule for one in found} == {"iam-no-wildcard-action", "iam-no-wildcard-resource"}
    assert {one.level for one in found} == {"advisory"}


def test_a_violation_reads_as_the_pulumi_cli_prints_it(pack: PolicyPack) -> None:
    stack = obedient_stack().changed("warehouse", autoSuspend=None)
    [found] = pack.violations(stack.program)
    assert found == Violation(
        rule="warehouse-auto-suspends",
        urn="urn:pulumi:dev::olist::snowflake:index/warehouse:Warehouse::warehouse",
        found="auto_suspend is not set, so it never suspends",
        level=pack.rule("warehouse-auto-suspends").level,
    )


def test_the_documented_rules_are_those_of_the_pack() -> None:
    printed = subprocess.run(
        [OLIST, "policies", "--markdown"], capture_output=True, text=True, check=True
    ).stdout
    written = (ROOT / "platform" / "docs" / "policies.md").read_text(encoding="utf-8")
    assert written == printed, "run: olist policies --markdown > platform/docs/policies.md"
