"""The gate behind a stage: what dbt said of its nodes decides whether the next one begins."""

from collections.abc import Iterable, Mapping
from typing import Any

from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.dbt_run_results import node_name

_PASSED = ("success", "pass", "warn")
_FAULTS = ("error", "fail", "runtime error")


def stage_faults(
    stage: BuildStage, results: Mapping[str, Mapping[str, Any]], manifest: Mapping[str, Any]
) -> list[str]:
    """Return why a stage must not be passed, a line for each reason; empty when it may.

    A failed test holds it whatever stands behind the tested model, and so does a stage of which
    nothing was reported: without a result there is no proof. The share of quarantined rows is
    itself a test of staging.

    Args:
        stage: The stage.
        results: dbt's last result of each node of the DAG run, by unique id.
        manifest: dbt's manifest.
    """
    stages = stages_of_nodes(manifest)
    of_stage = {node: result for node, result in results.items() if stages.get(node) is stage}
    if not of_stage:
        return [f"dbt reported nothing of the stage {stage}"]
    return sorted(_faults(of_stage))


def unfinished_nodes(
    stage: BuildStage, results: Mapping[str, Mapping[str, Any]], manifest: Mapping[str, Any]
) -> set[str]:
    """Return the models, seeds and snapshots of a stage that have not been built and passed.

    One of which a test failed is not finished: what is mended then is its data or its SQL.

    Args:
        stage: The stage.
        results: dbt's last result of each node of the DAG run, by unique id.
        manifest: dbt's manifest.
    """
    stages = stages_of_nodes(manifest)
    unfinished = set()
    for unique_id, its_stage in stages.items():
        kind = unique_id.split(".")[0]
        if its_stage is not stage or results.get(unique_id, {}).get("status") in _PASSED:
            continue
        if kind in ("model", "seed", "snapshot"):
            unfinished.add(unique_id)
        elif kind == "test":
            node = manifest["nodes"][unique_id]
            tested = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), None)
            if tested and tested.split(".")[0] in ("model", "seed", "snapshot"):
                unfinished.add(tested)
    return {node for node in unfinished if stages.get(node) is stage}


def _faults(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for unique_id, result in results.items():
        if result["status"] in _FAULTS:
            message = " ".join(str(result["message"]).split())
            yield f"{node_name(unique_id)}: {message}"
