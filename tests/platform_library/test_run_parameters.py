"""Parameters of a run: what is refused, and what a partial run may publish."""

from datetime import date
from typing import Any

import pytest

from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.errors import OlistError
from olist_platform.quality_gate import stage_faults, unfinished_nodes
from olist_platform.run_parameters import (
    RunParameters,
    read_parameters,
    reasons_not_to_publish,
    require_past_date,
)

# raw.a -> base_a -> stg_a -> int_a -> mart_a and mart_b; raw.b -> stg_b -> mart_b.
_EDGES = {
    "model.olist.base_a": ["source.olist.raw.a"],
    "model.olist.stg_a": ["model.olist.base_a"],
    "model.olist.stg_b": ["source.olist.raw.b"],
    "model.olist.int_a": ["model.olist.stg_a"],
    "model.olist.mart_a": ["model.olist.int_a"],
    "model.olist.mart_b": ["model.olist.int_a", "model.olist.stg_b"],
    "model.olist.monitoring_a": ["model.olist.stg_a"],
    "snapshot.olist.snapshot_a": ["model.olist.int_a"],
}
_TESTS = {
    "test.olist.not_null_stg_a.1": ["model.olist.stg_a"],
    "test.olist.relationships_stg_a_int_a.2": ["model.olist.stg_a", "model.olist.int_a"],
    "test.olist.source_a.3": ["source.olist.raw.a"],
}
_FOLDERS = {"base": "staging", "stg": "staging", "int": "intermediate", "mart": "marts"}


def node(unique_id: str, parents: list[str]) -> dict[str, Any]:
    kind, _, name = unique_id.split(".")[:3]
    layer = _FOLDERS.get(name.split("_")[0], "monitoring")
    folder = "snapshots" if kind == "snapshot" else f"models/{layer}"
    return {
        "resource_type": kind,
        "original_file_path": f"{folder}/{name}.sql",
        "fqn": ["olist", layer, name],
        "access": "public" if layer == "marts" else "protected",
        "depends_on": {"nodes": parents},
        "attached_node": parents[0] if kind == "test" and parents[0][0] == "m" else None,
    }


def manifest() -> dict[str, Any]:
    nodes = {each: node(each, parents) for each, parents in (_EDGES | _TESTS).items()}
    sources = {
        f"source.olist.raw.{name}": {
            "resource_type": "source",
            "original_file_path": "models/staging/_sources.yml",
        }
        for name in "ab"
    }
    children: dict[str, list[str]] = {each: [] for each in [*nodes, *sources]}
    for child, parents in (_EDGES | _TESTS).items():
        for parent in parents:
            children[parent].append(child)
    return {
        "nodes": nodes,
        "sources": sources,
        "child_map": children,
        "parent_map": _EDGES | _TESTS,
    }


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"select": "stg_orders --full-refresh"}, "parameter select: .* holds an option of dbt"),
        ({"full_refresh": "maybe"}, "parameter full_refresh: 'maybe' is neither true nor false"),
        ({"as_of_date": "29/08/2018"}, "parameter as_of_date: '29/08/2018' is no date"),
        ({"select": "mart_a", "as_of_date": "2018-02-28"}, "of another day than 2018-02-28"),
        ({"as_of_date": "2018-02-30"}, "parameter as_of_date: '2018-02-30' is no date"),
    ],
)
def test_a_malformed_parameter_is_named(values: dict[str, Any], told: str) -> None:
    with pytest.raises(OlistError, match=told):
        read_parameters(values)


def test_what_is_left_empty_has_its_default() -> None:
    assert read_parameters({"select": " ", "as_of_date": ""}) == RunParameters()
    given = {"select": " stg_a+  tag:x ", "full_refresh": True}
    assert read_parameters(given) == RunParameters("stg_a+ tag:x", full_refresh=True)
    dated = RunParameters(as_of_date=date(2018, 8, 29))
    assert read_parameters({"as_of_date": "2018-08-29"}) == dated


