"""dbt's manifest without what is of one run or one machine, so that a commit has one."""

from typing import Any

_NO_MOMENT = 0.0
# When and where dbt ran, and under which number.
_OF_A_RUN = (
    "generated_at",
    "invocation_id",
    "invocation_started_at",
    "run_started_at",
    "user_id",
    "env",
)


def stable_manifest(manifest: dict[str, Any], generated_at: str) -> dict[str, Any]:
    """Return a manifest that dbt and Cosmos read as the former, equal for equal projects.

    Args:
        manifest: What dbt wrote.
        generated_at: Stands for the moment of generation: the commit's.
    """
    metadata = {
        key: value for key, value in manifest["metadata"].items() if key not in _OF_A_RUN
    } | {"generated_at": generated_at, "env": {}}
    stable: dict[str, Any] = _without_moments({**manifest, "metadata": metadata})
    return stable


def _without_moments(value: Any) -> Any:
    match value:
        case dict():
            return {key: _stable(key, part) for key, part in value.items()}
        case list():
            return [_without_moments(part) for part in value]
        case _:
            return value


def _stable(key: str, value: Any) -> Any:
    if key == "created_at" and isinstance(value, int | float):
        return _NO_MOMENT
    # Of seeds: the absolute folder of the project, which dbt takes from its own parse.
    if key == "root_path" and isinstance(value, str):
        return ""
    return _without_moments(value)
