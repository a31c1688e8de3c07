"""`olist alerts`: what is open, what is delivered, and how every alert would look."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.environment import Environment
from olist_platform.errors import OlistError

app = typer.Typer(help="Look at alerts, deliver them, preview them.", no_args_is_help=True)

_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}


@app.command("list")
def list_alerts(
    env: EnvironmentOption = "local",
    also_resolved: Annotated[bool, typer.Option("--all", help="Show resolved alerts too.")] = False,
) -> None:
    """List the open alerts: how often each was raised, and who is still to be told.

    Example:  olist alerts list --env prod
      olist alerts list --all
    """
    from olist_platform.alerts.router import open_outbox  # noqa: PLC0415
    from olist_platform.alerts.wording import moment_text  # noqa: PLC0415

    environment = environment_named(env)
    stored = open_outbox(environment).alerts(also_resolved=also_resolved)
    if not stored:
        out.print(f"no {'' if also_resolved else 'open '}alerts in {environment.name}")
        return
    table = Table("severity", "alert")
    table.add_column("owner", overflow="fold")
    for name in ("seen", "since", "told"):
        table.add_column(name)
    # `olist alerts resolve` takes it: it is never cut.
    table.add_column("fingerprint", no_wrap=True, min_width=16)
    for each in stored:
        alert = each.alert
        told = f"{each.sent} sent" + (f", {each.waiting} waiting" if each.waiting else "")
        if each.is_part_of_its_root:
            told = "part of its root"
        if each.last_error:
            told += f"\n{each.last_error}"
        state = "resolved" if each.resolved_at else alert.severity.value
        colour = "green" if each.resolved_at else _COLOURS[alert.severity]
        table.add_row(
            f"[{colour}]{state}[/]",
            escape(f"{alert.kind.label}: {alert.subject}\n{alert.summary}"),
            escape(alert.owner),
            f"{each.occurrences}",
            moment_text(each.first_raised_at, environment.alerts),
            escape(told),
            each.fingerprint,
        )
    out.print(table)


@app.command()
def deliver(env: EnvironmentOption = "local") -> None:
    """Send everything that is due. What does not go waits for another time or goes by e-mail.

    Exits with 1 when a try failed. Nothing is lost by that: run it again later.

    Example:  olist alerts deliver --env prod
    """
    from olist_platform.alerts.router import deliver_due, delivered_folder  # noqa: PLC0415

    environment = environment_named(env)
    report = deliver_due(environment, _clock)
    for outcome in report.outcomes:
        state = "[green]sent[/]" if outcome.problem is None else "[red]not sent[/]"
        out.print(
            f"{state} {outcome.channel} {outcome.recipient}: {escape(outcome.title)}",
            soft_wrap=True,
            highlight=False,
        )
        if outcome.problem:
            out.print(f"    {escape(outcome.problem)}", soft_wrap=True, highlight=False)
    if not report.outcomes:
        out.print("nothing is due")
    elif report.sent and None in (environment.alerts.slack, environment.alerts.email):
        err.print(
            f"messages without a channel are in {delivered_folder(environment)}", soft_wrap=True
        )
    if report.not_sent:
        raise OlistError(
            f"{len(report.not_sent)} of {len(report.outcomes)} tries failed; the messages wait",
            "mend what is named above; the next `olist alerts deliver` tries what is due again",
        )


@app.command()
def resolve(
    fingerprint: Annotated[str, typer.Argument(help="As `olist alerts list` shows it.")],
    env: EnvironmentOption = "local",
) -> None:
    """Close an alert by hand; whoever was told of it is told that it is over.

    Checks and DAGs resolve their own alerts. This is for what no check will look at again.

    Example:  olist alerts resolve 0f3a8e51c2d94b76 --env prod
    """
    from olist_platform.alerts.router import resolve as resolve_alert  # noqa: PLC0415

    environment = environment_named(env)
    if not resolve_alert(environment, fingerprint, _clock()):
        raise OlistError(
            f"no open alert has the fingerprint '{fingerprint}'",
            f"see: olist alerts list --env {environment.name}",
        )
    out.print("resolved; `olist alerts deliver` tells those who were told of it")


@app.command("test")
def preview_alerts(
    env: Annotated[str, typer.Argument(help="local, dev or prod.")],
    signal: Annotated[
        list[Signal] | None, typer.Option(help="Only this signal; give it again for more.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send them for real, every one at once.")
    ] = False,
) -> None:
    """Show every alert as it would be routed and rendered; nothing is sent without --send.

    Example:  olist alerts test prod
      olist alerts test prod --signal cost_budget --signal freshness
      olist alerts test dev --send
    """
    from olist_platform.alerts.examples import example_alerts  # noqa: PLC0415
    from olist_platform.alerts.preview import preview  # noqa: PLC0415

    environment = environment_named(env)
    chosen = [
        alert
        for alert in example_alerts(environment.name)
        if signal is None or alert.signal in signal
    ]
    for alert in chosen:
        messages = preview(alert, environment.alerts, _clock())
        out.rule(f"[bold]{escape(alert.kind.label)}: {alert.signal}", align="left")
        colour = _COLOURS[alert.severity]
        for message in messages:
            out.print(f"[{colour}]{message.channel}[/] to {message.address}, {message.due}")
        for text in dict.fromkeys(message.text for message in messages):
            out.print(f"\n{escape(text)}\n", soft_wrap=True, highlight=False)
    if send:
        _send(environment, chosen)


@app.command()
def examples() -> None:
    """Write the page of examples in the documentation, as production sends them.

    Example:  olist alerts examples
    """
    from olist_platform.alerts.examples_page import write_examples_page  # noqa: PLC0415

    out.print(f"written: {write_examples_page(environment_named('prod'))}", soft_wrap=True)


def _send(environment: Environment, alerts: list[Alert]) -> None:
    from olist_platform.alerts.trial import send_examples  # noqa: PLC0415

    report = send_examples(environment, alerts, _clock())
    out.print(f"[bold]{len(report.sent)} messages sent[/]")
    if report.not_sent:
        raise OlistError("; ".join(sorted({str(each.problem) for each in report.not_sent})))


def _clock() -> datetime:
    return datetime.now(UTC)
