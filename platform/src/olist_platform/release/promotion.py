"""What may go from one environment to the next, and what may not and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, CapturedResource
from olist_platform.infrastructure_plan.comparison import ChangeKind, compare
from olist_platform.release.bundle import Bundle
from olist_platform.release.bundle_manifest import short
from olist_platform.release.deployment_state import EnvironmentState, Event, Result
from olist_platform.release.deployment_steps import broken_rules
from olist_platform.release.public_marts import public_marts

_RESOURCES = TypeAdapter(tuple[CapturedResource, ...])
_SHOWN = 6


class Approval(StrEnum):
    """What somebody has to approve by name; also the label of a pull request."""

    BUDGET = "approved-budget"
    DESTRUCTIVE = "approved-destructive"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a promotion, and what can be done about it."""

    reason: str
    mend: str


def green_release(
    source: EnvironmentState, history: Sequence[Event], wanted: str | None, target: str
) -> str:
    """Return the digest of the release that is green in the source environment.

    Args:
        source: The source's state.
        history: Its history.
        wanted: Digest that was asked for; None for whatever is green.
        target: The environment it is to go to, for messages.

    Raises:
        OlistError: Nothing is green there, or not what was asked for.
    """
    environment = source.environment
    current = source.current
    of_wanted = [event for event in history if event.release.digest == wanted]
    if wanted and not of_wanted and not (current and current.release.digest == wanted):
        unfinished = source.unfinished
        if unfinished is None or unfinished.release.digest != wanted:
            raise OlistError(
                f"release {short(wanted)} was never in {environment}: {target} takes only what"
                " was there before, byte for byte",
                f"olist release deploy {environment} <bundle>, then promote that digest",
            )
    if source.unfinished is not None:
        raise OlistError(
            f"{environment} is not green: the {source.unfinished.kind} of"
            f" {source.unfinished.release} is unfinished",
            "end it first: see `olist release status`",
        )
    if current is None:
        raise OlistError(
            f"nothing runs in {environment}", f"olist release deploy {environment} <bundle>"
        )
    if wanted and current.release.digest != wanted:
        last = of_wanted[-1]
        if last.result is not Result.DEPLOYED:
            raise OlistError(
                f"release {short(wanted)} is not green in {environment}: {last.reason}",
                f"mend it in a commit, and deploy that to {environment}",
            )
        raise OlistError(
            f"{environment} runs another digest: {short(current.release.digest)} of"
            f" {current.release}, not {short(wanted)} any more",
            f"promote what runs there, or deploy {short(wanted)} to {environment} again",
        )
    return current.release.digest


def refusals(
    candidate: Bundle,
    current: Bundle | None,
    environment: str,
    approvals: Sequence[str],
) -> tuple[Refusal, ...]:
    """Return everything that speaks against bringing a green release to an environment.

    Args:
        candidate: The release.
        current: The release that runs in the environment; None at first.
        environment: The environment.
        approvals: What was approved by name.
    """
    found: list[Refusal] = []
    plan = candidate.plan(environment)
    if plan is not None and not plan["passes"]:
        found.append(
            Refusal(
                "policy broken: " + "; ".join(broken_rules(plan)),
                f"olist plan {environment} says where and what to do",
            )
        )
    if current is None:
        return tuple(found)
    if candidate.manifest.committed_at < current.manifest.committed_at:
        found.append(
            Refusal(
                f"older than what runs: {candidate.manifest.short_commit} is of"
                f" {candidate.manifest.committed_at:%Y-%m-%d %H:%M} UTC,"
                f" {current.manifest.short_commit} of"
                f" {current.manifest.committed_at:%Y-%m-%d %H:%M} UTC",
                f"to go back: olist release rollback {environment}",
            )
        )
    raised = raised_ceiling(current.plan(environment), plan)
    if raised and Approval.BUDGET not in approvals:
        found.append(
            Refusal(
                f"budget ceiling raised without approval: {raised}",
                f"label the pull request, or add --approve {Approval.BUDGET}",
            )
        )
    destructive = destructive_changes(candidate, current, environment)
    if destructive and Approval.DESTRUCTIVE not in approvals:
        shown = "; ".join(destructive[:_SHOWN])
        more = f"; and {len(destructive) - _SHOWN} more" if len(destructive) > _SHOWN else ""
        found.append(
            Refusal(
                f"destructive change without a label: {shown}{more}",
                "keep it for a release after the one that stops using it; then label the pull"
                f" request, or add --approve {Approval.DESTRUCTIVE}",
            )
        )
    return tuple(found)


def require_none(found: Sequence[Refusal], release: str, environment: str) -> None:
    """Raise an error that holds every refusal.

    Raises:
        OlistError: There is one.
    """
    if found:
        lines = [f"  {refusal.reason}" for refusal in found]
        raise OlistError(
            "\n".join([f"{release} is not promoted to {environment}:", *lines]),
            "\n       ".join(dict.fromkeys(refusal.mend for refusal in found)),
        )


def raised_ceiling(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """Say by how much the ceiling of monthly spend rises; empty when it does not."""
    if before is None or after is None:
        return ""
    old, new = before["spend"]["total_usd"], after["spend"]["total_usd"]
    if old is None or (new is not None and new <= old):
        return ""
    return f"from {old:,.2f} USD a month to " + ("no ceiling" if new is None else f"{new:,.2f} USD")


def destructive_changes(candidate: Bundle, current: Bundle, environment: str) -> tuple[str, ...]:
    """Return what a release takes away: resources, and marts or columns that people read."""
    found: list[str] = []
    before, after = current.plan(environment), candidate.plan(environment)
    if before is not None:
        changes = compare(
            _program(before, environment), _program(after or {"resources": []}, environment), ""
        )
        found += [
            f"{change.kind} {change.type} {change.name}"
            for kind in (ChangeKind.DELETE, ChangeKind.REPLACE)
            for change in changes.of_kind(kind)
        ]
        found += [
            f"drop column {change.name}.{column} with its content"
            for change in changes.of_kind(ChangeKind.CHANGE)
            for column in change.dropped_columns
        ]
    old = public_marts(current.dbt_manifest(environment))
    new = public_marts(candidate.dbt_manifest(environment))
    for mart, columns in old.items():
        if mart not in new:
            found.append(f"mart {mart} is gone")
        else:
            gone = [column for column in columns if column not in new[mart]]
            found += [f"column {mart}.{column} is gone" for column in gone]
    return tuple(found)


def _program(plan: dict[str, Any], environment: str) -> CapturedProgram:
    resources = _RESOURCES.validate_python(plan["resources"])
    return CapturedProgram("olist", environment, resources, {})
