"""The marts that a release hands to readers, and their columns, by its dbt manifest."""

from typing import Any

from olist_platform.naming import Layer


def public_marts(manifest: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the columns of each public model of the marts' folder, by its name."""
    return {
        node["alias"]: tuple(sorted(node["columns"]))
        for _, node in sorted(manifest["nodes"].items())
        if node["resource_type"] == "model"
        and node["fqn"][1] == Layer.MARTS
        and node["access"] == "public"
    }
