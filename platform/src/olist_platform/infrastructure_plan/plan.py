"""One environment's plan: what would stand, what the rules say of it, what it may cost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from olist_platform.environment import Environment
from olist_platform.infrastructure_plan.captured_program import capture_program, cloud_side
from olist_platform.infrastructure_plan.captured_reference import capture_reference, commit_of
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.infrastructure_plan.comparison import Comparison, compare
from olist_platform.infrastructure_plan.policy_pack import (
    EnforcementLevel,
    PolicyRule,
    Violation,
    running_policy_pack,
)
from olist_platform.infrastructure_plan.spend import SpendCeiling, spend_ceiling

# What a plan without a cloud cannot know, said with every plan.
ONLY_THE_PROVIDER_CHECKS = (
    "whether the deployer's credentials and privileges suffice",
    "what already stands there: drift, and names that are taken (--against compares programs)",
    "enum values, the SQL of policies, pipes and Execute statements, limits of the accounts",
    "defaults that providers fill in, and replacements they decide on by themselves",
    "costs no resource monitor stops: storage, Snowpipe, serverless features, data transfer",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One environment's plan.

    Attributes:
        environment: The environment.
        program: What the program registers.
        rules: Every rule of the policy pack.
        violations: What the rules find, mandatory ones and advice.
        spend: The most that a month may cost.
        comparison: What differs from another commit, if asked for.
    """

    environment: Environment
    program: CapturedProgram
    rules: tuple[PolicyRule, ...]
    violations: tuple[Violation, ...]
    spend: SpendCeiling
    comparison: Comparison | None

    @property
    def mandatory_violations(self) -> tuple[Violation, ...]:
        """The violations that stop a deployment."""
        return tuple(
            violation
            for violation in self.violations
            if violation.level is EnforcementLevel.MANDATORY
        )

    def place(self, urn: str) -> str:
        """File and line that made a resource; empty for the stack as a whole."""
        return next((one.declared_at for one in self.program.resources if one.urn == urn), "")

    def rule(self, rule_id: str) -> PolicyRule:
        """Return the rule of an id; raises KeyError."""
        return {rule.id: rule for rule in self.rules}[rule_id]


def make_plan(environment: Environment, against: str | None = None) -> Plan:
    """Run the program and the policy pack for an environment, without a cloud.

    Args:
        environment: The environment.
        against: A git reference whose program is compared with; None for no comparison.

    Raises:
        OlistError: The environment has no cloud side, the program or a rule fails, or there is no
            such reference.
    """
    cloud_side(environment)
    if against is not None:
        commit_of(against)
    with ThreadPoolExecutor(max_workers=1) as executor:
        earlier = (
            executor.submit(capture_reference, against, environment.name)
            if against is not None
            else None
        )
        program = capture_program(environment)
        with running_policy_pack() as pack:
            violations = pack.violations(program)
        comparison = (
            compare(earlier.result(), program, against) if earlier and against is not None else None
        )
    return Plan(
        environment=environment,
        program=program,
        rules=pack.rules,
        violations=violations,
        spend=priced(program, environment),
        comparison=comparison,
    )


def priced(program: CapturedProgram, environment: Environment) -> SpendCeiling:
    """Return the most that a month of a program may cost at an environment's price of a credit.

    Raises:
        OlistError: The environment has no cloud side.
    """
    _, cloud = cloud_side(environment)
    return spend_ceiling(
        ((resource.type, resource.plain_inputs) for resource in program.resources),
        cloud.snowflake.credit_price_usd,
    )
