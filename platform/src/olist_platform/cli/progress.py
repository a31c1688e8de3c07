"""The progress bar of commands that take a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from olist_platform.cli.console import err
from olist_platform.progress import Progress as CountedProgress


@contextmanager
def progress_bar(what: str, unit: str) -> Iterator[CountedProgress]:
    """Show a bar on a terminal, and nothing elsewhere; the function takes done and total."""
    with Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report
