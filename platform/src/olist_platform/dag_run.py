"""One run of a DAG through Airflow on this machine, watched from outside."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from olist_platform.airflow_home import (
    airflow_database,
    airflow_home,
    airflow_process_variables,
    is_ready,
    prepare_airflow_home,
    the_only_run,
)
from olist_platform.airflow_services import require_no_services
from olist_platform.build_stages import BuildStage
from olist_platform.dag_source import DagSource, dag_source
from olist_platform.dbt_command import start_from_what_is_parsed
from olist_platform.dbt_run_results import DbtCounts, count_run_results, dbt_runs_folder
from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import DEVELOPMENT_DAG, PRODUCTION_DAG
from olist_platform.process_groups import processes_marked, stop_processes

Progress = Callable[[str, str], None]
"""Told a task's id and its new state, once for each change of a task."""

_LOOK_EVERY_SECONDS = 0.4
_LOGS_KEPT = 10
_FAULTS_SHOWN = 5
# Marks a run's processes, so that the next run finds what a killed one left behind.
_MARK = "OLIST_DAG_RUN_HOME"
_SCRATCH = "scratch-"
_FINISHED = ("success", "failed", "skipped", "upstream_failed", "removed")


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """How a task ended; `state` is Airflow's, or `none` for a task that never began."""

    task_id: str
    state: str
    tries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DagRunSummary:
    """A finished DAG run.

    Attributes:
        run_id: Airflow's identifier of the run.
        state: `success` or `failed`.
        tasks: Every task, in the order in which they ended.
        dbt: Counts of what dbt built and tested.
        run_seconds: From the run's first to its last moment in Airflow.
        total_seconds: The same with Airflow's start.
        log: Everything Airflow and dbt said.
    """

    run_id: str
    state: str
    tasks: tuple[TaskOutcome, ...]
    dbt: DbtCounts
    run_seconds: float
    total_seconds: float
    log: Path


def run_production_dag(
    environment: Environment, progress: Progress | None = None, *, check: bool = True
) -> DagRunSummary:
    """Run the production DAG once, to its end, without any parameter; see `run_dag`."""
    return run_dag(environment, PRODUCTION_DAG, progress, check=check)


def run_dag(
    environment: Environment,
    dag_id: str,
    progress: Progress | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    resume: bool = False,
    checkout: bool = False,
    check: bool = True,
) -> DagRunSummary:
    """Run a DAG once, to its end, or continue its last run where that failed.

    However this function is left, no process it started goes on. A second run at the same time
    is refused; what a killed run left behind is cleared first.

    Args:
        environment: Where to run; its manifest is rewritten if the dbt project changed.
        dag_id: The DAG.
        progress: Told of every task that changes its state.
        parameters: The run's parameters; what is not given has its default.
        resume: Continue the last run: tasks that succeeded, and models that passed their tests, do
            not run again; the run keeps its parameters.
        checkout: Run the checkout's DAG, whatever release is deployed.
        check: Raise when the run fails; else return its summary.

    Raises:
        OlistError: A task failed (the message names it, with dbt's own words and the log), the
            DAG cannot be imported, or another run or Airflow's services are going on.
    """
    started = time.monotonic()
    require_no_services(environment)
    home = airflow_home(environment)
    with os_errors_explained(home), the_only_run(environment):
        # Before anything is changed in their folder.
        stop_processes(processes_marked(_MARK, str(home)))
        prepare_airflow_home(environment)
        with _scratch_folder(home) as scratch:
            if resume:
                _require_unfinished_run(home, dag_id)
            dags = dag_source(environment, checkout=checkout)
            order = {"dag_id": dag_id, "conf": dict(parameters or {}), "resume": resume}
            run = _Run(
                dag_id,
                home,
                scratch,
                log=_new_log(home),
                progress=progress,
                started=started,
            )
            summary, failures = _run_once(environment, home, run, order, dags)
    if check and summary.state != "success":
        raise _failure(dag_id, summary, failures)
    return summary


