"""Every layer tells Snowflake whether it is transient, its query tag, warehouse and clustering.

Read from the manifest of the target `dev`, which dbt writes without a connection.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_workspace import Workspace
from snowflake_emulator import new_private_key

pytestmark = pytest.mark.slow

# What cannot be made again from raw, or is read by people: kept with time travel and fail-safe.
PERMANENT = ("marts", "snapshots", "monitoring")
MOST_CLUSTERING_KEYS = 3


@pytest.fixture(scope="module")
def manifest(make_workspace: Callable[[str], Workspace]) -> dict[str, Any]:
    workspace = make_workspace("snowflake_configuration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
        workspace.olist("dbt", "--env", "dev", "--", "parse", "--quiet")
    path = workspace.home / "data" / "dev" / "dbt" / "manifest.json"
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def relations(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = ("model", "seed", "snapshot")
    found = [node for node in manifest["nodes"].values() if node["resource_type"] in kinds]
    assert found
    return found


def layer_of(node: dict[str, Any]) -> str:
    layers = {"seed": "staging", "snapshot": "snapshots"}
    return layers.get(node["resource_type"]) or str(node["fqn"][1])


def test_each_layer_is_transient_or_has_time_travel(manifest: dict[str, Any]) -> None:
    for node in relations(manifest):
        assert node["config"]["transient"] is (layer_of(node) not in PERMANENT), node["name"]


def test_each_layer_has_a_query_tag(manifest: dict[str, Any]) -> None:
    for node in relations(manifest):
        tag = json.loads(node["config"]["query_tag"])
        assert tag == {"app": "dbt", "layer": layer_of(node)}, node["name"]


def test_each_layer_has_its_warehouse(manifest: dict[str, Any]) -> None:
    names = Names(EnvironmentName.DEV)
    for node in relations(manifest):
        expected = names.layer_warehouse(Layer(layer_of(node)))
        assert node["config"]["snowflake_warehouse"] == expected, node["name"]
    assert names.layer_warehouse(Layer.RAW) == names.warehouse(Workload.LOAD)
    assert names.layer_warehouse(Layer.MARTS) == names.warehouse(Workload.TRANSFORM)
    assert names.layer_warehouse(Layer.MONITORING) == names.warehouse(Workload.REPORT)


def test_no_object_is_named_in_the_dbt_project() -> None:
    for path in dbt_project_folder().rglob("*"):
        if path.suffix in (".sql", ".yml"):
            text = path.read_text(encoding="utf-8").upper()
            for environment in EnvironmentName:
                names = Names(environment)
                assert f"{names.database}_" not in text, path
                assert f"{names.database}." not in text, path


def test_large_tables_are_clustered_by_columns_of_their_own(manifest: dict[str, Any]) -> None:
    """Large is what grows without end and is queried by a range: the incremental business tables.

    The base tables are read by what loaded last and lie in that order already; what is built anew
    every time and is small gains nothing.
    """
    for node in relations(manifest):
        config = node["config"]
        keys = config.get("cluster_by") or []
        if node["resource_type"] == "model" and layer_of(node) in ("intermediate", "marts"):
            assert keys or config["materialized"] != "incremental", node["name"]
        if keys:
            assert config["materialized"] in ("table", "incremental"), node["name"]
            assert len(keys) <= MOST_CLUSTERING_KEYS, node["name"]
            assert set(keys) <= node["columns"].keys(), node["name"]
