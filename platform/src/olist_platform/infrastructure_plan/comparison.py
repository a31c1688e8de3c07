"""What differs between two captures: what `pulumi up` would create, change, replace and delete."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, CapturedResource
from olist_platform.infrastructure_plan.replacement import replaces, top_level_property

_TABLE = "snowflake:index/table:Table"
# Stands for a property that one side does not have; JSON has no such value.
ABSENT = "(absent)"


class ChangeKind(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property that differs.

    Attributes:
        path: Where, as `rules[0].status`; inside a JSON text after a `#`.
        before: Its former value, secrets hidden, or `ABSENT`.
        after: Its new value, or `ABSENT`.
        replaces: Whether this change alone is known to replace the resource.
    """

    path: str
    before: Any
    after: Any
    replaces: bool


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What happens to one resource.

    Attributes:
        kind: Create, change, replace or delete.
        urn: The resource.
        type: Its type token.
        name: Its logical name.
        properties: What differs; empty when it is created or deleted.
        refused: Whether Pulumi would refuse, because the resource is protected and would be
            deleted.
        dropped_columns: Columns that a table loses in place, with what they hold; a renamed one
            too. Protection does not keep them.
    """

    kind: ChangeKind
    urn: str
    type: str
    name: str
    properties: tuple[PropertyChange, ...] = ()
    refused: bool = False
    dropped_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every resource that differs between two captures.

    Attributes:
        reference: What was compared with, as the user named it.
        changes: By kind, then by URN.
        unchanged: How many resources stay as they are.
    """

    reference: str
    changes: tuple[ResourceChange, ...]
    unchanged: int

    def of_kind(self, kind: ChangeKind) -> tuple[ResourceChange, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)


def compare(before: CapturedProgram | None, after: CapturedProgram, reference: str) -> Comparison:
    """Compare two captures of one environment.

    Components are left out: they only group, so nothing happens when one appears.

    Args:
        before: The former capture; None when there was no program yet.
        after: The capture of the program as it is now.
        reference: What the former one is called.
    """
    old = _managed(before)
    new = _managed(after)
    changes: list[ResourceChange] = []
    for urn, resource in new.items():
        if urn not in old:
            changes.append(_change(ChangeKind.CREATE, resource))
            continue
        properties = tuple(_resource_changes(old[urn], resource))
        if properties:
            replaced = any(change.replaces for change in properties)
            changes.append(
                _change(
                    ChangeKind.REPLACE if replaced else ChangeKind.CHANGE,
                    resource,
                    properties,
                    refused=replaced and old[urn].protect,
                    dropped_columns=() if replaced else _dropped_columns(old[urn], resource),
                )
            )
    changes += [
        _change(ChangeKind.DELETE, resource, refused=resource.protect)
        for urn, resource in old.items()
        if urn not in new
    ]
    order = list(ChangeKind)
    changes.sort(key=lambda change: (order.index(change.kind), change.urn))
    kept = len(new) - sum(change.kind is not ChangeKind.DELETE for change in changes)
    return Comparison(reference, tuple(changes), kept)


def _managed(program: CapturedProgram | None) -> dict[str, CapturedResource]:
    if program is None:
        return {}
    return {resource.urn: resource for resource in program.resources if not resource.is_component}


def _change(
    kind: ChangeKind,
    resource: CapturedResource,
    properties: tuple[PropertyChange, ...] = (),
    *,
    refused: bool = False,
    dropped_columns: tuple[str, ...] = (),
) -> ResourceChange:
    return ResourceChange(
        kind, resource.urn, resource.type, resource.name, properties, refused, dropped_columns
    )


def _dropped_columns(before: CapturedResource, after: CapturedResource) -> tuple[str, ...]:
    """Return the columns that the provider drops: it knows a column by its name."""
    if after.type != _TABLE:
        return ()
    kept = {column["name"] for column in after.plain_inputs.get("columns", [])}
    names = [column["name"] for column in before.plain_inputs.get("columns", [])]
    return tuple(name for name in names if name not in kept)


def _resource_changes(
    before: CapturedResource, after: CapturedResource
) -> Iterator[PropertyChange]:
    ignored = set(after.ignore_changes)
    for path, old, new in _differences("", before.shown_inputs, after.shown_inputs):
        if top_level_property(path) not in ignored:
            yield PropertyChange(path, old, new, replaces(after.type, path))
    if before.protect != after.protect:
        yield PropertyChange("(protect)", before.protect, after.protect, replaces=False)


def _differences(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the deepest places that differ."""
    if before == after:
        return
    match before, after:
        case dict(), dict():
            for key in sorted(before.keys() | after.keys()):
                below = f"{path}.{key}" if path and not path.endswith("#") else f"{path}{key}"
                yield from _differences(below, before.get(key, ABSENT), after.get(key, ABSENT))
        case list(), list() if len(before) == len(after):
            for index, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from _differences(f"{path}[{index}]", old, new)
        case str(), str() if (documents := _json_documents(before, after)) is not None:
            yield from _differences(f"{path}#", *documents)
        case _:
            yield path, before, after


def _json_documents(before: str, after: str) -> tuple[Any, Any] | None:
    """Return two texts parsed, when both are JSON objects or lists, such as IAM policies."""
    if before[:1] not in {"{", "["} or after[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(before), json.loads(after)
    except ValueError:
        return None