def test_a_reference_date_lies_in_the_data() -> None:
    latest = date(2018, 8, 29)
    require_past_date(None, None)
    require_past_date(latest, latest)
    with pytest.raises(
        OlistError, match="2018-08-30 lies after the newest purchase, of 2018-08-29"
    ):
        require_past_date(date(2018, 8, 30), latest)
    with pytest.raises(OlistError, match="nothing is loaded"):
        require_past_date(latest, None)


def models(*names: str) -> list[str]:
    return [f"model.olist.{name}" for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mart_a"], []),
        (["int_a", "mart_a", "mart_b"], []),
        (["monitoring_a"], []),
        (["base_a", "stg_a", "stg_b", "int_a", "mart_a", "mart_b"], []),
        (["int_a", "mart_a"], ["not selected, though they read what is: mart_b"]),
        (
            ["base_a", "stg_a", "int_a", "mart_a", "mart_b"],
            ["raw would be read again for some, but not for: stg_b"],
        ),
    ],
)
def test_a_partial_run_publishes_only_marts_of_one_state(
    names: list[str], expected: list[str]
) -> None:
    found = reasons_not_to_publish(models(*names), manifest())
    assert found == expected


def test_a_test_of_two_stages_belongs_to_the_later() -> None:
    stages = stages_of_nodes(manifest())
    assert stages["test.olist.not_null_stg_a.1"] is BuildStage.STAGING
    assert stages["test.olist.relationships_stg_a_int_a.2"] is BuildStage.MARTS
    assert stages["test.olist.source_a.3"] is BuildStage.STAGING
    assert stages["model.olist.monitoring_a"] is BuildStage.MARTS
    assert stages["snapshot.olist.snapshot_a"] is BuildStage.SNAPSHOTS


def result(status: str) -> dict[str, Any]:
    return {"status": status, "message": "Got 3 results,\n  configured to fail if != 0"}


def test_a_gate_holds_for_any_fault_of_its_stage_and_for_silence() -> None:
    results = {
        "model.olist.stg_a": result("success"),
        "test.olist.source_a.3": result("fail"),
        "test.olist.relationships_stg_a_int_a.2": result("fail"),
    }
    assert stage_faults(BuildStage.STAGING, results, manifest()) == [
        "source_a: Got 3 results, configured to fail if != 0"
    ]
    assert stage_faults(BuildStage.SNAPSHOTS, results, manifest()) == [
        "dbt reported nothing of the stage snapshots"
    ]
    passed = {"model.olist.stg_a": result("success"), "test.olist.source_a.3": result("warn")}
    assert stage_faults(BuildStage.STAGING, passed, manifest()) == []


def test_what_is_resumed_is_what_was_not_built_or_did_not_pass() -> None:
    results = {
        "model.olist.base_a": result("success"),
        "model.olist.stg_a": result("success"),
        "model.olist.stg_b": result("error"),
        "test.olist.not_null_stg_a.1": result("fail"),
        "test.olist.source_a.3": result("pass"),
    }
    unfinished = unfinished_nodes(BuildStage.STAGING, results, manifest())
    assert unfinished == set(models("stg_a", "stg_b"))
    assert unfinished_nodes(BuildStage.SNAPSHOTS, results, manifest()) == {
        "snapshot.olist.snapshot_a"
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pass", []),
        ("fail", ["model.olist.int_a"]),
        # dbt stopped before it.
        (None, ["model.olist.int_a"]),
        # It comes with what dbt skipped it for.
        ("skipped", ["model.olist.mart_a"]),
    ],
)
def test_a_failed_test_of_two_stages_is_resumed_with_what_it_tests_in_its_own(
    status: str | None, expected: list[str]
) -> None:
    results = {each: result("success") for each in _EDGES}
    if status == "skipped":
        results["model.olist.mart_a"] = result("error")
    if status:
        results["test.olist.relationships_stg_a_int_a.2"] = result(status)
    unfinished = unfinished_nodes(BuildStage.MARTS, results, manifest())
    assert sorted(unfinished) == expected


def test_a_failed_test_of_a_source_is_run_again_itself() -> None:
    results = {each: result("success") for each in _EDGES | _TESTS}
    results["test.olist.source_a.3"] = result("fail")
    assert unfinished_nodes(BuildStage.STAGING, results, manifest()) == {"test.olist.source_a.3"}
