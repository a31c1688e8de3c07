"""A stack as rules look at it: resources by type, and who belongs to whom."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pulumi_policy import PolicyResource

from olist_platform.environment import (
    Environment,
    environments_folder,
    load_environment,
    parse_environment_name,
)
from olist_platform.naming import EnvironmentName


class StackView:
    """The resources of one stack."""

    def __init__(self, resources: Iterable[PolicyResource]) -> None:
        self._by_type: dict[str, list[PolicyResource]] = {}
        self._urn = ""
        for resource in resources:
            self._by_type.setdefault(resource.resource_type, []).append(resource)
            self._urn = self._urn or resource.urn

    def of_type(self, *types: str) -> Iterator[PolicyResource]:
        """Resources of the types, by type as given."""
        for wanted in types:
            yield from self._by_type.get(wanted, [])

    def all(self) -> Iterator[PolicyResource]:
        """Every resource."""
        for resources in self._by_type.values():
            yield from resources

    def companions(
        self, owner: PolicyResource, companion_type: str, key: str
    ) -> list[PolicyResource]:
        """Return the resources of a type whose property `key` points at the owner.

        The engine tells what a property was computed from, also while its value is unknown; a
        program that writes the name as text is recognised by the name.
        """
        return [
            resource for resource in self.of_type(companion_type) if points_at(resource, key, owner)
        ]

    @cached_property
    def environment(self) -> Environment:
        """The environment whose stack this is."""
        return environment_of(self._urn)


def environment_of(urn: str) -> Environment:
    """Return the environment in whose stack a resource is, which its URN names."""
    name = parse_environment_name(urn.split(":")[2])
    state = (environments_folder() / f"{name}.yaml").stat()
    return _loaded(name, environments_folder(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _loaded(name: EnvironmentName, folder: Path, _modified: int, _size: int) -> Environment:
    """Read a file once for the hundreds of resources that ask, and again when it has changed."""
    return load_environment(name, folder)


def points_at(resource: PolicyResource, key: str, target: PolicyResource) -> bool:
    """Whether a property was computed from the target, or holds its name as text."""
    if target in resource.property_dependencies.get(key, []):
        return True
    value = resource.props.get(key)
    return isinstance(value, str) and value in {
        target.props.get("bucket"),
        target.props.get("name"),
    }


def plain(value: Any) -> Any:
    """Return a property as dicts and lists.

    Raises:
        UnknownValueError: A part of it is unknown until the provider answers.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in value}
    if isinstance(value, Sequence):
        return [plain(part) for part in value]
    return value
