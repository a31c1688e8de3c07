"""Charts by themselves: drawn without a browser, as for e-mails, in colours that stand out."""

import json
import re
from typing import Any

import pytest
import vl_convert

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.chart_theme import chart_theme
from olist_platform.dashboards.charts import CHARTS, chart_spec
from olist_platform.dashboards.description import Format
from olist_platform.monitoring.check_result import State

TILES = {
    f"{board.name}.{tile.name}": tile
    for board in load_dashboards()
    for tile in board.tiles
    if tile.kind in CHARTS
}
GROUNDS = {False: "#ffffff", True: "#171c23"}


@pytest.mark.parametrize("name", TILES)
def test_a_chart_is_drawn_as_an_image_too(name: str) -> None:
    tile = TILES[name]
    values: dict[Format, Any] = {
        Format.TEXT: "SP",
        Format.DATE: "2018-08-01",
        Format.MONTH: "2018-08-01",
        Format.FLAG: True,
    }
    row = {column.key: values.get(column.format, 1234.5) for column in tile.columns}
    spec = chart_spec(tile, for_page=False)
    spec["data"]["values"] = [{**row, "category": "SP"}]
    spec["width"] = 400
    spec["config"] = chart_theme(dark=False)
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec))
    assert "<path" in drawn
    assert "NaN" not in drawn
    assert "Infinity" not in drawn


def drawn(name: str, rows: list[dict[str, Any]]) -> str:
    spec = chart_spec(TILES[name], for_page=False)
    spec["data"]["values"] = rows
    spec["width"] = 400
    spec["config"] = chart_theme(dark=False)
    return vl_convert.vegalite_to_svg(json.dumps(spec))


def test_parts_of_a_bar_lie_in_the_order_of_the_legend() -> None:
    """That of the words; by their letters it would be High, Low, Medium."""
    rows = [
        {"category": "Lost", "churn_risk": risk, "number_of_rows": number}
        for risk, number in (("Medium", 200), ("Low", 100), ("High", 300))
    ]
    svg = drawn("customer_strategy.churn_risk", rows)
    legend = re.findall(r">(High|Medium|Low)</text>", svg)
    assert legend == ["High", "Medium", "Low"]
    bars = re.findall(r'churn_risk: (\w+);[^>]* d="M([\d.]+),', svg)
    parts = {risk: round(float(left)) for risk, left in bars}
    assert parts == {"High": 0, "Medium": 200, "Low": 333}


def test_a_word_keeps_its_colour_whatever_rows_are_chosen() -> None:
    """What fails is not green because nothing healthy came before it."""
    colours = []
    for states in (("failing", "healthy"), ("healthy", "failing", "not_judged")):
        rows = [
            {"category": "volume", "state": state, "number_of_rows": 1, "check_name": "volume"}
            for state in states
        ]
        svg = drawn("platform_health.checks", rows)
        bars = re.findall(r'state: (\w+);[^>]*?fill="(#\w+)"', svg)
        colours.append({state: colour.upper() for state, colour in bars})
    assert colours[0] == {"failing": "#E69F00", "healthy": "#009E73"}
    assert colours[1] == {"failing": "#E69F00", "healthy": "#009E73", "not_judged": "#0072B2"}
    words = TILES["platform_health.checks"].rows.order[-1].values
    assert set(words) == {state.value for state in State}


def test_a_histogram_leaves_room_for_bins_that_nobody_is_in() -> None:
    """Side by side, 0.35 and 0.65 would look like neighbours."""
    rows = [
        {"category": str(size), "clv_365d": size, "number_of_rows": number}
        for size, number in ((0.35, 4), (0.65, 2))
    ]
    svg = drawn("customer_strategy.clv_distribution", rows)
    bars = {
        float(size): int(number)
        for size, number in re.findall(r"clv_365d: ([\d.]+); number_of_rows: (\d+);", svg)
    }
    assert sorted(bars) == [round(place * 0.05, 2) for place in range(21)]
    assert {size: number for size, number in bars.items() if number} == {0.35: 4, 0.65: 2}
    # On the axis in their order, whatever that of the rows.
    labels = re.findall(r">\$(\d+)m?</text>", svg)
    assert labels == [*(str(50 * place) for place in range(20)), "1"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("executive_performance.on_time_trend", "Target: at least 92 %"),
        ("platform_health.quality_scores", "Target: at least 97 %"),
    ],
)
def test_the_line_of_a_target_is_named_once(name: str, label: str) -> None:
    tile = TILES[name]
    rows = [
        {
            **{column.key: value for column in tile.columns},
            "category": f"{value}",
            "period_start": day,
        }
        for value, day in ((0.9, "2018-06-01"), (0.95, "2018-07-01"), (0.99, "2018-08-01"))
    ]
    assert drawn(name, rows).count(f">{label}<") == 1


@pytest.mark.parametrize(("months", "shows_numbers"), [(4, True), (12, False)])
def test_a_heat_map_says_what_its_colours_stand_for(months: int, *, shows_numbers: bool) -> None:
    """By a legend always, by a number in each cell where it fits."""
    rows = [
        {"cohort_month": "2017-01-01", "months_since_first": month, "retention_rate": 0.02 / month}
        for month in range(1, months + 1)
    ]
    svg = drawn("customer_strategy.retention", rows)
    assert set(re.findall(r'font-size="12px"[^>]*>(Bought again|\d%)<', svg)) == {
        *("Bought again", "0%", "1%", "2%")
    }
    numbers = re.findall(r'"text mark"[^>]*opacity="(\d)">[\d.]+%<', svg)
    assert numbers == ["1" if shows_numbers else "0"] * months


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_are_okabe_and_itos_and_stand_out(dark: bool) -> None:
    theme = chart_theme(dark=dark)
    ground = GROUNDS[dark]
    assert contrast(theme["axis"]["labelColor"], ground) >= 4.5
    assert contrast(theme["style"]["beside"]["color"], ground) >= 4.5
    assert contrast(theme["style"]["target-label"]["color"], ground) >= 4.5
    assert contrast(theme["mark"]["color"], ground) >= 3
    assert contrast(theme["style"]["target"]["color"], ground) >= 3
    light_cell, full_cell = theme["range"]["heatmap"]
    assert contrast(theme["style"]["in-light-cell"]["color"], light_cell) >= 4.5
    assert contrast(theme["style"]["in-full-cell"]["color"], full_cell) >= 4.5
    series = theme["range"]["category"]
    assert len(set(series)) == len(series) >= 6
    # Of Okabe and Ito's eight colours; black and white stand for each other.
    assert set(series) <= {
        *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"),
        *("#000000", "#FFFFFF"),
    }


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
