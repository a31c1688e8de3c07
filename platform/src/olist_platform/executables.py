"""The command-line tools that are installed with this interpreter."""

import sys
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
