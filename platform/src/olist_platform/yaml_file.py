"""Reading the YAML files that people write."""

from pathlib import Path
from typing import Any

import yaml

from olist_platform.errors import OlistError, os_errors_explained

# The one in C reads dbt's many files in a tenth of the time; a Python without it has the other.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


class _LoaderOfUniqueKeys(_SafeLoader):  # type: ignore[misc]
    """Refuses a key that stands twice in a mapping: PyYAML would take the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != _MERGE and key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: the key '{key.value}' stands there twice")
            seen.add(key.value if isinstance(key.value, str) else id(key))
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


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
        content = yaml.load(text, Loader=_LoaderOfUniqueKeys)  # noqa: S506 - it is a safe one
    except yaml.YAMLError as error:
        raise OlistError(f"{path}: not valid YAML: {error}") from error
    if not content and may_be_empty:
        return {}
    if not isinstance(content, dict):
        raise OlistError(f"{path}: expected keys and values", see)
    return content
