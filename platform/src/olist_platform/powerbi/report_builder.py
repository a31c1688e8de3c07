"""A dashboard as a Power BI report: pages, visuals and their phone layout, as PBIR's JSON files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from olist_platform.dashboards.chart_theme import chart_theme
from olist_platform.dashboards.contracts import Contract
from olist_platform.dashboards.description import (
    Dashboard,
    Filter,
    FilterKind,
    Format,
    Page,
    Role,
    Tile,
    TileColumn,
    TileKind,
)
from olist_platform.powerbi.measures import DATES, MONTH, is_measured, tile_measure
from olist_platform.powerbi.model_builder import computed_column
from olist_platform.powerbi.page_layout import Box, Placed, page_height, place, place_on_phone
from olist_platform.powerbi.report_filters import column_field, measure_field, where_filters

Json = dict[str, Any]

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition"
THEME_FILE = "olist-theme.json"
# The desktop's version of these formats; it says nothing of the machine that wrote them.
_VERSIONS = {"visual": "2.9.0", "report": "3.3.0", "page": "2.1.0"}
_VISUALS = {
    TileKind.KPI: "cardVisual",
    TileKind.RANKING: "tableEx",
    TileKind.TABLE: "tableEx",
    TileKind.LINE: "lineChart",
    TileKind.BAR: "barChart",
    TileKind.FORECAST: "lineChart",
    TileKind.BAND: "lineChart",
    TileKind.RANGE: "clusteredBarChart",
    TileKind.HISTOGRAM: "columnChart",
    TileKind.HEATMAP: "pivotTable",
}
_QUESTION, _SLICER = "question", "slicer"
_VALUES = (Role.VALUE, Role.CHANGE, Role.FORECAST, Role.LOWER, Role.UPPER)


def report_files(board: Dashboard, contracts: Mapping[str, Contract]) -> dict[str, Json]:
    """Return the JSON files of a report's `definition` folder, by their paths within it.

    Args:
        board: The dashboard.
        contracts: dbt's contracts by the mart's name.
    """
    return {
        "version.json": _file("versionMetadata/1.0.0", version="2.0.0"),
        "report.json": _file(
            "report/3.3.0",
            themeCollection={
                "customTheme": {
                    "name": THEME_FILE,
                    "reportVersionAtImport": _VERSIONS,
                    "type": "RegisteredResources",
                }
            },
            resourcePackages=[
                {
                    "name": "RegisteredResources",
                    "type": "RegisteredResources",
                    "items": [{"name": THEME_FILE, "path": THEME_FILE, "type": "CustomTheme"}],
                }
            ],
        ),
        "pages/pages.json": _file(
            "pagesMetadata/1.1.0",
            pageOrder=[page.name for page in board.pages],
            activePageName=board.pages[0].name,
        ),
        **{
            f"pages/{page.name}/{path}": content
            for page in board.pages
            for path, content in _page_files(board, page, contracts)
        },
    }


def theme() -> Json:
    """Return the colours of the web pages as Power BI's theme."""
    series: Sequence[str] = chart_theme(dark=False)["range"]["category"]
    return {"name": "Olist", "dataColors": list(series), "tableAccent": series[0]}


def _page_files(
    board: Dashboard, page: Page, contracts: Mapping[str, Contract]
) -> Iterator[tuple[str, Json]]:
    slicers = [one for one in board.filters if _is_used(one, page)]
    placed = place(
        [
            Placed(_QUESTION, "question"),
            *(Placed(f"{_SLICER}_{one.name}", _SLICER) for one in slicers),
            *(Placed(tile.name, tile.kind) for tile in page.tiles),
        ]
    )
    visuals = {
        _QUESTION: _question(page),
        **{f"{_SLICER}_{one.name}": _slicer(one) for one in slicers},
        **{tile.name: _tile(board, tile, contracts) for tile in page.tiles},
    }
    filters = {tile.name: where_filters(f"{board.name}.{page.name}", tile) for tile in page.tiles}
    yield (
        "page.json",
        _file(
            "page/2.1.0",
            name=page.name,
            displayName=page.title,
            displayOption="FitToWidth",
            height=page_height(placed),
            width=Box.PAGE_WIDTH,
            **_interactions(slicers, page),
        ),
    )
    on_phone = place_on_phone(placed)
    for order, (name, box) in enumerate(placed.items()):
        content: Json = {"name": name, "position": box.position(order), "visual": visuals[name]}
        if filters.get(name):
            content["filterConfig"] = {"filters": filters[name]}
        yield f"visuals/{name}/visual.json", _file("visualContainer/2.9.0", **content)
        yield (
            f"visuals/{name}/mobile.json",
            _file("visualContainerMobileState/2.4.0", position=on_phone[name].position(order)),
        )


def _is_used(one: Filter, page: Page) -> bool:
    return any(one.name in tile.filters for tile in page.tiles)


def _interactions(slicers: Sequence[Filter], page: Page) -> Json:
    """A history beside figures of the chosen month stays whole: one month of it is a point."""
    untouched = [
        {"source": f"{_SLICER}_{one.name}", "target": tile.name, "type": "NoFilter"}
        for one in slicers
        if one.kind is FilterKind.PERIOD
        for tile in page.tiles
        if one.name not in tile.filters
    ]
    return {"visualInteractions": untouched} if untouched else {}


def _question(page: Page) -> Json:
    run = {"value": page.question, "textStyle": {"fontSize": "16pt", "fontWeight": "bold"}}
    paragraphs = [{"textRuns": [run]}]
    return {
        "visualType": "textbox",
        "objects": {"general": [{"properties": {"paragraphs": paragraphs}}]},
        "drillFilterOtherVisuals": True,
    }


