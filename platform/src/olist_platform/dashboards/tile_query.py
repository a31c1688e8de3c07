"""The question that a tile or a filter puts to its mart: one statement, alike on both engines.

Every name in it was found in a contract of dbt (see catalog.py) and every value is the checkout's.
"""

from collections.abc import Sequence

from olist_platform.dashboards.description import (
    BIN_QUOTIENT_PLACES,
    Aggregate,
    Bounds,
    Conditions,
    Filter,
    Order,
    Present,
    Scalar,
    Selection,
    Tile,
    TileColumn,
)


def tile_query(tile: Tile, relation: str) -> str:
    """Return the statement whose rows a tile shows, in their order.

    Args:
        tile: The tile.
        relation: Name by which its mart can be asked.
    """
    expressions = {column.key: _expression(column) for column in tile.columns}
    hidden = {name: name for name in tile.hidden_columns}
    selected = ", ".join(f"{sql} as {key}" for key, sql in {**expressions, **hidden}.items())
    grouped = f"select {selected} from ({_selected_rows(tile.rows, relation)}) as selected"  # noqa: S608
    if tile.is_aggregated:
        apart = [expressions[column.key] for column in tile.columns if not column.aggregate]
        together = ", ".join([*apart, *hidden])
        grouped += f" group by {together}" if together else ""
    # Ties are broken by everything else, so that equal marts give equal pages.
    named = {one.by for one in tile.rows.order if not one.of and not one.values}
    rest = (Order(by=key) for key in (*expressions, *hidden) if key not in named)
    order = _order((*tile.rows.order, *rest))
    statement = f"select * from ({grouped}) as shown"  # noqa: S608
    if tile.rows.limit:
        within = f"partition by {', '.join(tile.rows.limit_of)} " if tile.rows.limit_of else ""
        statement += f" qualify row_number() over ({within}{order}) <= {tile.rows.limit}"
    return f"{statement} {order}".rstrip()


def period_query(one: Filter, relation: str) -> str:
    """Return the statement for a period's values: `value`, and whether it is a `default_one`."""
    default = _conditions(one.default_where) or "true"
    where = _conditions(one.where)
    return (
        f"select {one.column} as value,"  # noqa: S608
        f" max(case when {default} then 1 else 0 end) = 1 as default_one"
        f" from {relation}{f' where {where}' if where else ''}"
        f" group by {one.column} having {one.column} is not null order by value"
    )


def choice_query(columns: Sequence[tuple[str, str]]) -> str:
    """Return the statement for a choice's values.

    Args:
        columns: Relations, as they can be asked, and the column of each that the choice narrows.
    """
    each = (f"select {column} as value from {relation}" for relation, column in columns)  # noqa: S608
    known = " union ".join(each)
    return f"select value from ({known}) as known where value is not null order by value"  # noqa: S608


def _selected_rows(rows: Selection, relation: str) -> str:
    where = _conditions(rows.where)
    statement = f"select * from {relation}{f' where {where}' if where else ''}"  # noqa: S608
    within = f"partition by {', '.join(rows.latest_of)}" if rows.latest_of else ""
    ends = [
        f"{column} = {end}({column}) over ({within})"
        for column, end in ((rows.latest, "max"), (rows.earliest, "min"))
        if column
    ]
    return f"{statement} qualify {' and '.join(ends)}" if ends else statement


def _expression(column: TileColumn) -> str:
    name = column.column
    match column.aggregate:
        case Aggregate.ROWS:
            return "count(*)"
        case Aggregate.SUM:
            return f"sum({name})"
        case Aggregate.MEAN:
            return f"sum({name}) / count({name})"
        case None:
            pass
    if column.character:
        return f"substr({name}, {column.character}, 1)"
    if column.bin_width and column.last_bin is not None:
        # Whole bins are counted before they are multiplied: 3 x 0.05 is written alike everywhere.
        last = round(column.last_bin / column.bin_width)
        bins = f"least(floor(round({name} / {column.bin_width}, {BIN_QUOTIENT_PLACES})), {last})"
        return f"cast({bins} * {column.bin_width} as decimal(18, 6))"
    return str(name)


def _order(orders: tuple[Order, ...]) -> str:
    terms = [f"{_ordered(one)}{' desc' if one.descending else ''} nulls last" for one in orders]
    return f"order by {', '.join(terms)}" if terms else ""


def _ordered(one: Order) -> str:
    if one.of:
        return f"sum({one.by}) over (partition by {one.of})"
    if one.values:
        places = (f"when {_literal(word)} then {place}" for place, word in enumerate(one.values))
        return f"case {one.by} {' '.join(places)} end"
    return one.by


def _conditions(where: Conditions) -> str:
    return " and ".join(_condition(name, wanted) for name, wanted in where.items())


def _condition(name: str, wanted: Scalar | tuple[Scalar, ...] | Bounds | Present) -> str:
    match wanted:
        case Present(present=present):
            return f"{name} is {'not ' if present else ''}null"
        case Bounds(at_least=low, at_most=high):
            ends = [f"{name} >= {low:g}"] if low is not None else []
            return " and ".join([*ends, *([f"{name} <= {high:g}"] if high is not None else [])])
        case tuple():
            return f"{name} in ({', '.join(_literal(value) for value in wanted)})"
        case _:
            return f"{name} = {_literal(wanted)}"


def _literal(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value}"
        case str():
            return "'" + value.replace("'", "''") + "'"