def _run_once(
    environment: Environment,
    home: Path,
    run: "_Run",
    order: dict[str, Any],
    dags: DagSource,
) -> tuple[DagRunSummary, dict[str, str]]:
    """Return how the run ended and the messages of the tasks that failed."""
    # A release brings its manifest.
    if dags.release is None:
        _give_cosmos_what_is_parsed(environment, home, order["dag_id"])
    run.order.write_text(json.dumps(order), encoding="utf-8")
    process = _start(environment, home, run, dags)
    with _stopped_in_the_end(process, home):
        while process.poll() is None:
            run.look()
            time.sleep(_LOOK_EVERY_SECONDS)
        run.look()
    summary = run.summary(environment, process.returncode)
    return summary, run.failures()


def _require_unfinished_run(home: Path, dag_id: str) -> None:
    """Check that the DAG's last run can be continued; raises OlistError."""
    database = airflow_database(home)
    states: list[tuple[Any, ...]] = []
    if database.exists() and is_ready(home):
        states = _ask_airflow(
            database, "select state from dag_run where dag_id = ? order by id desc limit 1", dag_id
        )
    if not states or states[0][0] == "success":
        what = "its last run succeeded" if states else "it has not run yet"
        raise OlistError(f"{dag_id}: nothing to resume: {what}", "start a run: olist dag run")


