"""Airflow on this machine as people operate it: web page, scheduler, triggerer, DAG processor.

Each part is a process of its own in the background, with a log of its own. Nothing supervises
them: starting again puts right whatever has died, and what a killed scheduler had begun.
"""

import json
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from olist_platform.airflow_home import (
    airflow_database,
    airflow_home,
    airflow_process_variables,
    migrated_airflow_home,
    the_only_run,
)
from olist_platform.dag_source import DagSource, dag_source
from olist_platform.dbt_command import fresh_manifest
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.executables import installed_executable
from olist_platform.file_lock import held_or_refused
from olist_platform.process_groups import processes_marked, stop_processes

_COMPONENTS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    # The web page reads the logs from this machine's disk.
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
}
# In every process of the services, so that those whose parent was killed are found again.
_MARK = "OLIST_AIRFLOW_SERVICES"
_STATE = "services.json"
_PATIENCE_SECONDS = 180
_LOOK_EVERY_SECONDS = 0.5
_LOG_LINES_SHOWN = 8

Progress = Callable[[int, int], None]
"""Told how many of the parts answer, and how many there are."""


@dataclass(frozen=True, slots=True)
class RunningServices:
    """Airflow's parts as they run now.

    Attributes:
        url: Address of the web page.
        logs: Folder with a log of each part.
        already_running: Whether nothing had to be started.
        dags: Whose DAGs they run.
    """

    url: str
    logs: Path
    already_running: bool
    dags: str


def start_services(
    environment: Environment, port: int, progress: Progress, *, checkout: bool = False
) -> RunningServices:
    """Start Airflow's parts and wait until all of them are well; running ones are left alone.

    Where some have died, or run the DAGs of another release than is to run, all are restarted,
    and the tasks a dead scheduler had begun are ended first: the new one begins them again, and two
    of a kind would write to one warehouse.

    Args:
        environment: Whose DAGs, database and logs.
        port: Port of the web page on this machine.
        progress: Told how many parts are well.
        checkout: Run the checkout's DAGs, whatever is deployed.

    Raises:
        OlistError: The port is taken, or a part does not start; its log's end is in the message.
    """
    dags = dag_source(environment, checkout=checkout)
    if dags.release is None:
        fresh_manifest(environment)
    with _one_at_a_time(environment):
        state = _read_state(environment)
        components = state.get("components", {})
        alive = {name for name, entry in components.items() if _is_alive(entry)}
        if alive == set(_COMPONENTS) and state["dags"] == str(dags):
            return RunningServices(
                _url(state["port"]), _logs(environment), already_running=True, dags=str(dags)
            )
        _stop_all(environment)
        _require_free(port)
        try:
            with the_only_run(environment):
                home = migrated_airflow_home(environment)
                _tell_that_all_have_ended(home)
                _start_all(environment, home, port, dags, progress)
        except BaseException:
            _stop_all(environment)
            raise
    return RunningServices(_url(port), _logs(environment), already_running=False, dags=str(dags))


def stop_services(environment: Environment) -> int:
    """Stop Airflow's parts and every task they run.

    Returns:
        How many parts were running.
    """
    with _one_at_a_time(environment):
        components = _read_state(environment).get("components", {})
        running = sum(_is_alive(entry) for entry in components.values())
        _stop_all(environment)
    return running


def require_no_services(environment: Environment) -> None:
    """Check that no part of Airflow runs: a run beside them would take their tasks for its own.

    Raises:
        OlistError: A part runs.
    """
    state = _read_state(environment)
    if any(_is_alive(entry) for entry in state.get("components", {}).values()):
        raise OlistError(
            f"Airflow is running on this warehouse, at {_url(state['port'])}",
            "trigger olist_production there, or stop Airflow first: make down",
        )


def _start_all(
    environment: Environment, home: Path, port: int, dags: DagSource, progress: Progress
) -> None:
    executable = installed_executable("airflow")
    logs = _logs(environment)
    logs.mkdir(parents=True, exist_ok=True)
    variables = airflow_process_variables(environment, home, dags)
    variables |= _service_variables(port) | {_MARK: str(home)}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    began = datetime.now(UTC)
    for name, arguments in _COMPONENTS.items():
        if name == "scheduler":
            # It begins waiting tasks at once, and a task that cannot tell the API so is lost.
            _wait_until_well(environment, processes, port, began, progress)
        with (logs / f"{name}.log").open("wb") as log:
            processes[name] = subprocess.Popen(  # noqa: S603 - Airflow's own executable
                [executable, *arguments],
                env=variables,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # It outlives the command that starts it, and its terminal.
                start_new_session=True,
            )
        _write_state(environment, port, dags, processes)
    _wait_until_well(environment, processes, port, began, progress)


