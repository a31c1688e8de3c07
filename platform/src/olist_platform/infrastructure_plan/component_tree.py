"""Which resource belongs to which component, and which component builds on which."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import networkx as nx

from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, CapturedResource

# Stands for the stack itself, where a resource has no component.
STACK = ""
_PROVIDER_TYPES = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class ComponentTree:
    """A program's resources by parent.

    Attributes:
        children: Resources by their parent's URN, by type and name; the stack's under `STACK`.
    """

    children: Mapping[str, tuple[CapturedResource, ...]]

    def below(self, urn: str) -> Iterator[CapturedResource]:
        """Return every resource below one, at any depth, components left out."""
        for child in self.children.get(urn, ()):
            if not child.is_component:
                yield child
            yield from self.below(child.urn)

    def units(self) -> tuple[CapturedResource, ...]:
        """Return what the stack consists of at its first level that has more than one part.

        Providers are no part of it: they are how the others are reached.
        """
        units = self._without_providers(STACK)
        while len(units) == 1 and units[0].urn in self.children:
            units = self._without_providers(units[0].urn)
        return units

    def _without_providers(self, parent: str) -> tuple[CapturedResource, ...]:
        return tuple(
            child
            for child in self.children.get(parent, ())
            if not child.type.startswith(_PROVIDER_TYPES)
        )


def component_tree(program: CapturedProgram) -> ComponentTree:
    """Return the resources of a program by parent."""
    urns = {resource.urn for resource in program.resources}
    children: dict[str, list[CapturedResource]] = {}
    for resource in program.resources:
        parent = resource.parent if resource.parent in urns else STACK
        children.setdefault(parent, []).append(resource)
    return ComponentTree(
        {
            parent: tuple(sorted(found, key=lambda resource: (resource.type, resource.name)))
            for parent, found in children.items()
        }
    )


def component_graph(program: CapturedProgram) -> "nx.DiGraph[str]":
    """Return the stack's components and what they build on.

    Nodes are the logical names of the tree's units, with `types`, a Counter of the types
    below; an edge goes from what must exist first, with `resources`, how many dependencies it is.
    """
    tree = component_tree(program)
    owner: dict[str, str] = {}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for child in tree.units():
        below = list(tree.below(child.urn)) if child.is_component else [child]
        types = Counter(short_type(resource.type) for resource in below)
        graph.add_node(child.name, types=types, type=short_type(child.type))
        owner |= {resource.urn: child.name for resource in (child, *below)}
    for resource in program.resources:
        for urn in resource.dependencies:
            before, after = owner.get(urn), owner.get(resource.urn)
            if before and after and before != after:
                count = graph.get_edge_data(before, after, {"resources": 0})["resources"]
                graph.add_edge(before, after, resources=count + 1)
    return graph


def short_type(type_token: str) -> str:
    """Return a type as a program writes it: `aws.s3.Bucket`, `snowflake.Table`."""
    package, module, name = type_token.split(":")
    middle = module.split("/")[0]
    if package == "pulumi" and middle == "providers":
        return f"{name}.Provider"
    return ".".join(part for part in (package, middle, name) if part != "index")
