"""`olist status`: how an environment stands, on one screen."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from olist_platform.alerts.kinds import Severity
from olist_platform.cli.console import EnvironmentOption, environment_named, out

if TYPE_CHECKING:
    from olist_platform.environment import Environment
    from olist_platform.monitoring.check_result import CheckResult
    from olist_platform.monitoring.status import Status, StatusLine

SEVERITY_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_FINDINGS_SHOWN = 8


def status(
    env: EnvironmentOption = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Show how an environment stands: runs, freshness, tests, quality, cost, alerts.

    It looks by itself and changes nothing; `olist monitor` also raises alerts and keeps figures.

    Exit code: 0 nothing fails, 3 something of severity low or medium does, 4 something of severity
    high or critical does, 1 it could not look.

    Example:  olist status
      olist status --env prod --json | jq .lines
    """
    # DuckDB and SQLAlchemy take a second to import, which `olist --help` need not wait for.
    from olist_platform.monitoring.status import read_status  # noqa: PLC0415

    environment = environment_named(env)
    found = read_status(environment, datetime.now(UTC))
    if as_json:
        out.print_json(json.dumps(_as_json(environment, found)))
    else:
        _print(environment, found)
    raise typer.Exit(found.exit_code)


def _print(environment: "Environment", found: "Status") -> None:
    from olist_platform.alerts.wording import duration_text, moment_text  # noqa: PLC0415

    worst = f"worst: {found.worst}" if found.worst else "all is well"
    colour = SEVERITY_COLOURS[found.worst] if found.worst else "green"
    moment = moment_text(found.at, environment.alerts)
    _print_title(
        f"[bold]{environment.name}[/] {moment}  [{colour}]{worst}[/]",
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for line in found.lines:
        table.add_row(line.area, _state(line), escape(line.text))
    out.print(table, highlight=False)
    since = {
        each.fingerprint: duration_text(found.at - each.first_raised_at) for each in found.alerts
    }
    fingerprints = {each.fingerprint(environment.name) for each in found.findings}
    _print_listed(
        "what fails",
        [
            (each.severity, each.subject, _finding(each), since.get(fingerprint, "not told yet"))
            for each in found.findings
            for fingerprint in [each.fingerprint(environment.name)]
        ],
    )
    if found.following:
        out.print(f"[dim]{found.following} more only follow from these[/]", highlight=False)
    _print_listed(
        "other open alerts",
        [
            (each.alert.severity, each.alert.subject, each.alert.summary, since[fingerprint])
            for each in found.alerts
            for fingerprint in [each.fingerprint]
            if not each.is_part_of_its_root and fingerprint not in fingerprints
        ],
    )


def _print_title(markup: str) -> None:
    # As text, for a rule would colour the figures of its title.
    out.rule(Text.from_markup(markup), align="left", style="dim")


def _finding(result: "CheckResult") -> str:
    measured = result.measurement
    if measured is None:
        return result.summary
    expected = measured.describe_expectation()
    return f"{result.summary} {measured.describe_value()}, expected {expected}"


def _print_listed(title: str, rows: list[tuple[Severity | None, str, str, str]]) -> None:
    if not rows:
        return
    _print_title(f"[bold]{title}[/]")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=2)
    table.add_column(ratio=5)
    table.add_column(no_wrap=True, justify="right")
    for severity, subject, what, since in rows[:_FINDINGS_SHOWN]:
        colour = SEVERITY_COLOURS[severity or Severity.LOW]
        table.add_row(f"[{colour}]{severity}[/]", escape(subject), escape(what), since)
    out.print(table, highlight=False)
    if len(rows) > _FINDINGS_SHOWN:
        more = len(rows) - _FINDINGS_SHOWN
        out.print(f"[dim]and {more} more; --json has all[/]", highlight=False)


def _state(line: "StatusLine") -> str:
    if line.severity:
        return f"[{SEVERITY_COLOURS[line.severity]}]{line.severity}[/]"
    return "[green]ok[/]" if line.is_known else "[dim]-[/]"


def _as_json(environment: "Environment", found: "Status") -> dict[str, Any]:
    return {
        "environment": environment.name.value,
        "at": found.at.isoformat(),
        "worst": found.worst,
        "lines": [
            {
                "area": line.area,
                "state": line.severity or ("ok" if line.is_known else "unknown"),
                "text": line.text,
            }
            for line in found.lines
        ],
        "findings": [
            {
                "check": each.check,
                "subject": each.subject,
                "severity": each.severity,
                "value": each.value,
                "unit": each.unit,
                "at_least": each.at_least,
                "at_most": each.at_most,
                "owner": each.owner,
                "summary": each.summary,
                "runbook": each.check.signal.runbook,
            }
            for each in found.findings
        ],
        "following": found.following,
        "alerts": [
            {
                "fingerprint": each.fingerprint,
                "signal": each.alert.signal,
                "subject": each.alert.subject,
                "severity": each.alert.severity,
                "since": each.first_raised_at.isoformat(),
            }
            for each in found.alerts
            if not each.is_part_of_its_root
        ],
        "budgets": [
            {
                "subject": month.subject,
                "unit": month.unit,
                "budget": month.budget,
                "spent": month.spent,
                "forecast": month.forecast,
            }
            for month in found.months
        ],
    }
