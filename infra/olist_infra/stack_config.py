"""What the stack's own file holds: facts that come to be when an environment is stood up."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from olist_platform.errors import OlistError


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class PublicKeys:
    """Public keys of a service user: base64 in one line, without PEM header and footer.

    Attributes:
        current: The one in use.
        following: The one that takes its place; both are valid until the rotation ends.
    """

    current: str
    following: str | None = None


@dataclass(frozen=True, slots=True)
class StackConfig:
    """Config of the stack.

    Attributes:
        storage_external_id: What Snowflake shows to AWS when it assumes the landing's role.
        service_user_keys: Public keys by functional role.
    """

    storage_external_id: str
    service_user_keys: dict[str, PublicKeys]

    def keys_of(self, role: str) -> PublicKeys:
        """Return the public keys of a functional role's service user.

        Raises:
            OlistError: The stack's file has none.
        """
        try:
            return self.service_user_keys[role]
        except KeyError:
            raise OlistError(
                f"environments/Pulumi.{pulumi.get_stack()}.yaml: "
                f"'olist:serviceUserKeys' has no key of the service user '{role}'",
                f"run: olist bootstrap {pulumi.get_stack()} --apply; it makes the first key pair "
                "(runbook: platform/docs/operations/adding-a-role.md)",
            ) from None


def read_stack_config() -> StackConfig:
    """Read the stack's config.

    Raises:
        OlistError: A key is missing or malformed.
    """
    config = pulumi.Config("olist")
    path = f"environments/Pulumi.{pulumi.get_stack()}.yaml"
    external_id = config.get("storageExternalId")
    keys: Any = config.get_object("serviceUserKeys")
    if not external_id:
        raise OlistError(
            f"{path}: 'olist:storageExternalId' is missing",
            "write a random text of this environment's own there, see environments/README.md",
        )
    if keys is None:
        raise OlistError(
            f"{path}: 'olist:serviceUserKeys' is missing",
            f"run: olist bootstrap {pulumi.get_stack()} --apply; it makes the first key pairs",
        )
    try:
        checked = TypeAdapter(dict[str, PublicKeys]).validate_python(keys)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise OlistError(
            f"{path}: 'olist:serviceUserKeys.{where}': {first['msg']}",
            "each service user has the keys 'current' and, while it rotates, 'following'",
        ) from error
    return StackConfig(external_id, checked)
