"""dbt in a process of its own each time, forked from one that has imported it already.

Importing dbt takes four seconds of processor, a run on two small models less than one. A fork has
nothing of a former run in it, and the server that it comes from runs nothing but imports.
"""

import multiprocessing
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from olist_platform import dbt_command
from olist_platform.release import release_tree

_IMPORTED = ["dbt.cli.main", "dbt.adapters.duckdb", "dbt.adapters.snowflake"]


@contextmanager
def warm_dbt() -> Iterator[None]:
    """Let this process run dbt by a fork, as long as the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (release_tree, dbt_command):
            patch.setattr(module, "run_captured", _run)
        yield


def _run(
    command: Sequence[str], variables: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    executable, *arguments = command
    assert Path(executable).name == "dbt"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch) / "out", Path(scratch) / "err"
        process = context.Process(
            target=_run_here, args=(arguments, dict(variables), str(folder), *map(str, said))
        )
        process.start()
        process.join()
        assert process.exitcode is not None
        out, err = (path.read_text(encoding="utf-8") for path in said)
    return subprocess.CompletedProcess([*command], process.exitcode, out, err)


def _run_here(
    arguments: list[str], variables: dict[str, str], folder: str, out: str, err: str
) -> None:
    """What the fork does: become the process that dbt's own executable would be."""
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    from dbt.cli.main import cli  # noqa: PLC0415 - imported long since, where this runs

    cli(args=arguments, prog_name="dbt")
