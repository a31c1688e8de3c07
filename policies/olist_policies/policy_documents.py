"""AWS policy documents as rules read them: every list a list, whatever the author wrote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IDENTITY_POLICIES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a document.

    Attributes:
        allows: Whether it allows, as opposed to denies.
        actions: Its actions; with `except_actions`, everything but these.
        except_actions: Whether it was written with NotAction.
        resources: ARNs, possibly with wildcards.
        except_resources: Whether it was written with NotResource.
        principals: Principals by kind (AWS, Service, Federated); `*` alone is kind `*`.
        except_principals: Whether it was written with NotPrincipal.
        conditions: Values by operator and key, both in lower case.
    """

    allows: bool
    actions: tuple[str, ...]
    except_actions: bool
    resources: tuple[str, ...]
    except_resources: bool
    principals: Mapping[str, tuple[str, ...]]
    except_principals: bool
    conditions: Mapping[tuple[str, str], tuple[str, ...]]

    @property
    def is_for_anyone(self) -> bool:
        """Whether every principal of every account is meant."""
        return "*" in self.principals or "*" in self.principals.get("AWS", ())

    def condition(self, key: str, *operators: str) -> tuple[str, ...]:
        """Values that a condition key is compared with by one of the operators."""
        return tuple(
            value
            for operator in operators
            for value in self.conditions.get((operator.lower(), key.lower()), ())
        )


def statements(document: str) -> tuple[Statement, ...]:
    """Return the statements of a document.

    Raises:
        ValueError: It is not a policy document.
    """
    content = json.loads(document)
    return tuple(_statement(part) for part in _listed(content["Statement"]))


def _statement(part: Mapping[str, Any]) -> Statement:
    return Statement(
        allows=part["Effect"] == "Allow",
        actions=_texts(part.get("Action", part.get("NotAction", []))),
        except_actions="NotAction" in part,
        resources=_texts(part.get("Resource", part.get("NotResource", []))),
        except_resources="NotResource" in part,
        principals=_principals(part.get("Principal", part.get("NotPrincipal", {}))),
        except_principals="NotPrincipal" in part,
        conditions={
            (operator.lower(), key.lower()): _texts(value)
            for operator, comparisons in part.get("Condition", {}).items()
            for key, value in comparisons.items()
        },
    )


def _principals(value: str | Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    if isinstance(value, str):
        return {value: ()}
    return {kind: _texts(names) for kind, names in value.items()}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(part) for part in _listed(value))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
