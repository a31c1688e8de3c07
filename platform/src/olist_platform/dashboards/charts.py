"""Vega-Lite's specification of a tile's chart, without its rows and its colours.

The page gives it rows, colours and signs of numbers by what the reader chose; the e-mail draws the
same specification to an image. Rows come as the dataset `rows`, by the keys of the tile's columns
and, for what bars and ranges are told apart by, `category`.
"""

import json
from typing import Any

from olist_platform.dashboards.description import Format, Role, Tile, TileColumn, TileKind

Spec = dict[str, Any]

ROWS = "rows"
CATEGORY = "category"
CHARTS = frozenset(TileKind) - {TileKind.KPI, TileKind.RANKING, TileKind.TABLE}
# Vega calls these functions of the page for every number and date it writes: shortened on axes, in
# full elsewhere.
AXIS_FORMATTER = "olistAxis"
VALUE_FORMATTER = "olistValue"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TEMPORAL = frozenset({Format.DATE, Format.MONTH, Format.MOMENT})
_NUMERIC = frozenset(Format) - _TEMPORAL - {Format.TEXT, Format.FLAG}
# The same in d3's language, for images: there is no page to ask.
_D3_FORMATS = {
    Format.MONEY: "$,.3~s",
    Format.COUNT: ",.0f",
    Format.NUMBER: ",.2~f",
    Format.SHARE: ".1~%",
    Format.POINTS: "+.1%",
    Format.GROWTH: "+.1%",
    Format.SCORE: ".2f",
    Format.DATE: "%d %b %Y",
    Format.MONTH: "%b %Y",
    Format.MOMENT: "%d %b %Y %H:%M",
}
_TIME_CHART_HEIGHT = 240
_ROW_HEIGHT = 26
_FIRST_PLACE = "first_place_of_series"
# A narrower cell of a heat map has no room for its number.
_ROOM_FOR_A_NUMBER = 40
_LEGEND_LENGTH = 160


def chart_spec(tile: Tile, *, for_page: bool = True) -> Spec:
    """Return the specification of a tile's chart.

    Args:
        tile: A tile whose kind is one of `CHARTS`, or a KPI, whose history is drawn as a line
            without axes.
        for_page: Numbers are written by the page's formatter; otherwise by d3, for images.
    """
    chart = _Chart(tile, for_page=for_page)
    moments = {column.key: "date" for column in tile.columns if column.format in _TEMPORAL}
    return {
        "$schema": _SCHEMA,
        "data": {"name": ROWS, "format": {"parse": moments}},
        "width": "container",
        **_DRAWN[tile.kind](chart),
    }


class _Chart:
    """A tile and how its columns are encoded."""

    def __init__(self, tile: Tile, *, for_page: bool) -> None:
        self.tile = tile
        self._for_page = for_page

    def one(self, role: Role) -> TileColumn:
        return self.tile.only(role)

    def written(self, column: TileColumn) -> Spec:
        """How the values of a column are written, in full."""
        return self._written(column, VALUE_FORMATTER)

    def on_axis(self, column: TileColumn) -> Spec:
        """How the values of a column are written along an axis."""
        return self._written(column, AXIS_FORMATTER)

    def _written(self, column: TileColumn, formatter: str) -> Spec:
        if column.format not in _NUMERIC | _TEMPORAL:
            return {}
        if self._for_page:
            return {"format": column.format.value, "formatType": formatter}
        pattern = _D3_FORMATS[column.format]
        if column.format not in _TEMPORAL:
            return {"format": pattern}
        # In UTC, as the values are, wherever the image is drawn; images have no tooltips.
        is_axis = formatter == AXIS_FORMATTER
        return {"labelExpr": f"utcFormat(datum.value, '{pattern}')"} if is_axis else {}

    def tooltip(self) -> list[Spec]:
        return [
            {
                "field": column.key,
                "title": column.label,
                "type": "temporal" if column.format in _TEMPORAL else "nominal",
                **self.written(column),
            }
            for column in self.tile.columns
        ]

    def time_axis(self) -> Spec:
        time = self.one(Role.TIME)
        return {
            "field": time.key,
            "type": "temporal",
            "scale": {"type": "utc"},
            "axis": {"title": None, "grid": False, "tickCount": 5, **self.on_axis(time)},
        }

    def value_axis(
        self, column: TileColumn, *, title: str | None = None, zero: bool | None = None
    ) -> Spec:
        return {
            "field": column.key,
            "type": "quantitative",
            "scale": {"zero": _starts_at_zero(column) if zero is None else zero},
            "axis": {"title": title, "tickCount": 4, **self.on_axis(column)},
        }

    def category_axis(self) -> Spec:
        return {
            "field": CATEGORY,
            "type": "nominal",
            # The order of the rows, which is the tile's.
            "sort": None,
            "axis": {
                "title": None,
                "labelLimit": 150,
                "labelPadding": 6,
                "ticks": False,
                "domain": False,
            },
        }


