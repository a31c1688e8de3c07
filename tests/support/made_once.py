"""Things that take long to make, made once for all workers of a test session."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[], object]) -> None:
    """Let `make` put something at `path`, unless it is there; whoever asks meanwhile waits."""
    path.parent.mkdir(exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make()
