"""`olist status`: how an environment stands, on one screen."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from olist_platform.alerts.kinds import Severity
from olist_platform.cli.console import EnvironmentOption, environment_named, out

if TYPE_CHECKING:
    from olist_platform.environment import Environment
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
    out.rule(f"[bold]{environment.name}[/] {moment}  [{colour}]{worst}[/]", align="left")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in found.lines:
        table.add_row(line.area, _state(line), escape(line.text))
    out.print(table, highlight=False)
    if found.findings:
        out.rule("[bold]what fails[/]", align="left", style="dim")
        _print_findings(found)
    told = [each for each in found.alerts if not each.is_part_of_its_root]
    if told:
        out.rule("[bold]open alerts[/]", align="left", style="dim")
        for each in told[:_FINDINGS_SHOWN]:
            alert = each.alert
            since = duration_text(found.at - each.first_raised_at)
            out.print(
                f"[{SEVERITY_COLOURS[alert.severity]}]{alert.severity:<8}[/] "
                f"{escape(alert.subject)} ({alert.signal}), open for {since}",
                highlight=False,
            )
        _print_more(len(told), f"see: olist alerts list --env {environment.name}")


def _print_findings(found: "Status") -> None:
    for each in found.findings[:_FINDINGS_SHOWN]:
        severity = each.severity or Severity.LOW
        out.print(
            f"[{SEVERITY_COLOURS[severity]}]{severity:<8}[/] [bold]{escape(each.subject)}[/]"
            f" {escape(each.summary)}",
            highlight=False,
        )
    _print_more(len(found.findings), "--json has all")
    if found.following:
        out.print(f"[dim]{found.following} more only follow from these[/]", highlight=False)


def _print_more(count: int, where: str) -> None:
    if count > _FINDINGS_SHOWN:
        out.print(f"[dim]and {count - _FINDINGS_SHOWN} more; {where}[/]", highlight=False)


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
                "fingerprint": each.alert.fingerprint,
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