def _tell_that_all_have_ended(home: Path) -> None:
    """Write down in Airflow's database that none of its parts runs.

    A killed one could not; the new scheduler would wait for its signs of life before it takes its
    tasks over.
    """
    with (
        # The parts say it in their logs, where it is no database.
        suppress(sqlite3.DatabaseError),
        closing(sqlite3.connect(airflow_database(home))) as database,
        database,
    ):
        database.execute("update job set state = 'failed' where state = 'running'")


def _service_variables(port: int) -> dict[str, str]:
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": _url(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{_url(port)}/execution/",
        # A machine that is busy with a build answers late, and a task that cannot say that it has
        # begun is lost without another try.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        # A scheduler that gives no sign of life for so long takes itself for dead, and begins its
        # own tasks again; a busy machine delays it by more than Airflow's half minute.
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "600",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _wait_until_well(
    environment: Environment,
    processes: dict[str, subprocess.Popen[bytes]],
    port: int,
    began: datetime,
    progress: Progress,
) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        for name, process in processes.items():
            if process.poll() is not None:
                log = _logs(environment) / f"{name}.log"
                raise OlistError(
                    f"Airflow's {name} ended as it started:\n  {_tail(log)}\n  log: {log}",
                    "mend the cause, then run the same command again",
                )
        well = _well_components(port, began)
        progress(len(well), len(_COMPONENTS))
        missing_parts = set(processes) - well
        if not missing_parts:
            return
        if time.monotonic() > end:
            missing = ", ".join(sorted(missing_parts))
            raise OlistError(
                f"Airflow's {missing} did not answer within {_PATIENCE_SECONDS} seconds",
                f"look into the logs in {_logs(environment)}",
            )
        time.sleep(_LOOK_EVERY_SECONDS)


def _well_components(port: int, began: datetime) -> set[str]:
    """Return the parts that answer, or that have given a sign of life since they were started."""
    health = _health(port)
    if health is None:
        return set()
    well = {"api-server"}
    for name in set(_COMPONENTS) - well:
        reported = health.get(key := name.replace("-", "_")) or {}
        beat = reported.get(f"latest_{key}_heartbeat")
        if reported.get("status") == "healthy" and beat and datetime.fromisoformat(beat) >= began:
            well.add(name)
    return well


def _health(port: int) -> dict[str, Any] | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{_url(port)}/api/v2/monitor/health", timeout=5) as response:
            content: dict[str, Any] = json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return content


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # A port of a server that has just ended is free, though the system still remembers it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise OlistError(
                f"port {port} of this machine is taken", "choose another: olist up --port <number>"
            ) from None


def _stop_all(environment: Environment) -> None:
    home = airflow_home(environment)
    components = _read_state(environment).get("components", {})
    # The parts end their own helpers; the tasks of one that was killed are left behind.
    stop_processes([psutil.Process(e["pid"]) for e in components.values() if _is_alive(e)])
    stop_processes(processes_marked(_MARK, str(home)))
    (home / _STATE).unlink(missing_ok=True)


def _is_alive(entry: dict[str, Any]) -> bool:
    try:
        process = psutil.Process(entry["pid"])
        # A number is given again to another process some day.
        return (
            process.create_time() == entry["created"] and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.Error:
        return False


def _read_state(environment: Environment) -> dict[str, Any]:
    try:
        text = (airflow_home(environment) / _STATE).read_text(encoding="utf-8")
        state: dict[str, Any] = {"dags": ""} | json.loads(text)
    except (OSError, ValueError):
        return {}
    return state


def _write_state(
    environment: Environment,
    port: int,
    dags: DagSource,
    processes: dict[str, subprocess.Popen[bytes]],
) -> None:
    components = {}
    for name, process in processes.items():
        try:
            created = psutil.Process(process.pid).create_time()
        except psutil.NoSuchProcess:
            continue
        components[name] = {"pid": process.pid, "created": created}
    path = airflow_home(environment) / _STATE
    draft = path.with_suffix(".draft")
    state = {"port": port, "dags": str(dags), "components": components}
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


@contextmanager
def _one_at_a_time(environment: Environment) -> Iterator[None]:
    lock = airflow_home(environment).parent / "services.lock"
    going_on = "another command is starting or stopping Airflow"
    with held_or_refused(lock, going_on, "wait for its end"):
        yield


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _logs(environment: Environment) -> Path:
    return airflow_home(environment) / "logs" / "services"


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n  ".join(lines[-_LOG_LINES_SHOWN:])
