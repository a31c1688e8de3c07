"""A picture of a program's components, in layers: what stands on what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx as nx

from olist_platform.infrastructure_plan.rendering import template

_WIDTH, _LINE, _PADDING = 310, 16, 12
_COLUMN_GAP, _ROW_GAP, _MARGIN, _HEAD = 96, 26, 24, 56
_SWEEPS = 8
_COLOURS = {"aws": "#f6e3c8", "snowflake": "#d3e9f5"}
_OTHER_COLOUR = "#e6e6ea"


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    height: float
    lines: tuple[str, ...]
    title: str
    colour: str
    width: float = _WIDTH

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class _Edge:
    x1: float
    y1: float
    x2: float
    y2: float
    bend: float


def component_picture(graph: "nx.DiGraph[str]", title: str) -> str:
    """Return an SVG of the graph of components: layers from left to right, edges as curves.

    Edges that follow from others are left out.

    Args:
        graph: What `component_tree.component_graph` returns.
        title: The picture's heading.
    """
    if nx.is_directed_acyclic_graph(graph):
        needed = nx.transitive_reduction(graph)
        needed.add_nodes_from(graph.nodes(data=True))
        graph = needed
    layers = _ordered(graph, _layers(graph))
    boxes = _boxes(graph, layers)
    return template("components.svg.jinja").render(
        title=title,
        width=_MARGIN * 2 + len(layers) * (_WIDTH + _COLUMN_GAP) - _COLUMN_GAP,
        height=max((box.y + box.height for box in boxes.values()), default=_HEAD) + _MARGIN,
        boxes=boxes.values(),
        edges=[_edge(boxes[before], boxes[after]) for before, after in sorted(graph.edges)],
    )


def _layers(graph: "nx.DiGraph[str]") -> list[list[str]]:
    """Nodes by the longest way to them; nodes that build on each other share a layer."""
    groups = nx.condensation(graph)
    return [
        sorted(node for group in generation for node in groups.nodes[group]["members"])
        for generation in nx.topological_generations(groups)
    ]


def _ordered(graph: "nx.DiGraph[str]", layers: list[list[str]]) -> list[list[str]]:
    """Order each layer by the mean place of its neighbours, to and fro, so that few edges cross."""
    places = {node: float(index) for layer in layers for index, node in enumerate(layer)}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        neighbours = graph.predecessors if forward else graph.successors
        for layer in layers if forward else reversed(layers):
            layer.sort(
                key=lambda node: (_mean([places[n] for n in neighbours(node)], places[node]), node)
            )
            places |= {node: float(index) for index, node in enumerate(layer)}
    return layers


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _boxes(graph: "nx.DiGraph[str]", layers: list[list[str]]) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    for column, layer in enumerate(layers):
        y = float(_HEAD)
        for node in layer:
            types = graph.nodes[node]["types"]
            lines = tuple(
                f"{count} x {name}" if count > 1 else name for name, count in sorted(types.items())
            )
            height = _PADDING * 2 + _LINE * (len(lines) + 1)
            x = _MARGIN + column * (_WIDTH + _COLUMN_GAP)
            boxes[node] = _Box(x, y, height, lines, node, _colour(types))
            y += height + _ROW_GAP
    return boxes


def _colour(types: Iterable[str]) -> str:
    clouds = {name.split(".", maxsplit=1)[0] for name in types}
    return _COLOURS.get(clouds.pop(), _OTHER_COLOUR) if len(clouds) == 1 else _OTHER_COLOUR


def _edge(before: _Box, after: _Box) -> _Edge:
    x1, y1, y2 = before.x + _WIDTH, before.middle, after.middle
    if before.x < after.x:
        return _Edge(x1, y1, after.x, y2, (x1 + after.x) / 2)
    # Two that build on each other share a layer: out and back on its right side.
    return _Edge(x1, y1, after.x + _WIDTH, y2, x1 + _COLUMN_GAP * 0.6)
