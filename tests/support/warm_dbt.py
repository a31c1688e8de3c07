"""dbt, `olist` and deployers in processes that are forked from one that has imported dbt.

Importing dbt takes longer than a run on two small models. A fork has nothing of a former run in it:
the server that it comes from imports, and parses one small project (`exercised_dbt.py`).
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver
from multiprocessing.forkserver import get_inherited_fds
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from olist_platform import dbt_command, executables
from olist_platform.release import release_tree

_IMPORTED = [
    # What pytest was started by; without it each fork would import that again.
    "__main__",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.adapters.snowflake",
    "exercised_dbt",
    "boto3",
    "olist_platform.release.deployer",
    "deploying_process",
    "warm_dbt",
]


Completed = subprocess.CompletedProcess[str]


@contextmanager
def warm_dbt() -> Iterator[None]:
    """Let this process run dbt by a fork, as long as the block runs."""

    run_captured = executables.run_captured

    def run(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> Completed:
        executable, *arguments = command
        if Path(executable).name != "dbt":
            return run_captured(command, variables, folder)
        return _run_fork(_become_dbt, arguments, variables, folder)

    def run_in_foreground(
        command: Sequence[str], variables: Mapping[str, str], folder: Path
    ) -> Completed:
        # What dbt says comes behind what this process has said.
        completed = run(command, variables, folder)
        sys.stdout.write(completed.stdout)
        sys.stderr.write(completed.stderr)
        return completed

    with pytest.MonkeyPatch.context() as patch:
        for module in (release_tree, dbt_command):
            patch.setattr(module, "run_captured", run)
        patch.setattr(dbt_command, "run_in_foreground", run_in_foreground)
        yield


def run_warm_olist(
    arguments: Sequence[str], variables: Mapping[str, str], folder: Path
) -> Completed:
    """Run the `olist` command by a fork, and by further ones the dbt that it calls."""
    return _run_fork(_become_olist, arguments, variables, folder)


def start_fork(target: Callable[..., None], arguments: tuple[Any, ...]) -> BaseProcess:
    """Start a function in a process of its own, in which everything is imported already."""
    _use_one_server()
    context: Any = multiprocessing.get_context("forkserver")
    process: BaseProcess = context.Process(target=target, args=arguments)
    process.start()
    return process


@cache
def _use_one_server() -> None:
    if get_inherited_fds() is not None:
        # A fork would start a server of its own, though it knows the one it comes from.
        setattr(forkserver._forkserver, "ensure_running", lambda: None)  # noqa: B010 - for mypy
        return
    forkserver.set_forkserver_preload(_IMPORTED)
    with pytest.MonkeyPatch.context() as patch:
        # The server is not told where this process finds modules, and leaves out without a word
        # what it does not find.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        forkserver.ensure_running()


def become(variables: Mapping[str, str], folder: str) -> None:
    """Give this process the variables and the folder that a program would be started with."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)


def _run_fork(
    program: Callable[[list[str]], None],
    arguments: Sequence[str],
    variables: Mapping[str, str],
    folder: Path,
) -> Completed:
    with tempfile.TemporaryDirectory() as scratch:
        said = tuple(Path(scratch) / name for name in ("out", "err"))
        process = start_fork(_become, (program, [*arguments], dict(variables), str(folder), said))
        process.join()
        assert process.exitcode is not None
        out, err = (path.read_text(encoding="utf-8") for path in said)
    return subprocess.CompletedProcess([*arguments], process.exitcode, out, err)


def _become(
    program: Callable[[list[str]], None],
    arguments: list[str],
    variables: dict[str, str],
    folder: str,
    said: tuple[Path, Path],
) -> None:
    assert set(_IMPORTED) <= sys.modules.keys()
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    become(variables, folder)
    program(arguments)


def _become_dbt(arguments: list[str]) -> None:
    # Imported long since, where this runs.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415
    from dbt.cli.main import cli  # noqa: PLC0415

    try:
        cli(args=arguments, prog_name="dbt")
    finally:
        # As dbt's own program does at its exit, which a fork of multiprocessing does not come to:
        # the last changes would stand in the warehouse's log alone.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _become_olist(arguments: list[str]) -> None:
    from olist_platform.cli.main import main  # noqa: PLC0415 - with this process' variables

    sys.argv = ["olist", *arguments]
    with warm_dbt():
        main()