def _ask_airflow(database: Path, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Answer a statement from the database of the private Airflow, which is only read.

    Raises:
        OlistError: It is damaged, or busy for too long.
    """
    address = f"{database.as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as opened:
            return opened.execute(statement, parameters).fetchall()
    except sqlite3.DatabaseError as error:
        raise OlistError(
            f"{database}: Airflow's database cannot be read: {error}",
            f"run the same command again; if that says the same, move {database.parent} away:"
            " it holds history only, and the next run recreates it",
        ) from error


class _Run:
    """What is known from outside of a DAG run that goes on in another process."""

    def __init__(
        self,
        dag_id: str,
        home: Path,
        scratch: Path,
        *,
        log: Path,
        progress: Progress | None,
        started: float,
    ) -> None:
        self._dag_id = dag_id
        self._database = airflow_database(home)
        self._scratch = scratch
        self.log = log
        self._progress = progress
        self._states: dict[str, str] = {}
        self._started = started
        self.report = scratch / "report.json"
        self.order = scratch / "order.json"

    def look(self) -> None:
        """Tell the progress what has changed since the last look."""
        if self._progress is None:
            return
        run_id = self._run_id()
        if run_id is None:
            return
        # A task that only shows how a node of dbt fared is as good as done when dbt tells it.
        told = dict(
            self._query(
                "select key, value from xcom where run_id = ? and key like '%_status'", run_id
            )
        )
        states = {row[0]: row[1] for row in self._task_rows(run_id)}
        for task_id, key in self._report()["tasks"].items():
            state = states.get(task_id) or "none"
            if key in told and state not in _FINISHED:
                state = _state_of_node(told[key])
            if state not in ("none", "scheduled", "up_for_reschedule"):
                self._tell(task_id, state)

    def _tell(self, task_id: str, state: str) -> None:
        if self._progress is not None and self._states.get(task_id) != state:
            self._states[task_id] = state
            self._progress(task_id, state)

    def summary(self, environment: Environment, return_code: int) -> DagRunSummary:
        """Return how the run ended, now that its process has.

        Raises:
            OlistError: It ended before the DAG began.
        """
        run_id = self._run_id()
        if run_id is None:
            fault = self._report().get("import_error") or _tail(self.log)
            raise OlistError(f"Airflow could not run {self._dag_id}: {fault} (log: {self.log})")
        [(state, start, end)] = self._query(
            "select state, start_date, end_date from dag_run where run_id = ?", run_id
        )
        outcomes = [
            TaskOutcome(task_id, state or "none", tries or 0, duration or 0.0)
            for task_id, state, tries, duration in self._task_rows(run_id)
        ]
        began, ended = (
            datetime.fromisoformat(moment) if moment else None for moment in (start, end)
        )
        return DagRunSummary(
            run_id=run_id,
            # A process that died has left a run that is going on for ever.
            state=state if state == "success" and return_code == 0 else "failed",
            tasks=tuple(outcomes),
            dbt=count_run_results(dbt_runs_folder(environment, run_id)),
            run_seconds=(ended - began).total_seconds() if began and ended else 0.0,
            total_seconds=time.monotonic() - self._started,
            log=self.log,
        )

    def failures(self) -> dict[str, str]:
        """Return the message of every task that failed for good."""
        path = self._scratch / "failures.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries = [json.loads(line) for line in lines]
        return {entry["task"]: entry["message"] for entry in entries}

    def _report(self) -> dict[str, Any]:
        if not self.report.exists():
            return {}
        content: dict[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        return content

    def _run_id(self) -> str | None:
        report = self._report()
        last = report.get("last_run")
        if last is None:
            return None
        if resumed := report.get("resumed"):
            return str(resumed)
        rows = self._query(
            "select run_id from dag_run where id > ? and dag_id = ? order by id limit 1",
            last,
            self._dag_id,
        )
        return str(rows[0][0]) if rows else None

    def _task_rows(self, run_id: str) -> list[tuple[Any, ...]]:
        return self._query(
            "select task_id, state, try_number, duration from task_instance where run_id = ?"
            " order by end_date is null, end_date",
            run_id,
        )

    def _query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        return _ask_airflow(self._database, statement, *parameters)


def _state_of_node(told: Any) -> str:
    """Return the task state that a status of dbt means; it comes as JSON."""
    text = str(told)
    if "skipped" in text:
        return "skipped"
    return "failed" if "fail" in text or "error" in text else "success"


def _failure(dag_id: str, summary: DagRunSummary, messages: dict[str, str]) -> OlistError:
    failed = [task.task_id for task in summary.tasks if task.state == "failed"]
    stopped = [task for task in summary.tasks if task.state not in ("success", "failed", "skipped")]
    # dbt says it in its own words; a task around it only says that dbt failed.
    faults = summary.dbt.faults or [messages[task] for task in failed if task in messages]
    where = ", ".join(failed) or dag_id
    lines = [
        f"the DAG run failed in {where} ({len(stopped)} tasks downstream did not run)",
        *[f"  {fault}" for fault in faults[:_FAULTS_SHOWN]],
    ]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  ... and {len(faults) - _FAULTS_SHOWN} more")
    if not faults:
        lines.append(f"  {_tail(summary.log)}")
    lines.append(f"  log: {summary.log}")
    return OlistError(
        "\n".join(lines),
        "mend the cause, then continue with `olist dag resume`, or run the same command again",
    )


def _start(
    environment: Environment, home: Path, run: _Run, dags: DagSource
) -> subprocess.Popen[bytes]:
    with run.log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own module
            [
                *(sys.executable, "-m", "olist_platform.dag_run_process"),
                *(str(run.order), str(run.report)),
            ],
            env=airflow_process_variables(environment, home, dags)
            | {_MARK: str(home), "TMPDIR": str(run.report.parent)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C goes to this command alone, which then stops the rest in order.
            start_new_session=True,
        )


@contextmanager
def _stopped_in_the_end(
    process: subprocess.Popen[bytes], home: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Stop a process and all its descendants when the block is left, also by SIGTERM."""

    def leave(signal_number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + signal_number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGTERM, leave) if in_main_thread else None
    try:
        yield process
    finally:
        if in_main_thread:
            signal.signal(signal.SIGTERM, former)
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            # First, and at once: Airflow would answer the end of dbt with the next try. What it
            # leaves half done in its database, the next run puts right.
            process.kill()
            process.wait()
            stop_processes(children)
            stop_processes(processes_marked(_MARK, str(home)))


@contextmanager
def _scratch_folder(home: Path) -> Iterator[Path]:
    """Make room for temporary files of the run; those of a killed one go."""
    for old in home.glob(f"{_SCRATCH}*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=_SCRATCH, dir=home, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _new_log(home: Path) -> Path:
    folder = home / "logs" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: 1 - _LOGS_KEPT]:
        old.unlink(missing_ok=True)
    return folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"


def _tail(log: Path, lines: int = 8) -> str:
    content = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n  ".join(content[-lines:])


def _give_cosmos_what_is_parsed(environment: Environment, home: Path, dag_id: str) -> None:
    """Bring the manifest up to date, and let Cosmos start from what was parsed.

    The tasks come from the manifest and dbt runs the project: where they differ, a task would
    watch for something that dbt does not do.
    """
    for group in ("dbt",) if dag_id == DEVELOPMENT_DAG else BuildStage:
        start_from_what_is_parsed(environment, home / "cosmos" / f"{dag_id}__{group}" / "target")
