"""Colours and strokes of charts, light and dark, as Vega's configuration.

The colours are those of Okabe and Ito, which people tell apart whatever their colour vision. No
meaning hangs on colour alone: series have shapes and names, targets and forecasts their dashes.
"""

from typing import Any

Config = dict[str, Any]

_LIGHT_SERIES = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000"]
_DARK_SERIES = ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#FFFFFF"]
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def chart_theme(*, dark: bool) -> Config:
    """Return Vega's configuration for one of the two themes."""
    text, grid, ground = (
        ("#c9d1d9", "#2d3540", "#171c23") if dark else ("#4a5560", "#e3e7ec", "#fff")
    )
    series = _DARK_SERIES if dark else _LIGHT_SERIES
    main, target = series[0], "#D55E00" if not dark else "#F0883E"
    ramp = ["#1f2c38", main] if dark else ["#eef3f8", main]
    return {
        "background": None,
        "font": _FONT,
        "customFormatTypes": True,
        "view": {"stroke": None},
        "mark": {"color": main},
        "axis": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelOverlap": "greedy",
            "labelSeparation": 10,
        },
        "legend": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "symbolSize": 90,
        },
        "range": {"category": series, "heatmap": ramp, "ramp": ramp, "ordinal": ramp},
        "point": {"size": 30, "filled": True},
        "style": {
            "line": {"stroke": main, "strokeWidth": 2},
            "bar": {"cornerRadiusEnd": 2},
            "series": {"strokeWidth": 2},
            "series-point": {"filled": True, "size": 45, "opacity": 1},
            "main-point": {"fill": main, "filled": True, "size": 70, "opacity": 1},
            "band": {"fill": main, "color": main, "fillOpacity": 0.17, "strokeWidth": 0},
            "forecast": {"stroke": main, "color": main, "strokeDash": [5, 4], "strokeWidth": 2},
            "unfinished": {"stroke": main, "filled": False, "fill": None, "size": 50},
            "alarm": {
                "color": target,
                "filled": True,
                "size": 90,
                "shape": "diamond",
                "opacity": 1,
            },
            "target": {"stroke": target, "color": target, "strokeDash": [2, 3], "strokeWidth": 1.5},
            "target-label": {"color": text, "fontSize": 11},
            "interval": {
                "color": main,
                "strokeWidth": 5,
                "strokeOpacity": 0.4,
                "strokeCap": "round",
            },
            "beside": {
                "color": text,
                "align": "left",
                "baseline": "middle",
                "dx": 5,
                "fontSize": 12,
            },
            "cell": {"stroke": ground, "strokeWidth": 2},
            "in-light-cell": {"color": "#c9d1d9" if dark else "#1b232c", "fontSize": 11},
            "in-full-cell": {"color": "#0f1318" if dark else "#ffffff", "fontSize": 11},
        },
    }
