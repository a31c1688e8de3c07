"""Where the checkout lies; every relative path of the environments starts there."""

import os
from pathlib import Path

from olist_platform.errors import OlistError

HOME_VARIABLE = "OLIST_HOME"


def repository_root() -> Path:
    """Return the folder that holds `environments/` and `dbt/`.

    It is the value of OLIST_HOME, or found upwards from this file in a checkout.

    Raises:
        OlistError: No such folder is found.
    """
    configured = os.environ.get(HOME_VARIABLE)
    candidates = [Path(configured)] if configured else list(Path(__file__).resolve().parents)
    for candidate in candidates:
        if (candidate / "environments").is_dir() and (candidate / "dbt").is_dir():
            return candidate.resolve()
    where = f"{HOME_VARIABLE}={configured}" if configured else f"above {Path(__file__).parent}"
    raise OlistError(
        f"no checkout of the Olist platform found ({where})",
        f"set {HOME_VARIABLE} to the folder that holds environments/ and dbt/",
    )


def state_folder(environment_name: str) -> Path:
    """Folder of everything an environment keeps on this machine; git ignores it."""
    return repository_root() / "data" / environment_name
