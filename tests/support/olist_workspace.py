"""A workspace: the checkout's code on data of its own, driven as a user drives it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warm_dbt import run_warm_olist

ROOT = Path(__file__).resolve().parents[2]
OLIST = Path(sys.executable).with_name("olist")
# They start Airflow, whose processes are found and stopped by what they were started with.
_WITH_AIRFLOW = ("airflow", "dag", "demo", "down", "up")


def run_olist(
    arguments: Sequence[str | Path], home: Path, variables: Mapping[str, str], expect: int | None
) -> str:
    """Run the `olist` command; return what it printed, errors included."""
    result = subprocess.run(
        [OLIST, *map(str, arguments)],
        env=variables,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    return _printed(result, expect)


def run_olist_warm(
    arguments: Sequence[str | Path], home: Path, variables: Mapping[str, str], expect: int | None
) -> str:
    """Do the same by a fork of a process that has imported dbt; Python's own start is left out."""
    result = run_warm_olist([*map(str, arguments)], variables, home)
    return _printed(result, expect)


def _printed(result: subprocess.CompletedProcess[str], expect: int | None) -> str:
    printed = result.stdout + result.stderr
    assert "Traceback" not in printed, printed
    if expect is not None:
        assert result.returncode == expect, printed
    return printed


@dataclass(frozen=True)
class Workspace:
    """A home with the checkout's dbt project, DAGs and environments, and an empty data folder."""

    home: Path

    @property
    def warehouse(self) -> Path:
        return self.home / "data" / "local" / "olist_local.duckdb"

    @property
    def serving(self) -> Path:
        return self.home / "data" / "local" / "serving" / self.warehouse.name

    @property
    def parsed(self) -> Path:
        """Where dbt keeps what it has parsed."""
        return self.home / "data" / "local" / "dbt" / "partial_parse.msgpack"

    @property
    def landing(self) -> Path:
        return self.home / "data" / "local" / "landing"

    def environment_variables(self) -> dict[str, str]:
        return os.environ | {
            "OLIST_HOME": str(self.home),
            "COLUMNS": "200",
            "NO_COLOR": "1",
            # dbt's log of everything takes a tenth of its time, and no test reads it.
            "DBT_LOG_LEVEL_FILE": "none",
        }

    def olist(self, *arguments: str | Path, expect: int | None = 0) -> str:
        """Run the `olist` command; return what it printed, errors included."""
        run = run_olist if arguments[0] in _WITH_AIRFLOW else run_olist_warm
        return run(arguments, self.home, self.environment_variables(), expect)

    def start(self, *arguments: str | Path, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start the `olist` command as a terminal does: Ctrl-C ends it, and it leads a group.

        A shell lets what runs in its background, such as tests, ignore Ctrl-C.
        """
        return subprocess.Popen(
            [OLIST, *arguments],
            env=self.environment_variables(),
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set search_path = 'marts,intermediate,staging,raw'")
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("set search_path = 'marts,intermediate,staging,raw'")
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put the warehouse back as it was when the block is left."""
        before = self.warehouse.read_bytes()
        try:
            yield
        finally:
            self.warehouse.write_bytes(before)

    def dbt_results(self) -> dict[str, str]:
        """Status of each node of the last dbt command, by its unique id; hooks are no nodes."""
        path = self.home / "data" / "local" / "dbt" / "run_results.json"
        results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
        assert results
        return {
            result["unique_id"]: result["status"]
            for result in results
            if not result["unique_id"].startswith("operation.")
        }

    def dbt_statuses(self) -> dict[str, str]:
        """The same by the node's name, without unit tests, whose names are their models'."""
        return {
            unique_id.split(".")[2]: status
            for unique_id, status in self.dbt_results().items()
            if not unique_id.startswith("unit_test.")
        }

    def red_nodes(self) -> set[str]:
        """Names of the nodes that failed in the last dbt command; a unit test's is its model's."""
        results = self.dbt_results().items()
        return {name.split(".")[2] for name, status in results if status in ("fail", "error")}
