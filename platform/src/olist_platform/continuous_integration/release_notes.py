"""What is new in an environment: the commits between two releases that ran there."""

from collections.abc import Sequence
from dataclasses import dataclass

from olist_platform.release.bundle_manifest import short
from olist_platform.release.deployment_state import EnvironmentState, Event, Kind, Release, Result
from olist_platform.release.git_tree import Commit


@dataclass(frozen=True, slots=True)
class NotedRelease:
    """The release that notes are of, and the one that ran before it."""

    release: Release
    before: Release | None
    event: Event


def noted_release(state: EnvironmentState) -> NotedRelease | None:
    """Return what the last deployment brought; None where it brought nothing new."""
    event = state.last_event
    if event is None or event.result is not Result.DEPLOYED or event.kind is Kind.ROLLBACK:
        return None
    before = state.previous.release if state.previous else None
    return NotedRelease(event.release, before, event)


def release_notes(noted: NotedRelease, environment: str, commits: Sequence[Commit] | None) -> str:
    """Return the notes as Markdown.

    Args:
        noted: What was brought.
        environment: Where to.
        commits: Every commit since the release before, the newest first; None where the clone does
            not have both.
    """
    release, event = noted.release, noted.event
    lines = [
        f"Runs in {environment} since {event.ended_at:%Y-%m-%d %H:%M} UTC, by {event.by}.",
        "",
        f"- commit `{release.commit}`",
        f"- digest `{release.digest}`",
        *[f"- approved: {approval}" for approval in event.approvals],
        "",
        "## Changes" + (f" since {short(noted.before.commit)}" if noted.before else ""),
        "",
        *(
            ["Not listed: one of the two is of no branch any more."]
            if commits is None
            else [f"- {commit.subject} ({short(commit.sha)})" for commit in commits]
        ),
        "",
        "## Steps",
        "",
        "| step | outcome |",
        "| --- | --- |",
        *[
            f"| {name} | {step.outcome}{f': {step.reason}' if step.reason else ''} |"
            for name, step in event.steps.items()
        ],
        "",
        f"Back: `olist release rollback {environment}`.",
    ]
    return "\n".join(lines) + "\n"
