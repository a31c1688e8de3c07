"""Reading the YAML files that people write."""

from pathlib import Path
from typing import Any

import yaml

from olist_platform.errors import OlistError, os_errors_explained

# The one in C reads dbt's many files in a tenth of the time; a Python without it has the other.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml_mapping(path: Path, see: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the keys and values of a file.

    Args:
        path: The file.
        see: Where its keys are explained; the mend of a file that holds something else.
        may_be_empty: Whether a file without content is one without keys, and no error.

    Raises:
        OlistError: The file cannot be read, is not YAML, or holds no keys and values.
    """
    with os_errors_explained(path):
        text = path.read_text(encoding="utf-8")
    try:
        content = yaml.load(text, Loader=_SafeLoader)  # noqa: S506 - either is safe
    except yaml.YAMLError as error:
        raise OlistError(f"{path}: not valid YAML: {error}") from error
    if not content and may_be_empty:
        return {}
    if not isinstance(content, dict):
        raise OlistError(f"{path}: expected keys and values", see)
    return content