def _history(chart: _Chart) -> Spec:
    value = chart.one(Role.VALUE)
    time = chart.one(Role.TIME)
    encoding = {
        "x": {"field": time.key, "type": "temporal", "scale": {"type": "utc"}, "axis": None},
        "y": {
            "field": value.key,
            "type": "quantitative",
            "scale": {"zero": False},
            "axis": None,
        },
    }
    return {
        "height": 36,
        "encoding": encoding,
        "layer": [
            {"mark": {"type": "line", "style": "line"}},
            {
                "mark": {"type": "point", "style": "main-point"},
                "transform": [
                    {"window": [{"op": "row_number", "as": "place"}], "sort": [_later(time)]},
                    {"filter": "datum.place == 1"},
                ],
            },
        ],
    }


def _later(time: TileColumn) -> Spec:
    return {"field": time.key, "order": "descending"}


def _line(chart: _Chart) -> Spec:
    value = chart.one(Role.VALUE)
    encoding: Spec = {"x": chart.time_axis(), "y": chart.value_axis(value)}
    layers: list[Spec] = [{"mark": {"type": "line", "style": "line", "point": True}}]
    if chart.tile.of_role(Role.SERIES):
        series = chart.one(Role.SERIES)
        # Told apart by shape too, for those who see no difference of colours.
        legend = {"title": None, "orient": "top", "columns": 2}
        encoding["color"] = {"field": series.key, "type": "nominal", "legend": legend}
        layers = [
            {"mark": {"type": "line", "style": "series"}},
            {
                "mark": {"type": "point", "style": "series-point"},
                "encoding": {"shape": {"field": series.key, "type": "nominal", "legend": None}},
            },
        ]
    encoding["tooltip"] = chart.tooltip()
    lines = [{**layer, "encoding": {**encoding, **layer.get("encoding", {})}} for layer in layers]
    return {"height": _TIME_CHART_HEIGHT, "layer": [*lines, *_target_line(chart, "y")]}


def _target_line(chart: _Chart, channel: str) -> list[Spec]:
    target = chart.tile.target
    if target is None or target.column is not None:
        return []
    value = target.at_least if target.at_least is not None else target.at_most
    if channel == "x":
        # On the top of the line, above the bars.
        place: Spec = {"x": {"datum": value}, "y": {"value": 0}}
        text: Spec = {"align": "right", "baseline": "bottom", "dy": -4}
    else:
        # On the side of the line where the value should not be, and so mostly is not.
        below = target.at_least is not None
        place = {"x": {"value": 0}, "y": {"datum": value}}
        text = {"align": "left", "dx": 4, "baseline": "top" if below else "bottom"}
        text["dy"] = 4 if below else -4
    # One mark, and not one for each row of the tile.
    once: Spec = {"data": {"values": [{}]}}
    return [
        {
            **once,
            "mark": {"type": "rule", "style": "target"},
            "encoding": {channel: {"datum": value}},
        },
        {
            **once,
            "mark": {"type": "text", "style": "target-label", **text},
            "encoding": {**place, "text": {"value": f"Target: {target.label}"}},
        },
    ]