def _slicer(one: Filter) -> Json:
    is_period = one.kind is FilterKind.PERIOD
    table, column = (DATES, MONTH) if is_period else (one.title, one.title.lower())
    return {
        "visualType": "slicer",
        "query": {"queryState": {"Values": {"projections": [_column(table, column, one.title)]}}},
        "objects": {
            "data": [{"properties": {"mode": _literal("'Dropdown'")}}],
            # One month, or what the dashboards show by themselves.
            "selection": [{"properties": {"singleSelect": _literal(str(is_period).lower())}}],
        },
        "visualContainerObjects": _title(one.title),
        "syncGroup": {"groupName": one.name, "fieldChanges": True, "filterChanges": True},
        "drillFilterOtherVisuals": True,
    }


def _tile(board: Dashboard, tile: Tile, contracts: Mapping[str, Contract]) -> Json:
    projections = {
        column.key: _projection(board, tile, column, contracts) for column in tile.columns
    }
    visual: Json = {
        "visualType": _VISUALS[tile.kind],
        "query": {
            "queryState": {
                role: {"projections": [projections[column.key] for column in columns]}
                for role, columns in _wells(tile).items()
                if columns
            },
            **_sort(tile, projections),
        },
        "visualContainerObjects": _title(tile.title, tile.note),
        "drillFilterOtherVisuals": True,
    }
    if tile.kind is TileKind.HEATMAP:
        value = projections[tile.only(Role.VALUE).key]
        visual["objects"] = {"values": [_shaded(value)]}
    return visual


def _wells(tile: Tile) -> dict[str, Sequence[TileColumn]]:
    """Power BI's field wells of a visual and the columns in them, which are the tile's by role."""
    values = [column for role in _VALUES for column in tile.of_role(role)]
    details = tile.of_role(Role.DETAIL)
    dimensions = [column for column in tile.columns if column.is_dimension]
    series = tile.of_role(Role.SERIES)
    match tile.kind:
        case TileKind.KPI:
            return {"Data": [*values, *tile.of_role(Role.TIME), *details]}
        case TileKind.TABLE | TileKind.RANKING:
            return {"Values": tile.columns}
        case TileKind.HEATMAP:
            return {
                "Rows": tile.of_role(Role.CATEGORY),
                "Columns": series,
                "Values": tile.of_role(Role.VALUE),
            }
        case _:
            return {
                "Category": [column for column in dimensions if column not in series],
                "Series": series,
                "Y": values,
                # Words that hold for many rows are no figure to hover over.
                "Tooltips": [column for column in details if column.format is not Format.FLAG],
            }


def _projection(
    board: Dashboard, tile: Tile, column: TileColumn, contracts: Mapping[str, Contract]
) -> Json:
    if is_measured(tile, column):
        found = tile_measure(board, tile, column, contracts)
        name = found.measure.name
        return {
            "field": measure_field(found.mart, name),
            "queryRef": f"{found.mart}.{name}",
            "nativeQueryRef": column.label,
            "displayName": column.label,
        }
    computed = computed_column(tile, column)
    name = computed.name if computed else str(column.column)
    return _column(tile.mart, name, column.label, is_active=column.is_dimension)


def _column(table: str, name: str, label: str, *, is_active: bool = True) -> Json:
    return {
        "field": column_field(table, name),
        "queryRef": f"{table}.{name}",
        "nativeQueryRef": label,
        "displayName": label,
        **({"active": True} if is_active else {}),
    }


def _sort(tile: Tile, projections: Mapping[str, Json]) -> Json:
    """The tile's order, as far as it is by something that the visual holds."""
    held = {column.key for columns in _wells(tile).values() for column in columns}
    # Power BI orders the bars of a chart by the sums of their parts anyway.
    named = {order.by: order for order in reversed(tile.rows.order) if order.by in held}
    orders = [order for order in tile.rows.order if order is named.get(order.by)]
    if tile.kind is TileKind.KPI or not orders:
        return {}
    sort = [
        {
            "field": projections[order.by]["field"],
            "direction": "Descending" if order.descending else "Ascending",
        }
        for order in orders
    ]
    return {"sortDefinition": {"sort": sort, "isDefaultSort": False}}


def _shaded(value: Json) -> Json:
    """Cells of a heat map: the larger, the darker."""
    low, high = chart_theme(dark=False)["range"]["ramp"]
    gradient = {
        "min": {"color": {"Literal": {"Value": f"'{low}'"}}},
        "max": {"color": {"Literal": {"Value": f"'{high}'"}}},
        "nullColoringStrategy": {"strategy": {"Literal": {"Value": "'noColor'"}}},
    }
    rule = {"Input": value["field"], "FillRule": {"linearGradient2": gradient}}
    return {
        "properties": {"backColor": {"solid": {"color": {"expr": {"FillRule": rule}}}}},
        "selector": {
            "data": [{"dataViewWildcard": {"matchingOption": 1}}],
            "metadata": value["queryRef"],
        },
    }


def _title(text: str, note: str = "") -> Json:
    title = {"show": _literal("true"), "text": _literal(_quoted(text))}
    objects: Json = {"title": [{"properties": title}]}
    if note:
        said = {"show": _literal("true"), "text": _literal(_quoted(note))}
        objects["subTitle"] = [{"properties": said}]
    return objects


def _literal(value: str) -> Json:
    return {"expr": {"Literal": {"Value": value}}}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _file(schema: str, **content: Any) -> Json:
    return {"$schema": f"{_SCHEMAS}/{schema}/schema.json", **content}
