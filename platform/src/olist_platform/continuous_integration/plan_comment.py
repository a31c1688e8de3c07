"""The plans of all environments with a cloud side, as one comment of a pull request."""

from collections.abc import Sequence

from olist_platform.cli.plan_output import as_markdown, ceiling_text
from olist_platform.infrastructure_plan.plan import Plan

# GitHub refuses longer ones.
_LONGEST = 65_000
_CUT = "\n\n… cut here: the summary of the job has all of it.\n"


def plan_comment(plans: Sequence[Plan], against: str) -> str:
    """Return the comment: a verdict of each plan first, then each plan.

    Args:
        plans: The plans.
        against: The commit that they are compared with.
    """
    rows = [
        f"| {plan.environment.name} | {_verdict(plan)} | {_changes(plan)} |"
        f" {ceiling_text(plan.spend)} |"
        for plan in plans
    ]
    lines = [
        f"## Plan against `{against[:12]}`",
        "",
        "| environment | policies | resources | most that a month may cost |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        *[as_markdown(plan) for plan in plans],
    ]
    text = "\n".join(lines)
    return text if len(text) <= _LONGEST else text[: _LONGEST - len(_CUT)] + _CUT


def _verdict(plan: Plan) -> str:
    broken = {violation.rule for violation in plan.mandatory_violations}
    return f"**broken: {', '.join(sorted(broken))}**" if broken else "obeyed"


def _changes(plan: Plan) -> str:
    if plan.comparison is None or not plan.comparison.changes:
        return "unchanged"
    kinds = [change.kind for change in plan.comparison.changes]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
