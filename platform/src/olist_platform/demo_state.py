"""Which input the local warehouse was filled from, so that two inputs never mix in one figure."""

import json
from pathlib import Path

from olist_platform.environment import Environment, FolderLanding
from olist_platform.errors import os_errors_explained
from olist_platform.repository import state_folder

# What an input fills; everything else in the state folder is made anew or fits any input.
_MARKER = "demo_input.json"


def set_aside_other_input(environment: Environment, demo_input: dict[str, str]) -> Path | None:
    """Make room for an input: move landing and warehouse of another one out of the way.

    Nothing is deleted. Without a record of its input a warehouse counts as another one's, because
    its figures would otherwise mix with the demo's.

    Args:
        environment: An environment on DuckDB with a landing folder.
        demo_input: What tells one input from another.

    Returns:
        The folder the former state was moved to, or None where there was none.

    Raises:
        OlistError: The state folder cannot be written.
    """
    state = state_folder(environment.name)
    marker = state / _MARKER
    former = [path for path in _filled_paths(environment) if path.exists()]
    with os_errors_explained(state):
        if marker.exists() and _read(marker) == demo_input:
            return None
        aside = None
        if former:
            aside = _new_folder(state / "set-aside")
            for path in former:
                path.rename(aside / path.name)
            if marker.exists():
                marker.rename(aside / marker.name)
        state.mkdir(parents=True, exist_ok=True)
        partial = marker.with_suffix(".part")
        partial.write_text(json.dumps(demo_input, indent=2) + "\n", encoding="utf-8")
        partial.replace(marker)
    return aside


def _filled_paths(environment: Environment) -> list[Path]:
    warehouse = environment.duckdb_path
    serving = environment.serving_path.parent
    paths = [warehouse, warehouse.with_name(f"{warehouse.name}.wal"), serving]
    if isinstance(environment.landing, FolderLanding):
        paths.append(Path(environment.landing_url))
    return paths


def _read(marker: Path) -> object:
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        return None


def _new_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    taken = {int(path.name) for path in parent.iterdir() if path.name.isdigit()}
    folder = parent / str(max(taken, default=0) + 1)
    folder.mkdir()
    return folder
