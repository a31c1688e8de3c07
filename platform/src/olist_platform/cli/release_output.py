"""How deployments and their record are printed."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from olist_platform.cli.console import out
from olist_platform.release.bundle_manifest import short
from olist_platform.release.deployment_state import (
    EnvironmentState,
    Event,
    Release,
    Result,
    StepOutcome,
)

Statuses = Mapping[str, tuple[EnvironmentState, Sequence[Event]]]

_EVENTS_SHOWN = 4
_STEP_COLOURS = {
    StepOutcome.BEGUN: "yellow",
    StepOutcome.DONE: "bold green",
    StepOutcome.STOOD: "green",
    StepOutcome.SKIPPED: "dim",
    StepOutcome.FAILED: "bold red",
    StepOutcome.PUT_BACK: "magenta",
}
_RESULT_COLOURS = {Result.DEPLOYED: "green", Result.FAILED: "red", Result.ABANDONED: "yellow"}


def print_step(step: str, outcome: StepOutcome, reason: str) -> None:
    """Print what a step came to, as soon as it is known."""
    line = Text.assemble((f"{outcome:<9}", _STEP_COLOURS[outcome]), f" {step}")
    if reason:
        line.append(f": {reason}", "dim")
    out.print(line, soft_wrap=True)


def print_status(statuses: Statuses) -> None:
    """Print what runs in some environments, what is under way and what happened last."""
    states = {name: state for name, (state, _) in statuses.items()}
    for name, (state, history) in statuses.items():
        out.print(
            Panel(
                Group(*_environment_lines(state, history)),
                title=f"[bold]{name}[/]",
                title_align="left",
            )
        )
    for line in _comparisons(states):
        out.print(line, soft_wrap=True, highlight=False)


def as_json(statuses: Statuses) -> str:
    """Return the same for other tools."""
    return json.dumps(
        {
            name: {
                "current": state.current.model_dump(mode="json") if state.current else None,
                "previous": state.previous.model_dump(mode="json") if state.previous else None,
                "unfinished": (
                    state.unfinished.model_dump(mode="json", exclude={"lineage_before", "lease"})
                    if state.unfinished
                    else None
                ),
                "history": [event.model_dump(mode="json") for event in history],
            }
            for name, (state, history) in statuses.items()
        }
    )


def _environment_lines(state: EnvironmentState, history: Sequence[Event]) -> list[Table | Text]:
    facts = Table.grid(padding=(0, 2))
    current, previous, unfinished = state.current, state.previous, state.unfinished
    if current is None:
        facts.add_row("runs", "[yellow]nothing yet[/]")
    else:
        facts.add_row("runs", _named(current.release))
        facts.add_row("", f"since {current.at:%Y-%m-%d %H:%M} UTC, by {escape(current.by)}")
    facts.add_row("rollback to", _named(previous.release) if previous else "[dim]nothing[/]")
    if unfinished:
        way = f"being taken back: {unfinished.failure}" if unfinished.failure else "under way"
        facts.add_row(f"[yellow]{unfinished.kind}[/]", _named(unfinished.release))
        facts.add_row(
            "",
            f"[yellow]{escape(way)}[/], begun {unfinished.begun_at:%Y-%m-%d %H:%M} UTC"
            f" by {escape(unfinished.by)}: "
            + ", ".join(f"{name} {step.outcome}" for name, step in unfinished.steps.items()),
        )
    if not history:
        return [facts]
    table = Table("#", "ended (UTC)", "what", "result", "by", box=SIMPLE_HEAD, pad_edge=False)
    for event in reversed(history[-_EVENTS_SHOWN:]):
        colour = _RESULT_COLOURS[event.result]
        result = f"[{colour}]{event.result}[/]"
        if event.reason:
            result += f": {escape(event.reason.splitlines()[0])}"
        table.add_row(
            str(event.id),
            f"{event.ended_at:%Y-%m-%d %H:%M}",
            f"{event.kind} {short(event.release.commit)}",
            result,
            escape(event.by),
        )
    return [facts, table]


def _comparisons(states: Mapping[str, EnvironmentState]) -> list[str]:
    """Say of each two neighbours whether they run the same."""
    lines = []
    names = list(states)
    for one, other in pairwise(names):
        first, second = states[one].current, states[other].current
        if first is None or second is None:
            continue
        if first.release.digest == second.release.digest:
            lines.append(f"[green]{one} and {other} run the same bytes[/]")
        else:
            ahead = first.release.committed_at - second.release.committed_at
            days = f"{ahead.total_seconds() / 86400:.1f} days"
            last = states[other].last_event
            failed = (
                last is not None
                and last.result is not Result.DEPLOYED
                and last.release.digest == first.release.digest
            )
            then = (
                f"{other} was taken back to what it runs (#{last.id}); mend it in a commit"
                if failed and last
                else f"olist release promote {other}"
            )
            lines.append(f"{one} is {days} ahead of {other}: {then}")
    return lines


def _named(release: Release) -> str:
    return (
        f"[bold]{short(release.commit)}[/] {escape(release.subject)}"
        f" [dim](digest {short(release.digest)})[/]"
    )
