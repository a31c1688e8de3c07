"""The report's one chart as a PNG image: GMV of the last periods, of months with the forecast."""

from dataclasses import dataclass
from typing import Any

import vl_convert

from olist_platform.dashboards.chart_theme import chart_theme
from olist_platform.dashboards.charts import ROWS, chart_spec
from olist_platform.dashboards.description import Dashboard, Role, Tile, TileKind
from olist_platform.dashboards.published_marts import PublishedMarts
from olist_platform.dashboards.written_values import Numbers, written
from olist_platform.executive_report.report_figures import Row, rows_of, tile_of_period
from olist_platform.executive_report.report_period import ReportKind, ReportPeriod

# As wide as the message; screens with fine pixels see it sharp.
WIDTH = 552
_PIXELS = 2
# It is drawn smaller than it is shown, so that its letters can be read on a phone too.
_DRAWN_WIDTH, _DRAWN_HEIGHT = 400, 190
_PERIODS_SHOWN = {ReportKind.DAILY: 35, ReportKind.WEEKLY: 26}
_MONTHS_SHOWN = 25
_FORECAST_TILE, _GMV_TILE = "gmv_forecast", "gmv"
# Mail clients turn colours over, but no images: the chart brings its own ground.
_GROUND = "#ffffff"
# vl-convert has fonts of its own, alike on every machine.
_FONT = "Roboto, sans-serif"
# Amounts are BRL whatever the signs: the English locale itself would write dollars.
_NUMBER_LOCALES: dict[Numbers, Any] = {
    "pt-BR": "pt-BR",
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["R$", ""]},
}


@dataclass(frozen=True, slots=True)
class ReportChart:
    """The chart.

    Attributes:
        title: What it shows.
        png: The image, twice as fine as it is shown.
        text: What it says, for those who do not see it.
    """

    title: str
    png: bytes
    text: str


def draw_chart(
    dashboard: Dashboard, marts: PublishedMarts, period: ReportPeriod, numbers: Numbers
) -> ReportChart | None:
    """Draw the chart of a period's report; None where there is nothing to draw.

    Args:
        dashboard: The executive dashboard.
        marts: What is published.
        period: The period the report tells of; nothing behind it is drawn but a forecast.
        numbers: Whose signs.
    """
    tile = _tile(dashboard, period.kind)
    time = tile.only(Role.TIME).key
    known = [row for row in rows_of(tile, marts) if _is_shown(tile, row, period)]
    shown = known[-_PERIODS_SHOWN.get(period.kind, _MONTHS_SHOWN) :]
    value = tile.only(Role.VALUE)
    measured = [row for row in shown if row[value.key] is not None]
    if not measured:
        return None
    spec = {
        **chart_spec(tile, for_page=False),
        "width": _DRAWN_WIDTH,
        "height": _DRAWN_HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 8,
        "background": _GROUND,
        "datasets": {ROWS: shown},
    }
    png = vl_convert.vegalite_to_png(
        spec,
        scale=_PIXELS * WIDTH / _DRAWN_WIDTH,
        config=_config(),
        format_locale=_NUMBER_LOCALES[numbers],
        time_format_locale="pt-BR" if numbers == "pt-BR" else "en-US",
    )
    last = measured[-1]
    highest = max(measured, key=lambda row: row[value.key])
    said = [
        f"{tile.title}: {_said(tile, measured[0], numbers)} first",
        f"highest {_said(tile, highest, numbers)}",
        f"last {_said(tile, last, numbers)}",
    ]
    forecast = [row for row in shown if row[time] > last[time]]
    if tile.kind is TileKind.FORECAST and forecast:
        expected = tile.only(Role.FORECAST)
        said.append(
            f"forecast of {written(forecast[0][time], tile.only(Role.TIME).format, numbers)}"
            f" {written(forecast[0][expected.key], expected.format, numbers)}"
        )
    return ReportChart(tile.title, png, "; ".join(said) + ".")


def _config() -> dict[str, Any]:
    theme = chart_theme(dark=False)
    # Where not all labels of an axis have room, every second one is left out.
    axis = {**theme["axis"], "labelOverlap": "parity"}
    return {**theme, "axis": axis, "background": _GROUND, "font": _FONT}


def _tile(dashboard: Dashboard, kind: ReportKind) -> Tile:
    if kind is ReportKind.MONTHLY:
        return dashboard.tile(_FORECAST_TILE)
    gmv = tile_of_period(dashboard.tile(_GMV_TILE), kind)
    assert gmv is not None, "the mart of GMV holds days and weeks"  # noqa: S101
    update = {"kind": TileKind.LINE, "title": f"GMV by {kind}", "target": None}
    return gmv.model_copy(update=update)


def _is_shown(tile: Tile, row: Row, period: ReportPeriod) -> bool:
    is_past = str(row[tile.only(Role.TIME).key]) <= period.start.isoformat()
    return is_past or row.get("is_forecast") is True


def _said(tile: Tile, row: Row, numbers: Numbers) -> str:
    time, value = tile.only(Role.TIME), tile.only(Role.VALUE)
    return (
        f"{written(row[time.key], time.format, numbers)}"
        f" {written(row[value.key], value.format, numbers)}"
    )
