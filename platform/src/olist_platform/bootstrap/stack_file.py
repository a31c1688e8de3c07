"""`environments/Pulumi.<environment>.yaml`: the public keys, and how secrets of the state are kept.

Pulumi writes this file too; what it put there is left alone, and so is the comment on top.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from olist_platform.environment import environments_folder
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import EnvironmentName
from olist_platform.yaml_file import read_yaml_mapping

_KEYS = "olist:serviceUserKeys"
_SECRETS_PROVIDER = "secretsprovider"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Public keys of a user.

    Attributes:
        current: The one in use, or None before the first.
        following: The one that takes its place; both are valid until the rotation ends.
    """

    current: str | None
    following: str | None = None

    def __contains__(self, key: object) -> bool:
        return key is not None and key in {self.current, self.following}

    def promoted(self) -> "PublicKeys":
        """Return the keys after the rotation has ended."""
        return replace(self, current=self.following, following=None)


class StackFile:
    """The stack file of an environment, read again for every question."""

    def __init__(self, environment: EnvironmentName) -> None:
        self.path: Path = environments_folder() / f"Pulumi.{environment}.yaml"

    def keys_of(self, role: str) -> PublicKeys:
        """Return the public keys of a role's user; both None where it has none.

        Raises:
            OlistError: The file cannot be read, or holds something else there.
        """
        keys = self._config(self._read()).get(_KEYS) or {}
        try:
            entry = keys.get(role) or {}
            return PublicKeys(entry.get("current"), entry.get("following"))
        except AttributeError:
            raise OlistError(
                f"{self.path}: '{_KEYS}.{role}' is no mapping",
                "each user has the keys 'current' and, while it rotates, 'following'",
            ) from None

    def set_keys(self, role: str, keys: PublicKeys) -> None:
        """Write the public keys of a role's user."""
        content = self._read()
        config = content.setdefault("config", {})
        entry = {"current": keys.current, "following": keys.following}
        config.setdefault(_KEYS, {})[role] = {key: value for key, value in entry.items() if value}
        self._write(content)

    @property
    def secrets_provider(self) -> str | None:
        """What Pulumi encrypts the state's secrets with."""
        found = self._read().get(_SECRETS_PROVIDER)
        return None if found is None else str(found)

    def set_secrets_provider(self, provider: str) -> None:
        """Write what Pulumi encrypts the state's secrets with.

        Raises:
            OlistError: Secrets are already encrypted with another one.
        """
        content = self._read()
        if content.get("encryptedkey"):
            raise OlistError(
                f"{self.path}: secrets are encrypted with {content.get(_SECRETS_PROVIDER)}",
                f"run in infra/: pulumi stack change-secrets-provider '{provider}'",
            )
        self._write({_SECRETS_PROVIDER: provider} | content | {_SECRETS_PROVIDER: provider})

    def _config(self, content: dict[str, Any]) -> dict[str, Any]:
        config = content.get("config") or {}
        if not isinstance(config, dict):
            raise OlistError(f"{self.path}: 'config' is no mapping", "see environments/README.md")
        return config

    def _read(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        return read_yaml_mapping(self.path, "see environments/README.md", may_be_empty=True)

    def _write(self, content: dict[str, Any]) -> None:
        body = yaml.safe_dump(content, sort_keys=False, width=float("inf"), allow_unicode=True)
        with os_errors_explained(self.path):
            before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            comments = []
            for line in before.splitlines(keepends=True):
                if not line.startswith("#"):
                    break
                comments.append(line)
            partial = self.path.with_suffix(".partial")
            partial.write_text("".join(comments) + body, encoding="utf-8")
            partial.replace(self.path)