def _forecast(chart: _Chart) -> Spec:
    """Actual months as a line, those that have not ended as hollow points, then the forecast."""
    value, expected = chart.one(Role.VALUE), chart.one(Role.FORECAST)
    axis = chart.value_axis(value)
    intervals = zip(chart.tile.of_role(Role.LOWER), chart.tile.of_role(Role.UPPER), strict=True)
    bands = [
        {
            "transform": [{"filter": f"isValid(datum.{lower.key})"}],
            "mark": {"type": "area", "style": "band"},
            "encoding": {
                "y": chart.value_axis(lower),
                "y2": {"field": upper.key},
                "tooltip": chart.tooltip(),
            },
        }
        for lower, upper in intervals
    ]
    lines = [
        {
            "transform": [{"filter": f"isValid(datum.{value.key}) && datum.is_complete"}],
            "mark": {"type": "line", "style": "line", "point": True},
            "encoding": {"y": axis, "tooltip": chart.tooltip()},
        },
        {
            "transform": [{"filter": f"isValid(datum.{value.key}) && !datum.is_complete"}],
            "mark": {"type": "point", "style": "unfinished"},
            "encoding": {"y": axis, "tooltip": chart.tooltip()},
        },
        {
            "transform": [{"filter": f"isValid(datum.{expected.key})"}],
            "mark": {"type": "line", "style": "forecast", "point": True},
            "encoding": {"y": chart.value_axis(expected), "tooltip": chart.tooltip()},
        },
    ]
    return {
        "height": _TIME_CHART_HEIGHT,
        "encoding": {"x": chart.time_axis()},
        "layer": [*bands, *lines],
    }


def _band(chart: _Chart) -> Spec:
    lower, upper = chart.one(Role.LOWER), chart.one(Role.UPPER)
    value = chart.one(Role.VALUE)
    layers: list[Spec] = [
        {
            "mark": {"type": "area", "style": "band"},
            "encoding": {
                "y": chart.value_axis(lower, zero=True),
                "y2": {"field": upper.key},
            },
        },
        {
            "mark": {"type": "line", "style": "line"},
            "encoding": {"y": chart.value_axis(value, zero=True), "tooltip": chart.tooltip()},
        },
    ]
    if any(column.key == "is_anomaly" for column in chart.tile.columns):
        layers.append(
            {
                "transform": [{"filter": "datum.is_anomaly"}],
                "mark": {"type": "point", "style": "alarm"},
                "encoding": {"y": chart.value_axis(value, zero=True), "tooltip": chart.tooltip()},
            }
        )
    return {"height": _TIME_CHART_HEIGHT, "encoding": {"x": chart.time_axis()}, "layer": layers}


def _bar(chart: _Chart) -> Spec:
    value = chart.one(Role.VALUE)
    bars: Spec = {
        "y": chart.category_axis(),
        "x": chart.value_axis(value, zero=True),
        "tooltip": chart.tooltip(),
    }
    layers: list[Spec] = [{"mark": {"type": "bar", "style": "bar"}, "encoding": bars}]
    if chart.tile.of_role(Role.SERIES):
        series = chart.one(Role.SERIES)
        # Parts lie in the order of the legend, which is that of the rows, and not by their letters.
        words = _words_in_order(chart.tile, series)
        layers[0]["transform"] = (
            [{"calculate": f"indexof({json.dumps(words)}, datum.{series.key})", "as": _FIRST_PLACE}]
            if words
            else [
                {"window": [{"op": "row_number", "as": "place"}]},
                {
                    "joinaggregate": [{"op": "min", "field": "place", "as": _FIRST_PLACE}],
                    "groupby": [series.key],
                },
            ]
        )
        bars["order"] = {"field": _FIRST_PLACE, "type": "quantitative"}
        bars["color"] = {
            "field": series.key,
            "type": "nominal",
            "sort": None,
            "legend": {"title": None, "orient": "top", "columns": 2},
            # A word keeps its colour whatever rows the reader chooses.
            **({"scale": {"domain": words}} if words else {}),
        }
    else:
        layers.append(
            {
                "mark": {"type": "text", "style": "beside"},
                "encoding": {
                    "y": chart.category_axis(),
                    "x": {"field": value.key, "type": "quantitative"},
                    "text": {"field": value.key, "type": "quantitative", **chart.written(value)},
                },
            }
        )
        # The bars' numbers stand beside them.
        bars["x"]["axis"] = None
    return {"height": {"step": _ROW_HEIGHT}, "layer": [*layers, *_target_line(chart, "x")]}


def _words_in_order(tile: Tile, series: TileColumn) -> list[str]:
    """Return the words of a series as the tile orders them; none where it only orders by them."""
    return [word for one in tile.rows.order if one.by == series.key for word in one.values]


