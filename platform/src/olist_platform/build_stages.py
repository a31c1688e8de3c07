"""The stages of a production build, in order; a gate stands behind each but the last.

Why there are three: platform/docs/decisions/cosmos-execution-mode.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

_FOLDERS = {
    "staging": ("models/staging", "seeds"),
    "marts": ("models/intermediate", "models/marts", "models/monitoring"),
    "snapshots": ("snapshots",),
}


class BuildStage(StrEnum):
    """A part of the dbt project that is built and tested before the next one begins."""

    STAGING = "staging"
    MARTS = "marts"
    SNAPSHOTS = "snapshots"

    @property
    def selection(self) -> list[str]:
        """What dbt's --select names: the stage's folders of the project."""
        return [f"path:{folder}" for folder in _FOLDERS[self]]

    @property
    def later_stages(self) -> list[str]:
        """What dbt's --exclude names.

        A test of nodes of two stages belongs to the later one: before that, half of what it reads
        is not there, or of yesterday.
        """
        stages = list(BuildStage)
        later = stages[stages.index(self) + 1 :]
        return [selector for stage in later for selector in stage.selection]


def stages_of_nodes(manifest: Mapping[str, Any]) -> dict[str, BuildStage]:
    """Return the stage in which each node of a manifest is built or tested.

    Nodes outside the stages' folders, such as analyses and hooks, are left out, and so are unit
    tests: no stage runs them.
    """
    nodes = {**manifest["nodes"], **manifest["sources"]}
    stages = {}
    for unique_id, node in nodes.items():
        if node["resource_type"] != "test" and (stage := _stage_of_file(node)):
            stages[unique_id] = stage
    order = list(BuildStage)
    for unique_id, node in nodes.items():
        if node["resource_type"] == "test":
            parents = [stages[each] for each in node["depends_on"]["nodes"] if each in stages]
            if parents:
                stages[unique_id] = max(parents, key=order.index)
    return stages


def _stage_of_file(node: Mapping[str, Any]) -> BuildStage | None:
    for stage in BuildStage:
        if any(node["original_file_path"].startswith(f"{each}/") for each in _FOLDERS[stage]):
            return stage
    return None
