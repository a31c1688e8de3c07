"""Finding and ending the processes that a command of ours has left on this machine."""

import os
import signal
from collections.abc import Sequence

import psutil

_PATIENCE_SECONDS = 5


def processes_marked(variable: str, value: str) -> list[psutil.Process]:
    """Return this user's processes, but not this one, whose environment variable has the value.

    A variable is inherited, so what a marked process has started is marked too, also when its
    parent is gone.
    """
    mine = psutil.Process().uids().real
    found = []
    for process in psutil.process_iter():
        try:
            if process.uids().real == mine and process.environ().get(variable) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.pid != os.getpid()]


def stop_processes(processes: Sequence[psutil.Process]) -> None:
    """End processes by SIGTERM, those that do not heed it in some seconds by SIGKILL."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=_PATIENCE_SECONDS)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=_PATIENCE_SECONDS)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
