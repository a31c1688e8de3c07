"""The gate behind a stage: what dbt said of its nodes decides whether the next one begins."""

from collections.abc import Iterable, Mapping
from typing import Any

from olist_platform.build_stages import BuildStage, stages_of_nodes

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


def _faults(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for unique_id, result in results.items():
        if result["status"] in _FAULTS:
            message = " ".join(str(result["message"]).split())
            yield f"{unique_id.split('.')[2]}: {message}"
