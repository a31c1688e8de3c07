"""Where the visuals of a page stand: in rows on a screen, one below the other on a phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from olist_platform.dashboards.description import TileKind

_GAP = 16
_PHONE_WIDTH, _PHONE_GAP = 324, 8
_WIDE_KINDS = {TileKind.TABLE, TileKind.FORECAST, TileKind.HEATMAP}
_IN_A_ROW = {"question": 1, "slicer": 4, TileKind.KPI: 3, TileKind.RANKING: 3}
_HEIGHTS = {"question": 56, "slicer": 72, TileKind.KPI: 168, TileKind.RANKING: 168}
_PHONE_HEIGHTS = {"question": 72, "slicer": 72, TileKind.KPI: 176}
_HEIGHT, _PHONE_HEIGHT = 340, 300


@dataclass(frozen=True, slots=True)
class Placed:
    """What has to be placed: its name and its kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a page, in its pixels."""

    PAGE_WIDTH: ClassVar[int] = 1280

    x: int
    y: int
    width: int
    height: int
    kind: str

    def position(self, order: int) -> dict[str, int]:
        """Return it as PBIR writes it; the keyboard goes through visuals in their order."""
        return {
            "x": self.x,
            "y": self.y,
            "z": 1000 * order,
            "height": self.height,
            "width": self.width,
            "tabOrder": order,
        }


def place(items: Sequence[Placed]) -> dict[str, Box]:
    """Place visuals in rows of one kind of size, in their order."""
    boxes: dict[str, Box] = {}
    y = _GAP
    for row in _rows(items):
        room = Box.PAGE_WIDTH - _GAP * (len(row) + 1)
        width = room // len(row)
        height = max(_HEIGHTS.get(item.kind, _HEIGHT) for item in row)
        for position, item in enumerate(row):
            x = _GAP + position * (width + _GAP)
            boxes[item.name] = Box(x, y, width, height, item.kind)
        y += height + _GAP
    return boxes


def page_height(boxes: Mapping[str, Box]) -> int:
    """Return the height of the page that holds all boxes."""
    return max(box.y + box.height for box in boxes.values()) + _GAP


def place_on_phone(boxes: Mapping[str, Box]) -> dict[str, Box]:
    """Place the same visuals below each other, as wide as a phone."""
    placed: dict[str, Box] = {}
    y = 0
    for name, box in boxes.items():
        height = _PHONE_HEIGHTS.get(box.kind, _PHONE_HEIGHT)
        placed[name] = Box(0, y, _PHONE_WIDTH, height, box.kind)
        y += height + _PHONE_GAP
    return placed


def _rows(items: Sequence[Placed]) -> list[list[Placed]]:
    rows: list[list[Placed]] = []
    for item in items:
        row = rows[-1] if rows else []
        fits = row and len(row) < min(_most(each) for each in (*row, item))
        if fits and _size(row[0]) == _size(item):
            row.append(item)
        else:
            rows.append([item])
    return rows


def _most(item: Placed) -> int:
    return 1 if item.kind in _WIDE_KINDS else _IN_A_ROW.get(item.kind, 2)


def _size(item: Placed) -> tuple[int, bool]:
    return _HEIGHTS.get(item.kind, _HEIGHT), item.kind == "slicer"
