"""What a page knows: the rows of every tile, how to show them, and what its words mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from olist_platform.dashboards.chart_theme import chart_theme
from olist_platform.dashboards.charts import CHARTS, chart_spec
from olist_platform.dashboards.contracts import Contract
from olist_platform.dashboards.description import (
    Dashboard,
    Filter,
    FilterKind,
    Role,
    Tile,
    TileKind,
)
from olist_platform.dashboards.published_marts import PublishedMarts
from olist_platform.dashboards.tile_query import choice_query, period_query, tile_query
from olist_platform.dashboards.written_values import decimals_shown
from olist_platform.moments import as_utc

Json = dict[str, Any]
Cell = bool | int | float | str | None

_FRESHNESS_MODEL = "monitoring_freshness"


@dataclass(frozen=True, slots=True)
class TileContent:
    """The rows of a tile.

    Attributes:
        tile: The tile.
        fields: Names of the values of a row.
        rows: Its rows, in their order.
        is_there: Whether its mart or model could be asked.
    """

    tile: Tile
    fields: tuple[str, ...]
    rows: list[list[Cell]]
    is_there: bool


@dataclass(frozen=True, slots=True)
class MartFreshness:
    """How far a mart lies behind; dates as text, YYYY-MM-DD."""

    mart: str
    newest_business_date: Cell
    status: Cell


def read_tile(tile: Tile, marts: PublishedMarts) -> TileContent:
    """Ask for the rows of a tile.

    Args:
        tile: The tile.
        marts: What is published.
    """
    fields = (*(column.key for column in tile.columns), *tile.hidden_columns)
    relation = marts.relation(tile.mart)
    if relation is None:
        return TileContent(tile, fields, [], is_there=False)
    rows = [[cell(value) for value in row] for row in marts.rows(tile_query(tile, relation))]
    return TileContent(tile, fields, rows, is_there=True)


def read_freshness(dashboard: Dashboard, marts: PublishedMarts) -> list[MartFreshness]:
    """Return how fresh each relation of a dashboard is, as far as monitoring tells."""
    relation = marts.relation(_FRESHNESS_MODEL)
    if relation is None:
        return []
    rows = marts.rows(
        f"select relation, newest_business_date, freshness_status from {relation}"  # noqa: S608
    )
    known = {name: MartFreshness(name, cell(day), status) for name, day, status in rows}
    return [known[mart] for mart in dashboard.marts if mart in known]


def page_content(
    dashboard: Dashboard, marts: PublishedMarts, old_after_hours: float | None
) -> Json:
    """Return what the script of a page works with; only what JSON can hold.

    Args:
        dashboard: The dashboard of the page.
        marts: What is published.
        old_after_hours: Age of a publication from which a reader is told that it is old; None
            where no clock publishes.
    """
    publication = marts.publication()
    freshness = read_freshness(dashboard, marts)
    stale = {one.mart for one in freshness if one.status == "stale"}
    return {
        "name": dashboard.name,
        "publishedAt": cell(publication.published_at),
        "oldAfterHours": old_after_hours,
        "staleMarts": sorted(stale),
        "filters": [_filter(dashboard, one, marts) for one in dashboard.filters],
        "themes": {"light": chart_theme(dark=False), "dark": chart_theme(dark=True)},
        "tiles": [
            _tile(read_tile(tile, marts), is_stale=tile.mart in stale) for tile in dashboard.tiles
        ],
    }


def cell(value: object) -> Cell:
    """Return a value as JSON holds it; moments in UTC, amounts as they are in the mart."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case datetime():
            return as_utc(value).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _filter(dashboard: Dashboard, one: Filter, marts: PublishedMarts) -> Json:
    default: Cell = None
    note = ""
    values: list[Cell]
    if one.kind is FilterKind.CHOICE:
        # A tile may know values that the filter's own mart lacks: states without a seller.
        named = ((marts.relation(mart), column) for mart, column in dashboard.columns_of(one))
        known = [(relation, column) for relation, column in named if relation]
        values = [cell(value) for (value,) in marts.rows(choice_query(known))] if known else []
    else:
        relation = marts.relation(one.mart)
        rows = marts.rows(period_query(one, relation)) if relation else []
        values = [cell(value) for value, _ in rows]
        if values:
            among = [cell(value) for value, is_default in rows if is_default] or values
            default = among[-1]
            note = one.default_note if default != values[-1] else ""
            values.reverse()
    return {
        "name": one.name,
        "title": one.title,
        "kind": one.kind.value,
        "values": values,
        "default": default,
        "note": note,
    }


def _tile(content: TileContent, *, is_stale: bool) -> Json:
    tile = content.tile
    return {
        "name": tile.name,
        "title": tile.title,
        "kind": tile.kind.value,
        "columns": [
            {
                "key": column.key,
                "role": column.role.value,
                "label": column.label,
                "format": column.format.value,
                "unit": column.unit,
                "adds": column.aggregate is not None,
            }
            for column in tile.columns
        ],
        "fields": content.fields,
        "rows": content.rows,
        "isStale": is_stale,
        "empty": tile.empty if content.is_there else tile.missing,
        "adds": tile.is_aggregated,
        "filters": tile.filters,
        "order": [
            {"by": one.by, "of": one.of, "values": one.values, "descending": one.descending}
            for one in tile.rows.order
        ],
        "show": tile.rows.show,
        "target": _target(tile),
        "spec": chart_spec(tile) if tile.kind in CHARTS or tile.kind is TileKind.KPI else None,
        "category": [c.key for c in tile.of_role(_category_role(tile))],
    }


def _category_role(tile: Tile) -> Role:
    return Role.CATEGORY if tile.of_role(Role.CATEGORY) else Role.TIME


def _target(tile: Tile) -> Json | None:
    target = tile.target
    if target is None:
        return None
    values = tile.of_role(Role.VALUE)
    return {
        "key": target.column or values[0].key,
        "atLeast": target.at_least,
        "atMost": target.at_most,
        "label": target.label,
        "decimals": decimals_shown(tile),
    }


def explanation(tile: Tile, contract: Contract) -> tuple[str, Sequence[tuple[str, str]]]:
    """Return what dbt says of a tile's term, and of each column by its label."""
    values = tile.of_role(Role.VALUE)
    term = tile.term or (values[0].column if values else None)
    said = contract.columns[term].description if term else contract.description
    columns = [
        (column.label, contract.columns[column.column].description)
        for column in tile.columns
        if column.column
    ]
    return said, columns
