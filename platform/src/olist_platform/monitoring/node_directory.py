"""Whose a dbt node is and where it is documented, from the manifest."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from olist_platform.alerts.kinds import DATA_PLATFORM
from olist_platform.dbt_command import manifest_path
from olist_platform.environment import Environment


@dataclass(frozen=True, slots=True)
class NodeDirectory:
    """The groups of nodes.

    Attributes:
        groups: Group by unique id.
        docs: Address of the documentation page, or None where it is a file.
        nodes: Unique ids of all nodes of the project; None where nobody can tell.
    """

    groups: Mapping[str, str]
    docs: str | None = None
    nodes: Collection[str] | None = None

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """Read the environment's manifest; without one everything is the data platform's."""
        try:
            manifest = json.loads(manifest_path(environment).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls({}, environment.alerts.links.docs)
        groups = {
            unique_id: group
            for unique_id, node in manifest["nodes"].items()
            if (group := node.get("config", {}).get("group"))
        }
        nodes = {*manifest["nodes"], *manifest.get("unit_tests", ())}
        return cls(groups, environment.alerts.links.docs, nodes)

    def removed(self, runs: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return the nodes of former runs that the project does not have any more.

        What ran with the newest run is none, also where the manifest here is older than that run.

        Args:
            runs: Rows of dbt_run_costs.
        """
        if self.nodes is None:
            return set()
        last = {row["node_id"]: row["run_started_at"] for row in runs}
        newest = max((at for node, at in last.items() if node in self.nodes), default=None)
        return {
            node
            for node, at in last.items()
            if newest is not None and node not in self.nodes and at < newest
        }

    def owner(self, unique_id: str | None) -> str:
        """Return who looks after a node."""
        return self.groups.get(unique_id or "", DATA_PLATFORM)

    def model_owner(self, name: str) -> str:
        """Return who looks after a model of that name."""
        return self.owner(model_id(name))

    def docs_of(self, name: str) -> str | None:
        """Return the address of a model's documentation."""
        return f"{self.docs.rstrip('/')}/#!/model/{model_id(name)}" if self.docs else None


def model_id(name: str) -> str:
    """Return dbt's unique id of a model."""
    return f"model.olist.{name}"
