"""Pages of the dashboards in a real browser: what they show, read back from their elements."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from olist_platform.dashboards.description import Dashboard, Format, Tile, TileKind
from olist_platform.dashboards.page_content import cell
from olist_platform.dashboards.screenshots import BROWSER_ARGUMENTS, browser_path
from olist_platform.dashboards.tile_query import tile_query
from olist_workspace import Workspace

PHONE = (360, 640)
DESKTOP = (1440, 900)

# Every row of a tile: the name of each value, what it is, and how it is written.
_SHOWN = """(tile) => {
  const body = tile.querySelector(".tile-body");
  const rows = [...body.querySelectorAll("tbody tr, ol.ranking > li")];
  const values = (row) => [...row.querySelectorAll("[data-key]")].map(
    (one) => [one.dataset.key, one.dataset.raw, one.textContent]);
  return rows.length ? rows.map(values) : body.querySelector("[data-key]") ? [values(body)] : [];
}"""


@dataclass
class Watched:
    """What a browser complained of, and what it asked for."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start this machine's browser, or skip the test where there is none."""
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine: make system-packages (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


def watch(page: Page) -> Watched:
    """Take down every message of the console, every error and every request of a page."""
    watched = Watched()
    page.on("console", lambda message: watched.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: watched.messages.append(f"error: {error}"))
    page.on("request", lambda request: watched.requests.append(request.url))
    return watched


def open_page(page: Page, address: Path | str) -> None:
    """Open a page and wait until everything is drawn."""
    page.goto(address.as_uri() if isinstance(address, Path) else address)
    wait_until_drawn(page)


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector("html[data-drawn=yes]", timeout=15_000)


def show_all_rows(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('button.all[aria-expanded=false]').forEach((one) => one.click())"
    )
    wait_until_drawn(page)


def shown_rows(page: Page, tile: Tile) -> list[dict[str, tuple[Any, str]]]:
    """Return the rows of a tile by the names of their values: what each is, and its text."""
    rows = page.locator(f"#{tile.name}").evaluate(_SHOWN)
    return [{key: (json.loads(raw or "null"), text) for key, raw, text in row} for row in rows]


class Marts:
    """Marts and monitoring models of a workspace, asked without the code of the site."""

    def __init__(self, workspace: Workspace) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        self._connection.execute(f"attach '{workspace.serving}' as published (read_only)")
        self._connection.execute(f"attach '{workspace.warehouse}' (read_only)")
        history = workspace.warehouse.parent / "monitoring" / "history.duckdb"
        self._connection.execute(f"attach '{history}' (read_only)")
        places = f"published.main,{workspace.warehouse.stem}.monitoring,history.main"
        self._connection.execute(f"set search_path = '{places}'")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def of_tile(self, tile: Tile, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return what a tile has to show for chosen values of filters.

        The mart itself is narrowed before anything is taken together, so that the database, and
        not the page, is who adds up.
        """
        narrowing = {
            tile.filters[name]: value for name, value in chosen.items() if name in tile.filters
        }
        where = " and ".join(f"{column} = '{value}'" for column, value in narrowing.items())
        narrowed = f"(select * from {tile.mart}{f' where {where}' if where else ''})"
        if tile.rows.limit and not tile.rows.limit_of and narrowing:
            # Such a tile is narrowed after its limit, as its note says.
            keys = [*(column.key for column in tile.columns), *tile.hidden_columns]
            rows = [
                dict(zip(keys, row, strict=True)) for row in self.rows(tile_query(tile, tile.mart))
            ]
            return [
                {key: cell(value) for key, value in row.items() if key not in tile.hidden_columns}
                for row in rows
                if all(str(row[column]) == value for column, value in narrowing.items())
            ]
        within = tuple(name for name in tile.rows.limit_of if name not in narrowing)
        rows_of = tile.rows.model_copy(update={"limit_of": within})
        alone = tile.model_copy(update={"filters": {}, "target": None, "rows": rows_of})
        keys = [column.key for column in tile.columns]
        return [
            dict(zip(keys, map(cell, row), strict=True))
            for row in self.rows(tile_query(alone, narrowed))
        ]

    def replace(self, name: str, sql: str) -> None:
        """Answer with other rows when a mart is asked, without changing the mart."""
        self._connection.execute(f"create table memory.main.{name} as {sql}")
        path = self._connection.execute("select current_setting('search_path')").fetchall()[0][0]
        self._connection.execute(f"set search_path = 'memory.main,{path}'")

    def close(self) -> None:
        self._connection.close()


def differences(
    page: Page, dashboard: Dashboard, marts: Marts, chosen: Mapping[str, str], language: str = "en"
) -> list[str]:
    """Return where a page shows something else than the marts hold, or writes it wrongly."""
    show_all_rows(page)
    found = []
    for tile in dashboard.tiles:
        shown, expected = shown_rows(page, tile), marts.of_tile(tile, chosen)
        if len(shown) != len(expected):
            found.append(f"{tile.name}: {len(shown)} rows, not {len(expected)}")
            continue
        if tile.kind is TileKind.KPI and expected:
            expected = expected[:1]
        formats = {column.key: column.format for column in tile.columns}
        for place, (row, right) in enumerate(zip(shown, expected, strict=True)):
            if set(row) != set(right):
                found.append(f"{tile.name} {place}: shows {sorted(row)}, not {sorted(right)}")
            for key in set(row) & set(right):
                value, text = row[key]
                if not _equal(value, right[key]):
                    found.append(f"{tile.name} {place} {key}: {value!r}, not {right[key]!r}")
                elif (want := written(value, formats[key], language)) not in (None, text):
                    found.append(f"{tile.name} {place} {key}: written {text!r}, not {want!r}")
    return found


def charts_differ(
    page: Page, dashboard: Dashboard, marts: Marts, chosen: Mapping[str, str]
) -> list[str]:
    """Return the charts that draw something else than the values their marts hold."""
    drawn: dict[str, list[dict[str, Any]]] = page.evaluate(
        "Object.fromEntries(Object.entries(window.olistCharts)"
        ".map(([name, view]) => [name, view.data('rows')]))"
    )
    found = []
    for tile in dashboard.tiles:
        if tile.kind in (TileKind.RANKING, TileKind.TABLE, TileKind.KPI):
            continue
        values = [
            column.key
            for column in tile.columns
            if column.format not in (Format.DATE, Format.MONTH, Format.MOMENT, Format.TEXT)
        ]
        expected = [[row[key] for key in values] for row in marts.of_tile(tile, chosen)]
        rows = [[row.get(key) for key in values] for row in drawn.get(tile.name, [])]
        same = len(rows) == len(expected) and all(
            _equal(one, other)
            for row, right in zip(rows, expected, strict=True)
            for one, other in zip(row, right, strict=True)
        )
        if not same:
            found.append(tile.name)
    return found


def written(value: object, format_: Format, language: str) -> str | None:
    """Return how a number has to be written; None for words and dates, judged elsewhere."""
    if value is None:
        return "\u2013"
    if format_ in (Format.TEXT, Format.DATE, Format.MONTH, Format.MOMENT, Format.FLAG):
        return None
    number = Decimal(repr(value))
    if format_ is Format.SHARE and (Decimal(0) < number < Decimal("0.0005")):
        return "<0,1%" if language == "pt-BR" else "<0.1%"
    if format_ is Format.SHARE and (Decimal("0.9995") <= number < Decimal(1)):
        return ">99,9%" if language == "pt-BR" else ">99.9%"
    decimals, prefix, suffix, sign = _writing(number, format_, language)
    if format_ in (Format.SHARE, Format.GROWTH, Format.POINTS):
        number *= 100
    rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    digits = f"{abs(rounded):,.{decimals}f}"
    if format_ is Format.NUMBER and Decimal(0) < abs(number) < Decimal("0.005"):
        # Its first two digits.
        rounded = Decimal(f"{number:.1e}")
        digits = f"{abs(rounded):f}"
    if format_ is Format.NUMBER and decimals:
        digits = digits.rstrip("0").rstrip(".")
    if language == "pt-BR":
        digits = digits.translate(str.maketrans(",.", ".,"))
    mark = "-" if rounded < 0 else ""
    if sign and rounded > 0:
        mark = "+"
    return f"{mark}{prefix}{digits}{suffix}"


def _writing(number: Decimal, format_: Format, language: str) -> tuple[int, str, str, bool]:
    """Decimals, what stands before and behind, and whether a plus is written."""
    money = "R$" if language == "en" else "R$\u00a0"
    match format_:
        case Format.MONEY:
            return (0 if abs(number) >= 10000 else 2), money, "", False
        case Format.COUNT:
            return 0, "", "", False
        case Format.SHARE:
            return 1, "", "%", False
        case Format.GROWTH:
            return 1, "", "%", True
        case Format.POINTS:
            return 1, "", " pp", True
        case _:
            return 2, "", "", False


def _equal(one: object, other: object) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if numbers and not isinstance(one, bool) and not isinstance(other, bool):
        return bool(one == pytest.approx(other, rel=1e-9, abs=1e-6))
    return one == other


def texts(values: Sequence[Mapping[str, tuple[Any, str]]], key: str) -> list[str]:
    return [row[key][1] for row in values]
