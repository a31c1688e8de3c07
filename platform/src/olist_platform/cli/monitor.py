"""`olist monitor`: the checks of the monitoring DAG, by hand."""

from datetime import UTC, datetime

from rich.markup import escape

from olist_platform.alerts.kinds import Severity
from olist_platform.cli.console import EnvironmentOption, environment_named, out
from olist_platform.cli.status import SEVERITY_COLOURS


def monitor(env: EnvironmentOption = "local") -> None:
    """Run every check once: raise and resolve alerts, and append the figures to the history.

    It is what the DAG olist_monitoring does each hour. Nobody is told yet: `olist alerts deliver`
    does that. To look without changing anything: `olist status`.

    Example:  olist monitor --env prod
    """
    # DuckDB and SQLAlchemy take a second to import, which `olist --help` need not wait for.
    from olist_platform.monitoring.hourly import run_checks  # noqa: PLC0415

    environment = environment_named(env)
    done = run_checks(environment, _clock)
    for result in done.failing:
        if result.caused_by is None:
            severity = result.severity or Severity.LOW
            out.print(
                f"[{SEVERITY_COLOURS[severity]}]{severity:<8}[/] {escape(result.subject)}:"
                f" {escape(result.summary)}",
                soft_wrap=True,
                highlight=False,
            )
    settlement = done.settlement
    out.print(
        f"[bold]{len(done.results):,} figures checked[/], {len(done.failing)} fail;"
        f" {len(settlement.raised)} alerts raised, {settlement.repeated} known already or part of"
        f" another, {len(settlement.resolved)} resolved; {done.recorded:,} figures kept",
        soft_wrap=True,
        highlight=False,
    )


def _clock() -> datetime:
    return datetime.now(UTC)
