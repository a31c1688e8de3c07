"""What a rule is: an id, the reason, the mend, a level, and a check that yields violations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from olist_policies.stack_view import StackView

# Splits a policy's description into the reason and the mend; `olist plan` reads it so.
MEND_MARK = "\nmend: "

ResourceCheck = Callable[[ResourceValidationArgs], Iterator[str]]
StackCheck = Callable[[StackView], Iterator[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the pack.

    Attributes:
        id: Kebab-case name, stable: it is what people search for and configure.
        reason: What goes wrong without it.
        mend: What whoever violates it does.
        level: Mandatory stops `pulumi up` and `olist plan`; advisory only speaks.
        policy: The rule as CrossGuard runs it.
    """

    id: str
    reason: str
    mend: str
    level: EnforcementLevel
    policy: Policy


def resource_rule(
    rule_id: str,
    *types: str,
    reason: str,
    mend: str,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
) -> Callable[[ResourceCheck], Rule]:
    """Make a rule of a check of one resource, which yields what is wrong with it.

    Args:
        rule_id: The rule's id.
        types: Type tokens it looks at; a token that ends in a slash or a colon is a prefix.
        reason: What goes wrong without it.
        mend: What to do.
        level: The enforcement level.
    """

    def make(check: ResourceCheck) -> Rule:
        def validate(resource: ResourceValidationArgs, report: ReportViolation) -> None:
            if any(_matches(resource.resource_type, wanted) for wanted in types):
                for found in check(resource):
                    report(found, resource.urn)

        policy = ResourceValidationPolicy(rule_id, reason + MEND_MARK + mend, validate, level)
        return Rule(rule_id, reason, mend, level, policy)

    return make


def stack_rule(
    rule_id: str,
    *,
    reason: str,
    mend: str,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
) -> Callable[[StackCheck], Rule]:
    """Make a rule of a check of the whole stack, which yields URNs and what is wrong with them.

    Args:
        rule_id: The rule's id.
        reason: What goes wrong without it.
        mend: What to do.
        level: The enforcement level.
    """

    def make(check: StackCheck) -> Rule:
        def validate(stack: StackValidationArgs, report: ReportViolation) -> None:
            for urn, found in check(StackView(stack.resources)):
                report(found, urn)

        policy = StackValidationPolicy(rule_id, reason + MEND_MARK + mend, validate, level)
        return Rule(rule_id, reason, mend, level, policy)

    return make


def _matches(type_token: str, wanted: str) -> bool:
    return type_token.startswith(wanted) if wanted.endswith((":", "/")) else type_token == wanted
