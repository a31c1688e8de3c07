"""The version of a package that the locks pin."""

import re

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.repository import repository_root


def locked_version(package: str) -> str:
    """Return the version of a package that some lock pins.

    Raises:
        OlistError: No lock pins it.
    """
    folder = repository_root() / "requirements"
    pin = re.compile(rf"^{re.escape(package)}==(\S+)", re.MULTILINE)
    with os_errors_explained(folder):
        for lock in sorted(folder.glob("*.txt")):
            if found := pin.search(lock.read_text(encoding="utf-8")):
                return found[1]
    raise OlistError(f"{folder}: no lock pins {package}", "make lock")
