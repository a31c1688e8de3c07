"""Whose a dbt node is and where it is documented, from the manifest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from olist_platform.dbt_command import manifest_path
from olist_platform.environment import Environment
from olist_platform.monitoring.check_result import DATA_PLATFORM


@dataclass(frozen=True, slots=True)
class NodeDirectory:
    """The groups of nodes.

    Attributes:
        groups: Group by unique id.
        docs: Address of the documentation page, or None where it is a file.
    """

    groups: Mapping[str, str]
    docs: str | None = None

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """Read the environment's manifest; without one everything is the data platform's."""
        try:
            manifest = json.loads(manifest_path(environment).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            manifest = {"nodes": {}}
        groups = {
            unique_id: group
            for unique_id, node in manifest["nodes"].items()
            if (group := node.get("config", {}).get("group"))
        }
        return cls(groups, environment.alerts.links.docs)

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
