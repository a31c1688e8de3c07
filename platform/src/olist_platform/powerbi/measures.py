"""The measures that tiles need. Each leans on one column of a mart and computes nothing of its own.

A figure that a mart holds is shown where its rows hold one value of it, and left empty where they
hold several: no measure adds up what does not add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from olist_platform.dashboards.contracts import Contract
from olist_platform.dashboards.description import (
    Aggregate,
    Bounds,
    Conditions,
    Dashboard,
    Filter,
    FilterKind,
    Format,
    Present,
    Role,
    Scalar,
    Tile,
    TileColumn,
    TileKind,
)
from olist_platform.powerbi.semantic_model import Measure
from olist_platform.powerbi.words import format_string, human

DATES, DATE, MONTH = "Date", "date", "month"


@dataclass(frozen=True, slots=True)
class TileMeasure:
    """A measure and the mart whose table it stands in."""

    mart: str
    measure: Measure


def is_measured(tile: Tile, column: TileColumn) -> bool:
    """Whether a tile shows a column by a measure; otherwise by the column itself.

    Words and figures of a plain table are the mart's rows as they are. What depends on the chosen
    month, on the newest row or on several rows is measured, and so is every figure of a chart.
    """
    if tile.kind is TileKind.KPI:
        # A card has no rows: the month it tells of is a figure too.
        return True
    if column.is_dimension:
        return False
    if tile.kind is TileKind.TABLE and not column.aggregate:
        return _period_column(tile) is not None or bool(tile.rows.latest or tile.rows.earliest)
    return True


def tile_measure(
    board: Dashboard, tile: Tile, column: TileColumn, contracts: Mapping[str, Contract]
) -> TileMeasure:
    """Return the measure by which a tile shows a column."""
    name, base = _base(tile, column)
    rows = tile.rows
    conditions = _dax_conditions(tile.mart, rows.where)
    period = _period_column(tile)
    if period and _has_default(board, tile):
        name += ", chosen month"
        chosen = chosen_month(_period_filter(board, tile)).measure.name
        lines = [f"VAR chosen = [{chosen}]", "RETURN"]
        expression = _calculated(lines, base, [*conditions, f"{_ref(tile.mart, period)} = chosen"])
    elif rows.latest or rows.earliest:
        end = str(rows.latest or rows.earliest)
        which, function = ("latest", "MAX") if rows.latest else ("first", "MIN")
        name += f", {which} {human(end, within=True)}"
        within = [] if rows.latest_of else [f"REMOVEFILTERS('{DATES}')"]
        sought = ", ".join([f"{function}({_ref(tile.mart, end)})", *conditions, *within])
        lines = [f"VAR sought = CALCULATE({sought})", "RETURN"]
        narrowed = [*conditions, *within, f"{_ref(tile.mart, end)} = sought"]
        expression = _calculated(lines, base, narrowed)
        if rows.latest_of:
            # Of several cohorts together, as in a table's total, the latest row would be that of
            # the oldest one alone.
            alone = " && ".join(f"HASONEVALUE({_ref(tile.mart, one)})" for one in rows.latest_of)
            expression = "\n".join([*lines, f"IF({alone}, {_calculated([], base, narrowed)})"])
    elif tile.kind is TileKind.FORECAST and column.role is Role.VALUE:
        # A line would take the running month for a whole one; on the web it is a point apart.
        name += ", months that have ended"
        expression = _calculated([], base, _dax_conditions(tile.mart, {"is_complete": True}))
    else:
        expression = base
    page = next(page for page in board.pages if tile in page.tiles)
    contract = contracts[tile.mart]
    said = contract.columns[column.column].description if column.column else contract.description
    return TileMeasure(
        tile.mart,
        Measure(
            name,
            expression,
            said,
            format_string(column.format),
            f"{board.title}\\{page.title}",
        ),
    )


def chosen_month(one: Filter) -> TileMeasure:
    """Return the measure of the month that a report shows: the chosen one, else the default.

    Of several months it is the last one of enough orders, as on the web; where a reader chooses one
    that has fewer, it is that one.
    """
    wheres = [{**one.where, **one.default_where}]
    if one.default_where:
        wheres.append(one.where)
    latest = [
        f"CALCULATE({', '.join([f'MAX({_ref(one.mart, one.column)})', *conditions])})"
        for conditions in (_dax_conditions(one.mart, where) for where in wheres)
    ]
    expression = f"COALESCE({', '.join(latest)})" if len(latest) > 1 else latest[0]
    return TileMeasure(
        one.mart,
        Measure(
            f"{human(one.mart)} \u00b7 chosen month",
            expression,
            "The month that is chosen, or the last one that the dashboards show by themselves.",
            format_string(Format.MONTH),
            "Periods",
        ),
    )


def _base(tile: Tile, column: TileColumn) -> tuple[str, str]:
    """Name and DAX of a column without the choice of a period."""
    mart = human(tile.mart)
    if column.aggregate is Aggregate.ROWS:
        return f"{mart} \u00b7 number of rows", f"COUNTROWS({tile.mart})"
    reference = _ref(tile.mart, str(column.column))
    name = f"{mart} \u00b7 {human(str(column.column))}"
    match column.aggregate:
        case Aggregate.SUM:
            return f"{name}, sum", f"SUM({reference})"
        case Aggregate.MEAN:
            return f"{name}, mean", f"DIVIDE(SUM({reference}), COUNT({reference}))"
        case _:
            # Rows without a value are passed over: a month has a row of what was and one of what
            # is forecast, each with half of the columns. KEEPFILTERS, for a filter of CALCULATE
            # takes the place of the one that the column has, such as that of the chosen month.
            present = f"KEEPFILTERS(NOT ISBLANK({reference}))"
            return name, f"CALCULATE(SELECTEDVALUE({reference}), {present})"


def _calculated(lines: list[str], base: str, conditions: list[str]) -> str:
    inner = ",\n\t".join([base, *conditions])
    return "\n".join([*lines, f"CALCULATE(\n\t{inner}\n)"])


def _period_column(tile: Tile) -> str | None:
    """The tile's column of the dashboard's period, where it shows the chosen one and no history."""
    return tile.filters.get("period")


def _period_filter(board: Dashboard, tile: Tile) -> Filter:
    names = set(tile.filters)
    return next(one for one in board.filters if one.name in names and one.kind is FilterKind.PERIOD)


def _has_default(board: Dashboard, tile: Tile) -> bool:
    return any(one.kind is FilterKind.PERIOD and one.name in tile.filters for one in board.filters)


def _dax_conditions(mart: str, where: Conditions) -> list[str]:
    return [_dax_condition(_ref(mart, name), wanted) for name, wanted in where.items()]


def _dax_condition(reference: str, wanted: Scalar | tuple[Scalar, ...] | Bounds | Present) -> str:
    match wanted:
        case Present(present=present):
            return f"NOT ISBLANK({reference})" if present else f"ISBLANK({reference})"
        case Bounds(at_least=low, at_most=high):
            ends = [f"{reference} >= {low:g}"] if low is not None else []
            ends += [f"{reference} <= {high:g}"] if high is not None else []
            return " && ".join(ends)
        case tuple():
            return f"{reference} IN {{ {', '.join(_dax_literal(value) for value in wanted)} }}"
        case _:
            return f"{reference} = {_dax_literal(wanted)}"


def _dax_literal(value: Scalar) -> str:
    match value:
        case bool():
            return "TRUE()" if value else "FALSE()"
        case int() | float():
            return f"{value}"
        case str():
            return '"' + value.replace('"', '""') + '"'


def _ref(table: str, column: str) -> str:
    return f"{table}[{column}]"
