"""The command-line tools that are installed with this interpreter."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from olist_platform.errors import OlistError


def installed_executable(name: str) -> Path:
    """Return a tool beside this interpreter, whatever PATH says.

    Raises:
        OlistError: It is not installed there.
    """
    executable = Path(sys.executable).with_name(name)
    if not executable.exists():
        raise OlistError(f"{name} is not installed beside {sys.executable}", "run: make setup")
    return executable


def run_captured(
    command: Sequence[str], variables: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return how it ended, with what it said.

    Args:
        command: The executable and its arguments; no shell reads them.
        variables: All environment variables of the process.
        folder: Where it runs.
    """
    return subprocess.run(  # noqa: S603 - executables that the caller names, arguments as a list
        list(command),
        env=dict(variables),
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def run_in_foreground(
    command: Sequence[str], variables: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as `run_captured` does, but on this process' terminal."""
    return subprocess.run(  # noqa: S603 - executables that the caller names, arguments as a list
        list(command), env=dict(variables), cwd=folder, check=False, text=True
    )
