"""The figures of a period, read from the marts by the tiles of the executive dashboard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from olist_platform.dashboards.description import (
    Dashboard,
    Format,
    Role,
    Tile,
    TileColumn,
    TileKind,
)
from olist_platform.dashboards.page_content import Cell, read_tile
from olist_platform.dashboards.published_marts import PublishedMarts
from olist_platform.dashboards.written_values import decimals_shown
from olist_platform.executive_report.report_period import (
    ReportKind,
    ReportPeriod,
    period_from,
)

Row = Mapping[str, Cell]

_PERIOD_COLUMN = "period_type"
# What went beyond its limits stays in the report so long.
_LIMITS_REMEMBERED = timedelta(days=62)
_LIMITS_TILE, _FORECAST_TILE = "alerts", "next_month"


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure of the period.

    Attributes:
        tile: The tile it is of, which says how it is written and what it should be.
        row: Values of the period, by the keys of the tile's columns.
        before: The same of the period before; None where that has none.
    """

    tile: Tile
    row: Row
    before: Row | None

    @property
    def value(self) -> TileColumn:
        """The column of the figure itself."""
        return self.tile.only(Role.VALUE)

    @property
    def meets_its_target(self) -> bool | None:
        """Whether it is as it should be; None where nothing is said or known."""
        target, judged = self.tile.target, self._judged
        return None if target is None or judged is None else target.is_met_by(judged)

    @property
    def shows_its_side(self) -> bool:
        """Whether the figure, rounded as it is written, is on the same side of the target."""
        target, judged = self.tile.target, self._judged
        if target is None or judged is None:
            return True
        shown = round(judged, decimals_shown(self.tile))
        return target.is_met_by(shown) == target.is_met_by(judged)

    @property
    def _judged(self) -> float | None:
        target = self.tile.target
        judged = self.row.get(target.column or self.value.key) if target else None
        return judged if isinstance(judged, int | float) else None


@dataclass(frozen=True, slots=True)
class BeyondLimits:
    """A week or month that went beyond its limits, as its tile's row says."""

    tile: Tile
    rows: Sequence[Row]


def tile_of_period(tile: Tile, kind: ReportKind) -> Tile | None:
    """Return a tile that reads periods of a kind; None where its mart knows months alone.

    The dashboard shows months; the same columns of the same mart hold days and weeks.
    """
    if _PERIOD_COLUMN not in tile.rows.where:
        return tile if kind is ReportKind.MONTHLY else None
    rows = tile.rows.model_copy(update={"where": {**tile.rows.where, _PERIOD_COLUMN: kind.value}})
    columns = tuple(
        column.model_copy(update={"format": Format.DATE})
        if column.format is Format.MONTH and kind is not ReportKind.MONTHLY
        else column
        for column in tile.columns
    )
    return tile.model_copy(update={"rows": rows, "columns": columns})


def read_figures(dashboard: Dashboard, marts: PublishedMarts, period: ReportPeriod) -> list[Figure]:
    """Return a period's key figures, in the dashboard's order; those without a row are left out.

    Args:
        dashboard: The executive dashboard.
        marts: What is published.
        period: Which period.
    """
    return [
        Figure(tile, by_start[period.start], by_start.get(period.start_of_previous))
        for tile, by_start in _histories(dashboard, marts, period.kind)
        if period.start in by_start
    ]


def read_forecast(dashboard: Dashboard, marts: PublishedMarts) -> Figure | None:
    """Return the forecast of the first month that has none of its own; None without any."""
    tile = dashboard.tile(_FORECAST_TILE)
    rows = rows_of(tile, marts)
    return Figure(tile, rows[0], None) if rows else None


def read_running_month(
    dashboard: Dashboard, marts: PublishedMarts, reference: date
) -> list[Figure]:
    """Return GMV and orders of the month that a day lies in and that has not ended."""
    start = reference.replace(day=1)
    running = {"is_complete": False, "period_start": start.isoformat()}
    figures = []
    for name in ("gmv", "orders"):
        tile = dashboard.tile(name)
        rows = tile.rows.model_copy(update={"where": {**tile.rows.where, **running}})
        [*found] = rows_of(tile.model_copy(update={"rows": rows, "target": None}), marts)
        figures += [Figure(tile, row, None) for row in found]
    return figures


def read_beyond_limits(
    dashboard: Dashboard, marts: PublishedMarts, reference: date
) -> BeyondLimits:
    """Return the weeks and months of the last two months that went beyond their limits."""
    tile = dashboard.tile(_LIMITS_TILE)
    first = (reference - _LIMITS_REMEMBERED).isoformat()
    rows = [
        row
        for row in rows_of(tile, marts)
        if first <= str(row["period_start"]) and _last_day(row) <= reference
    ]
    return BeyondLimits(tile, rows)


def _last_day(row: Row) -> date:
    return period_from(
        ReportKind(str(row[_PERIOD_COLUMN])), date.fromisoformat(str(row["period_start"]))
    ).end


def rows_of(tile: Tile, marts: PublishedMarts) -> list[dict[str, Any]]:
    """Return the rows of a tile by the keys of its columns; none where its mart is not there."""
    content = read_tile(tile, marts)
    return [dict(zip(content.fields, row, strict=True)) for row in content.rows]


def _histories(
    dashboard: Dashboard, marts: PublishedMarts, kind: ReportKind
) -> Iterator[tuple[Tile, dict[date, Row]]]:
    for tile in dashboard.tiles:
        of_period = tile_of_period(tile, kind)
        if tile.kind is TileKind.KPI and not tile.of_role(Role.LOWER) and of_period:
            time = tile.only(Role.TIME).key
            rows = rows_of(of_period, marts)
            yield tile, {date.fromisoformat(str(row[time])): row for row in rows}
