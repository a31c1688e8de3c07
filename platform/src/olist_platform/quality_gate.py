"""The gate behind a stage: what dbt said of its nodes decides whether the next one begins."""

from collections.abc import Iterable, Mapping
from typing import Any

from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.dbt_run_results import FAULTS, node_name

_PASSED = ("success", "pass", "warn")


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
    """Return the nodes of a stage that a resumed run has to build or test again.

    They are models, seeds and snapshots that have not been built and passed: one of which a test
    failed is not finished, because what is mended then is its data or its SQL. A test that is of
    nothing in this stage, such as one of a source, is itself among them.

    Args:
        stage: The stage.
        results: dbt's last result of each node of the DAG run, by unique id.
        manifest: dbt's manifest.
    """
    stages = stages_of_nodes(manifest)

    def is_built_here(node: str) -> bool:
        kind = node.split(".", maxsplit=1)[0]
        return stages.get(node) is stage and kind in ("model", "seed", "snapshot")

    unfinished: set[str] = set()
    for unique_id, its_stage in stages.items():
        status = results.get(unique_id, {}).get("status")
        if its_stage is not stage or status in _PASSED:
            continue
        if is_built_here(unique_id):
            unfinished.add(unique_id)
        elif unique_id.startswith("test."):
            test = manifest["nodes"][unique_id]
            parents: list[str] = test["depends_on"]["nodes"]
            tested = test.get("attached_node") or parents[0]
            if is_built_here(tested):
                unfinished.add(tested)
            # One that dbt skipped comes with the node for which it did.
            elif status != "skipped":
                unfinished |= set(filter(is_built_here, parents)) or {unique_id}
    return unfinished


def _faults(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for unique_id, result in results.items():
        if result["status"] in FAULTS:
            message = " ".join(str(result["message"]).split())
            yield f"{node_name(unique_id)}: {message}"
