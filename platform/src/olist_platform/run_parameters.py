"""What a production run may be asked for, what of it makes sense, and whether it may be published.

A run that is asked for nothing builds everything from what has landed. What a partial run leaves
behind is published only if all of it is of one state of the data; see `reasons_not_to_publish`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from olist_platform.build_stages import BuildStage, stages_of_nodes
from olist_platform.dbt_command import fresh_manifest, read_manifest, run_dbt
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.naming import Layer

_BUILT = ("model", "seed", "snapshot")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RunParameters:
    """What a run is asked for.

    Attributes:
        select: dbt's selection of what is built and tested; None for everything.
        full_refresh: Whether incremental models are rebuilt from all that was ever loaded.
        as_of_date: Reference date of all figures; None for the day of the latest purchase.
    """

    select: str | None = None
    full_refresh: bool = False
    as_of_date: date | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run does with what it was asked for.

    Attributes:
        nodes: Unique ids of the models, seeds and snapshots that it builds; None for all.
        as_of_date: Reference date, YYYY-MM-DD; None for the data's own.
        unpublished_because: Why its marts are not published; empty when they are.
    """

    nodes: tuple[str, ...] | None
    as_of_date: str | None
    unpublished_because: tuple[str, ...]


def read_parameters(values: Mapping[str, Any]) -> RunParameters:
    """Return the parameters of a run from what somebody typed.

    Raises:
        OlistError: One is malformed, or two contradict each other; the message names them.
    """
    select = " ".join(str(values.get("select") or "").split()) or None
    if select and any(word.startswith("-") for word in select.split()):
        raise OlistError(
            f"parameter select: '{select}' holds an option of dbt",
            "write dbt's selection alone, such as: stg_orders+ mart_executive_kpis",
        )
    full_refresh = values.get("full_refresh", False)
    if not isinstance(full_refresh, bool):
        raise OlistError(
            f"parameter full_refresh: '{full_refresh}' is neither true nor false",
            "write true or false",
        )
    text = values.get("as_of_date") or None
    try:
        as_of_date = None if text is None else date.fromisoformat(str(text))
    except ValueError:
        raise OlistError(
            f"parameter as_of_date: '{text}' is no date of the calendar",
            "write YYYY-MM-DD, such as 2018-08-29",
        ) from None
    if select and as_of_date:
        raise OlistError(
            f"parameters select and as_of_date: what is not selected would be of another day than"
            f" {as_of_date}, and figures would not agree",
            "leave select empty to see everything from that day, or leave as_of_date empty",
        )
    return RunParameters(select, full_refresh, as_of_date)


def require_past_date(as_of_date: date | None, latest: date | None) -> None:
    """Check that a reference date does not lie in the future of the data.

    Args:
        as_of_date: The reference date, or None.
        latest: Day of the newest purchase that is loaded; None where nothing is.

    Raises:
        OlistError: It does, or nothing is loaded that it could be a day of.
    """
    if as_of_date is None:
        return
    if latest is None:
        raise OlistError(
            f"parameter as_of_date: nothing is loaded that {as_of_date} could be a day of",
            "run once without it",
        )
    if as_of_date > latest:
        raise OlistError(
            f"parameter as_of_date: {as_of_date} lies after the newest purchase, of {latest}",
            f"write a day up to {latest}, or leave it empty for that day",
        )


def plan_run(environment: Environment, parameters: RunParameters) -> RunPlan:
    """Return what a run builds, and whether it may be published.

    Raises:
        OlistError: The selection is malformed or selects nothing that is built.
    """
    if parameters.select is None:
        nodes = None
        reasons: tuple[str, ...] = ()
    else:
        nodes = selected_nodes(environment, parameters.select)
        manifest = read_manifest(fresh_manifest(environment))
        reasons = tuple(reasons_not_to_publish(nodes, manifest))
    as_of_date = parameters.as_of_date
    return RunPlan(nodes, as_of_date.isoformat() if as_of_date else None, reasons)


def selected_nodes(environment: Environment, select: str) -> tuple[str, ...]:
    """Return the unique ids of the models, seeds and snapshots that a selection names.

    Raises:
        OlistError: dbt cannot read it, or a part of it matches nothing.
    """
    fresh_manifest(environment)
    kinds = [word for kind in _BUILT for word in ("--resource-type", kind)]
    result = run_dbt(
        environment,
        [
            *("--warn-error-options", '{"error": ["NoNodesForSelectionCriteria"]}'),
            "--no-use-colors",
            *("ls", "--quiet", "--output", "json", "--output-keys", "unique_id", *kinds),
            *("--select", *select.split()),
        ],
        quiet=True,
    )
    nodes = tuple(
        sorted(json.loads(line)["unique_id"] for line in result.stdout.splitlines() if "{" in line)
    )
    if result.returncode or not nodes:
        said = " ".join((result.stdout + result.stderr).split()) or "nothing that is built matches"
        raise OlistError(
            f"parameter select: '{select}': {said}",
            "try it with: olist dbt -- ls --select <selection>",
        )
    return nodes


def reasons_not_to_publish(nodes: Collection[str], manifest: Mapping[str, Any]) -> list[str]:
    """Return why the marts must not be published after a partial run; empty when they may.

    Published marts agree with each other: all of them come from one state of the data. A partial
    run keeps that up if it builds again whatever stands between what it selects and the marts, and
    reads raw either for all staging models or for none.

    Args:
        nodes: Unique ids that the run builds.
        manifest: dbt's manifest.
    """
    chosen = set(nodes)
    above = _ancestors_of_marts(manifest)
    reasons = []
    behind = sorted(
        child
        for node in chosen & above
        for child in manifest["child_map"][node]
        if child in above and child not in chosen
    )
    if behind:
        reasons.append(f"not selected, though they read what is: {_names(behind)}")
    raw_readers = {
        node
        for node in above
        if any(parent.startswith("source.") for parent in manifest["parent_map"][node])
    }
    if chosen & raw_readers and (missing := sorted(raw_readers - chosen)):
        reasons.append(f"raw would be read again for some, but not for: {_names(missing)}")
    return reasons


def _ancestors_of_marts(manifest: Mapping[str, Any]) -> set[str]:
    """Return the public marts and every model and seed they are built from."""
    nodes = manifest["nodes"]
    stages = stages_of_nodes(manifest)
    found: set[str] = set()
    ahead = [
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model"
        and node["fqn"][1] == Layer.MARTS
        and node["access"] == "public"
    ]
    while ahead:
        node = ahead.pop()
        if node in found or node not in nodes or stages.get(node) is BuildStage.SNAPSHOTS:
            continue
        found.add(node)
        ahead += manifest["parent_map"][node]
    return found


def _names(unique_ids: list[str]) -> str:
    names = list(dict.fromkeys(unique_id.split(".")[2] for unique_id in unique_ids))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
