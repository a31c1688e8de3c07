"""One at a time: who comes second is told who holds the place, and a killed holder frees it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from olist_platform.errors import OlistError
from olist_platform.file_lock import held_after_others, held_or_refused

_HOLD = """
import sys, time
from pathlib import Path
from olist_platform.file_lock import held_or_refused
with held_or_refused(Path(sys.argv[1]), "another build is going on", "wait for its end"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_of_the_first_until_that_one_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / ".lock"
    command = [sys.executable, "-c", _HOLD, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OlistError) as refused, held_or_refused(lock, "it goes on", "wait"):
            pass
        assert refused.value.message == f"it goes on (PID {holder.pid})"
        assert refused.value.mend == "wait"
        holder.send_signal(signal.SIGKILL)
    with held_or_refused(lock, "it goes on", "wait"):
        assert lock.read_text(encoding="utf-8") == str(os.getpid())
    with held_after_others(lock):
        pass


def test_without_a_number_of_the_holder_the_rest_is_told(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with (
        held_after_others(lock),
        pytest.raises(OlistError, match=r"^it goes on$"),
        held_or_refused(lock, "it goes on", "wait"),
    ):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    lock = tmp_path / "file" / ".lock"
    with pytest.raises(OlistError, match=str(tmp_path / "file")), held_after_others(lock):
        pass
