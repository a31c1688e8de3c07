"""One concrete recommendation for each of the dearest queries and nodes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from olist_platform.cloud_settings import WarehouseSize
from olist_platform.cost.budget import CREDITS
from olist_platform.cost.run_costs import CostGroup

Row = Mapping[str, Any]

_GIB = 1024**3
_MANY_PARTITIONS = 100
_MOST_PARTITIONS = 0.8
_MUCH_WAITING = 0.2
_MUCH_COMPILING = 0.5
_MANY_RUNS = 50
_MUCH_WASTED = 0.2
_MANY_FULL_REFRESHES = 0.5
_MANY_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class DearItem:
    """Something dear, and what to do about it.

    Attributes:
        name: The dbt node, or Snowflake's id of a query that belongs to none.
        unit: Unit of the cost.
        cost: What it cost.
        share: Cost / cost of everything it is compared with, as a fraction.
        runs: How often it ran.
        recommendation: What to do, with the figures it rests on.
    """

    name: str
    unit: str
    cost: float
    share: float
    runs: int
    recommendation: str


def dear_queries(rows: Sequence[Row], total: float) -> list[DearItem]:
    """Return the dearest queries of Snowflake with a recommendation each.

    Args:
        rows: Answer to `account_usage.top_queries`.
        total: Credits of all queries of that time.
    """
    return [
        DearItem(
            name=_node_of(row["query_tag"]) or str(row["query_id"]),
            unit=CREDITS,
            cost=float(row["credits"] or 0),
            share=float(row["credits"] or 0) / total if total else 0.0,
            runs=int(row["runs"]),
            recommendation=_for_query(row),
        )
        for row in rows
    ]


def dear_nodes(groups: Sequence[CostGroup], limit: int = 10) -> list[DearItem]:
    """Return the dearest nodes of dbt with a recommendation each.

    Args:
        groups: The cost of each node, of one unit, the dearest first.
        limit: How many of them.
    """
    total = sum(group.cost for group in groups)
    costs = {group.name: group.cost for group in groups}
    return [
        DearItem(
            name=group.name,
            unit=group.unit,
            cost=group.cost,
            share=group.cost / total if total else 0.0,
            runs=group.runs,
            recommendation=_for_node(group, costs),
        )
        for group in groups[:limit]
    ]


def _for_query(row: Row) -> str:
    return next(_faults_of_query(row))


def _faults_of_query(row: Row) -> Iterator[str]:
    """Tell what is wrong with a query, the gravest first; in the end, that nothing is."""
    elapsed = float(row["elapsed_ms"] or 0)
    read = float(row["bytes_scanned"] or 0) / _GIB
    if remote := float(row["bytes_spilled_to_remote"] or 0):
        yield (
            f"It spills {remote / _GIB:.1f} GiB to remote storage: cut its rows or columns before"
            f" the join or sort, or run it on {_next_size(row['warehouse_size'])}."
        )
    if float(row["queued_ms"] or 0) > _MUCH_WAITING * elapsed > 0:
        yield (
            f"It waits {float(row['queued_ms']) / elapsed:.0%} of its time for the warehouse: move"
            f" it to another hour, or raise max_clusters of {row['warehouse_name']}."
        )
    total, scanned = int(row["partitions_total"] or 0), int(row["partitions_scanned"] or 0)
    if total >= _MANY_PARTITIONS and scanned >= _MOST_PARTITIONS * total:
        yield (
            f"It reads {scanned:,} of {total:,} micro-partitions: cluster the table by the column"
            " it filters by, or make the model incremental on it."
        )
    if local := float(row["bytes_spilled_to_local"] or 0):
        yield (
            f"It spills {local / _GIB:.1f} GiB to local disks: select fewer columns before the join"
            f" or sort; {_next_size(row['warehouse_size'])} is worth a try if it halves the time."
        )
    if float(row["compilation_ms"] or 0) > _MUCH_COMPILING * elapsed > 0:
        yield (
            f"It compiles {float(row['compilation_ms']) / elapsed:.0%} of its time: build the views"
            " it reads as tables, or ask for less in one statement."
        )
    if int(row["runs"]) >= _MANY_RUNS:
        yield f"It ran {int(row['runs']):,} times: keep its answer in a table, or ask less often."
    yield (
        f"It runs well; {read:.1f} GiB read in {int(row['runs'])} runs: ask whether everybody who"
        " reads it needs it that often."
    )


def _for_node(group: CostGroup, costs: Mapping[str, float]) -> str:
    return next(_faults_of_node(group, costs))


def _faults_of_node(group: CostGroup, costs: Mapping[str, float]) -> Iterator[str]:
    """Tell what is wrong with a node, the gravest first; in the end, where to look."""
    row = group.last
    if group.failed_cost > _MUCH_WASTED * group.cost:
        wasted = group.failed_cost / group.cost
        yield f"{wasted:.0%} of it went into failed runs: mend those first."
    if (
        row["materialized"] == "incremental"
        and group.full_refresh_cost > _MANY_FULL_REFRESHES * group.cost
    ):
        yield (
            f"{group.full_refresh_cost / group.cost:.0%} of it were full refreshes of an"
            " incremental model: ask for --full-refresh only when rows were changed by hand;"
            " a change of its code rebuilds it by itself."
        )
    if row["resource_type"] == "unit_test":
        yield (
            f"A unit test judges code, not data, and ran {group.runs} times: leave it to the checks"
            " of a change (--exclude-resource-type unit_test)."
        )
    if row["resource_type"] == "test":
        dearer = costs.get(str(row["tested_node_id"]), 0.0) < group.cost
        which = "more than what" if dearer else "extra beside what"
        yield (
            f"The test costs {which} it tests: judge new rows only (config where), or one aggregate"
            " instead of each row."
        )
    if row["materialized"] == "table" and (row["relation_rows"] or 0) >= _MANY_ROWS:
        yield (
            f"It writes {row['relation_rows']:,} rows anew in each of {group.runs} runs: make it"
            " incremental on the keys that changed (macros/incremental)."
        )
    if row["materialized"] == "view":
        yield "A view that takes time reads too much when it is made: look at its query."
    yield (
        f"{group.seconds / group.runs:.1f} s a run, {group.runs} runs: read its plan (explain"
        " analyze) for the dearest join; build less often what nobody reads between two runs."
    )


def _next_size(size: str | None) -> str:
    sizes = [each.value for each in WarehouseSize]
    known = (size or "").upper().replace("-", "").replace("X SMALL", "XSMALL")
    if known in sizes[:-1]:
        return f"the next size, {sizes[sizes.index(known) + 1]}"
    return "the next size"


def _node_of(query_tag: str | None) -> str | None:
    try:
        node = json.loads(query_tag or "{}").get("node_id")
    except (ValueError, AttributeError):
        return None
    return str(node) if node else None
