"""Fields and filters of visuals in the language that Power BI's reports speak to their model."""

from collections.abc import Iterator
from typing import Any

from olist_platform.dashboards.description import Bounds, Present, Scalar, Tile

Json = dict[str, Any]

_AT_LEAST, _AT_MOST, _EQUAL = 2, 4, 0
_SOURCE = "mart"


def column_field(table: str, name: str) -> Json:
    """Return the reference to a column."""
    return {"Column": {"Expression": {"SourceRef": {"Entity": table}}, "Property": name}}


def measure_field(table: str, name: str) -> Json:
    """Return the reference to a measure."""
    return {"Measure": {"Expression": {"SourceRef": {"Entity": table}}, "Property": name}}


def where_filters(page: str, tile: Tile) -> list[Json]:
    """Return the filters that keep a visual to the rows of its tile; readers see them.

    Args:
        page: What tells the tile's page from all others of the project.
        tile: The tile.
    """
    return [
        {
            "name": f"{page}.{tile.name}.{column}",
            "field": column_field(tile.mart, column),
            "type": "Categorical" if _is_listed(wanted) else "Advanced",
            "filter": {
                "Version": 2,
                "From": [{"Name": _SOURCE, "Entity": tile.mart, "Type": 0}],
                "Where": [{"Condition": condition} for condition in _conditions(column, wanted)],
            },
            "howCreated": "User",
            "isLockedInViewMode": True,
        }
        for column, wanted in tile.rows.where.items()
    ]


def _is_listed(wanted: Scalar | tuple[Scalar, ...] | Bounds | Present) -> bool:
    return not isinstance(wanted, Bounds | Present)


def _conditions(
    column: str, wanted: Scalar | tuple[Scalar, ...] | Bounds | Present
) -> Iterator[Json]:
    field = {"Column": {"Expression": {"SourceRef": {"Source": _SOURCE}}, "Property": column}}
    match wanted:
        case Present(present=present):
            empty = _comparison(field, _EQUAL, "null")
            yield {"Not": {"Expression": empty}} if present else empty
        case Bounds(at_least=low, at_most=high):
            if low is not None:
                yield _comparison(field, _AT_LEAST, _literal(low))
            if high is not None:
                yield _comparison(field, _AT_MOST, _literal(high))
        case _:
            values = wanted if isinstance(wanted, tuple) else (wanted,)
            yield {
                "In": {
                    "Expressions": [field],
                    "Values": [[{"Literal": {"Value": _literal(value)}}] for value in values],
                }
            }


def _comparison(field: Json, kind: int, literal: str) -> Json:
    right = {"Literal": {"Value": literal}}
    return {"Comparison": {"ComparisonKind": kind, "Left": field, "Right": right}}


def _literal(value: Scalar) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value}L"
        case float():
            return f"{value:g}L" if value.is_integer() else f"{value}D"
        case str():
            return "'" + value.replace("'", "''") + "'"