def _range(chart: _Chart) -> Spec:
    lower, value, upper = (chart.one(role) for role in (Role.LOWER, Role.VALUE, Role.UPPER))
    return {
        "height": {"step": _ROW_HEIGHT},
        "encoding": {"y": chart.category_axis(), "tooltip": chart.tooltip()},
        "layer": [
            {
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {
                    "x": chart.value_axis(lower, title=value.unit, zero=True),
                    "x2": {"field": upper.key},
                },
            },
            {
                "mark": {"type": "point", "style": "main-point"},
                "encoding": {"x": chart.value_axis(value, title=value.unit, zero=True)},
            },
        ],
    }


def _histogram(chart: _Chart) -> Spec:
    size, value = chart.one(Role.CATEGORY), chart.one(Role.VALUE)
    return {
        "height": _TIME_CHART_HEIGHT,
        # A bin that nobody is in has its place: a gap is part of the shape.
        "transform": [
            {"impute": value.key, "key": size.key, "keyvals": _bins(size), "value": 0},
        ],
        "mark": {"type": "bar", "style": "bar"},
        "encoding": {
            "x": {
                "field": size.key,
                "type": "ordinal",
                "sort": "ascending",
                "axis": {
                    "title": size.label,
                    "labelAngle": 0,
                    "ticks": False,
                    **chart.on_axis(size),
                },
            },
            "y": chart.value_axis(value, zero=True),
            "tooltip": chart.tooltip(),
        },
    }


def _bins(size: TileColumn) -> list[float]:
    """Where bins begin from 0 on, as the tile's rows say it."""
    assert size.bin_width is not None, "a histogram has bins"  # noqa: S101
    assert size.last_bin is not None, "a histogram has a last bin"  # noqa: S101
    last = round(size.last_bin / size.bin_width)
    return [round(place * size.bin_width, 6) for place in range(last + 1)]


def _heatmap(chart: _Chart) -> Spec:
    row, column, value = (chart.one(role) for role in (Role.CATEGORY, Role.SERIES, Role.VALUE))
    axes = {
        "y": {
            "field": row.key,
            "type": "ordinal",
            "sort": None,
            "axis": {"title": row.label, "ticks": False, "domain": False, **chart.on_axis(row)},
        },
        "x": {
            "field": column.key,
            "type": "ordinal",
            "axis": {
                "title": column.label,
                "ticks": False,
                "domain": False,
                "labelAngle": 0,
                **chart.on_axis(column),
            },
        },
    }
    return {
        "height": {"step": _ROW_HEIGHT},
        "encoding": axes,
        "layer": [
            {
                "mark": {"type": "rect", "style": "cell"},
                "encoding": {
                    "color": {
                        "field": value.key,
                        "type": "quantitative",
                        "scale": {"zero": True},
                        # On a phone it may be all that says what a colour stands for.
                        "legend": {
                            "title": value.label,
                            "orient": "top",
                            "gradientLength": _LEGEND_LENGTH,
                            "gradientThickness": 8,
                            "tickCount": 2,
                            **chart.on_axis(value),
                        },
                    },
                    "tooltip": chart.tooltip(),
                },
            },
            *(
                {
                    "transform": [
                        {"joinaggregate": [{"op": "max", "field": value.key, "as": "largest"}]},
                        {"filter": f"datum.{value.key} {side} 0.5 * datum.largest"},
                    ],
                    "mark": {
                        "type": "text",
                        "style": style,
                        "opacity": {"expr": f"bandwidth('x') > {_ROOM_FOR_A_NUMBER} ? 1 : 0"},
                    },
                    "encoding": {
                        "text": {"field": value.key, "type": "quantitative", **chart.written(value)}
                    },
                }
                for side, style in (("<=", "in-light-cell"), (">", "in-full-cell"))
            ),
        ],
    }


def _starts_at_zero(column: TileColumn) -> bool:
    """Amounts are compared by their size; rates and scores move within a narrow range."""
    return column.format in {Format.MONEY, Format.COUNT}


_DRAWN = {
    TileKind.KPI: _history,
    TileKind.LINE: _line,
    TileKind.FORECAST: _forecast,
    TileKind.BAND: _band,
    TileKind.BAR: _bar,
    TileKind.RANGE: _range,
    TileKind.HISTOGRAM: _histogram,
    TileKind.HEATMAP: _heatmap,
}
