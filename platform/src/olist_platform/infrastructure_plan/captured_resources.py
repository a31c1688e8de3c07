"""What a captured Pulumi program registered, as values that can be compared and written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HIDDEN = "[secret]"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the program marked secret; it is never printed or written.

    Attributes:
        value: The plain value, which is a stand-in when it came from the stack's encrypted config.
    """

    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class CapturedResource:
    """One resource as the program registered it with the engine.

    Attributes:
        urn: Pulumi's unique name: stack, project, type with its parents' types, name.
        type: Type token, such as `aws:s3/bucket:Bucket` or `olist:aws:LandingBucket`.
        name: Logical name.
        is_component: Whether it only groups others; nothing of the cloud stands behind it.
        inputs: What the program gave, by the provider's own (camelCase) names; numbers are floats
            and secrets are `Secret`s.
        parent: URN of the parent, empty for the stack itself.
        dependencies: URNs that must exist first.
        property_dependencies: The URNs that each input was computed from.
        protect: Whether Pulumi refuses to delete it.
        provider: Reference of an explicit provider, `<urn>::<id>`; empty for the default one.
        ignore_changes: Properties whose differences Pulumi overlooks.
        outputs: What a component registered as its outputs.
        declared_at: File and line of the program that made it, such as `infra/olist_infra/x.py:7`.
    """

    urn: str
    type: str
    name: str
    is_component: bool
    inputs: Mapping[str, Any]
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    provider: str = ""
    ignore_changes: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    declared_at: str = ""

    @property
    def plain_inputs(self) -> dict[str, Any]:
        """The inputs with secrets as their values, which only a policy pack is given."""
        return {key: unwrapped(value) for key, value in self.inputs.items()}

    @property
    def shown_inputs(self) -> dict[str, Any]:
        """The inputs with secrets hidden, as they may be printed."""
        return {key: hidden(value) for key, value in self.inputs.items()}


@dataclass(frozen=True, slots=True)
class CapturedProgram:
    """Everything that one run of a program registered.

    Attributes:
        project: The project's name in `Pulumi.yaml`.
        stack: The stack's name, which is the environment's.
        resources: By URN; Pulumi registers them in no fixed order.
        outputs: What the stack exports.
    """

    project: str
    stack: str
    resources: tuple[CapturedResource, ...]
    outputs: Mapping[str, Any]

    def of_type(self, type_token: str) -> tuple[CapturedResource, ...]:
        """Resources of one type, by URN."""
        return tuple(resource for resource in self.resources if resource.type == type_token)

    def named(self, type_token: str, name: str) -> CapturedResource:
        """Return the resource of a type and logical name.

        Raises:
            KeyError: There is none.
        """
        for resource in self.of_type(type_token):
            if resource.name == name:
                return resource
        raise KeyError(f"{type_token} '{name}'")


def hidden(value: Any) -> Any:
    """Return a value with every secret in it replaced by a mark."""
    match value:
        case Secret():
            return HIDDEN
        case dict():
            return {key: hidden(part) for key, part in value.items()}
        case list():
            return [hidden(part) for part in value]
        case _:
            return value


def unwrapped(value: Any) -> Any:
    """Return a value with every secret in it replaced by what it holds."""
    match value:
        case Secret(value=held):
            return unwrapped(held)
        case dict():
            return {key: unwrapped(part) for key, part in value.items()}
        case list():
            return [unwrapped(part) for part in value]
        case _:
            return value
