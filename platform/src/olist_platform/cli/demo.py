"""`olist demo`: the main job on this machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from olist_platform.cli.console import environment_named, out, path_named
from olist_platform.environment import Environment
from olist_platform.progress import Progress as CountedProgress

if TYPE_CHECKING:
    from olist_platform.demo import DemoResult

_DONE = ("success", "failed", "skipped", "upstream_failed")


def demo(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Folder or zip of Olist files. [default: generate them]",
            parser=path_named,
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Run also when datasets are missing.")
    ] = False,
) -> None:
    """Run the whole platform on this machine: files, landing, raw, the Airflow DAG, marts.

    Examples:  olist demo
      olist demo --from ~/Downloads/olist --allow-missing
    """
    # Airflow, Polars and Arrow take seconds to import, which `olist --help` need not wait for.
    from olist_platform.demo import run_demo  # noqa: PLC0415

    environment = environment_named("local")
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
        console=out,
        disable=not out.is_terminal,
    ) as bars:
        result = run_demo(environment, _Steps(bars), source, allow_missing=allow_missing)
    _print_result(result, environment)


class _Steps:
    """Bars on a terminal, a line per finished step elsewhere."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._current = TaskID(0)
        self._states: dict[str, str] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[CountedProgress]:
        bar = self._current = self._bars.add_task(title, total=None, now="")
        began = time.monotonic()

        def count(done: int, total: int) -> None:
            self._bars.update(bar, completed=done, total=total)

        yield count
        done = self._bars.tasks[bar].completed or 1
        self._bars.update(bar, completed=done, total=done, now="")
        if not out.is_terminal:
            out.print(f"{title:<10} {time.monotonic() - began:5.1f} s", highlight=False)

    def task(self, task_id: str, state: str) -> None:
        self._states[task_id] = state
        finished = sum(state in _DONE for state in self._states.values())
        self._bars.update(
            self._current, completed=finished, total=len(self._states), now=f"{task_id}: {state}"
        )


def _print_result(result: "DemoResult", environment: Environment) -> None:
    from olist_platform.airflow_home import airflow_home  # noqa: PLC0415

    if result.set_aside:
        out.print(
            f"[yellow]another input filled this warehouse before:[/] moved to {result.set_aside}",
            soft_wrap=True,
        )
    loaded, dag = result.loaded, result.dag
    if result.was_built:
        out.print(
            f"[bold]incremental run:[/] {loaded.loaded} new files, {loaded.already_loaded} already "
            f"loaded; only records with new rows were staged again",
            soft_wrap=True,
            highlight=False,
        )
    states = [task.state for task in dag.tasks]
    summary = Table.grid(padding=(0, 2))
    summary.add_row("landed", f"{result.landed.written} files, {result.landed.unchanged} unchanged")
    if result.landed.missing:
        summary.add_row("missing", f"[yellow]{', '.join(result.landed.missing)}[/]")
    summary.add_row("loaded", f"{loaded.loaded} files, {loaded.rows:,} rows")
    summary.add_row(
        "DAG",
        f"[green]{dag.state}[/], {states.count('success')} of {len(states)} tasks in "
        f"{dag.run_seconds:.0f} s; {dag.dbt.models_built} models built",
    )
    summary.add_row(
        "tests",
        f"{dag.dbt.tests_passed} passed, {dag.dbt.tests_failed} failed, "
        f"{dag.dbt.tests_warned} warned",
    )
    out.print(summary, highlight=False)
    out.print(_months(result))
    for name, place in (
        ("files", result.source),
        ("warehouse", environment.duckdb_path),
        ("published", environment.serving_path),
        ("DAG log", dag.log),
        ("Airflow", airflow_home(environment)),
        ("ask it", '.venv/bin/olist query "select * from mart_executive_kpis"'),
        ("serve it", ".venv/bin/olist dashboards serve"),
        ("dashboards", result.first_page.as_uri()),
    ):
        # Not a table's cell: a path that is cut short cannot be copied.
        out.print(f"{name:<10} {place}", highlight=False, markup=False, soft_wrap=True)


def _months(result: "DemoResult") -> Table:
    table = Table(
        *("month", "GMV, BRL", "growth", "orders", "people", "AOV, BRL", "on time", "review"),
        title="The last complete months",
        box=SIMPLE_HEAD,
        padding=(0, 0),
    )
    for column in table.columns:
        # On a narrow screen a figure goes on in the next line: cut off, it would be another one.
        column.overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    for month in result.months.to_pylist():
        growth, on_time, score = (
            month["gmv_growth"],
            month["on_time_rate"],
            month["avg_review_score"],
        )
        table.add_row(
            month["month"],
            f"{month['gmv']:,.2f}",
            "" if growth is None else f"{growth:+.1%}",
            f"{month['orders']:,}",
            f"{month['customers']:,}",
            "" if month["aov"] is None else f"{month['aov']:,.2f}",
            "" if on_time is None else f"{on_time:.1%}",
            "" if score is None else f"{score:.2f}",
        )
    return table
