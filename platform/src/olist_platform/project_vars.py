"""The vars of the dbt project, for what Python and SQL both need to know."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.errors import OlistError, os_errors_explained


def project_file() -> Path:
    """The file that holds the vars."""
    return dbt_project_folder() / "dbt_project.yml"


def project_vars(path: Path | None = None) -> Mapping[str, Any]:
    """Return the vars by name.

    Args:
        path: A project's file; that of the project here unless told.

    Raises:
        OlistError: The project's file is missing or is no YAML with vars.
    """
    path = path or project_file()
    with os_errors_explained(path):
        return _vars(path, path.stat().st_mtime_ns)


@cache
def _vars(path: Path, modified_at: int) -> Mapping[str, Any]:
    del modified_at
    try:
        content: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["vars"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise OlistError(f"{path}: no vars can be read: {error}") from error
    return content
