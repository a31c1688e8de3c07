"""Private keys of Snowflake's users: made here, kept in a file of one reader, then in a secret."""

import os
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from olist_platform.aws_errors import aws_errors_explained, error_code
from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import Names
from olist_platform.repository import state_folder

_PUBLIC_EXPONENT = 65537
_BITS = 2048
_OWNER_ONLY, _OWNER_ONLY_FOLDER = 0o600, 0o700
_WITHOUT_VALUE = "ResourceNotFoundException"


def new_private_key() -> SecretStr:
    """Return a new RSA key as PKCS #8 PEM, the form that Snowflake's drivers and Pulumi take."""
    key = rsa.generate_private_key(public_exponent=_PUBLIC_EXPONENT, key_size=_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return SecretStr(pem.decode("ascii"))


def public_line(private_key: SecretStr, where: str) -> str:
    """Return a private key's public half as Snowflake takes it: base64 in one line, no header.

    Args:
        private_key: PEM.
        where: Where it was found; for the error.

    Raises:
        OlistError: It is no private key.
    """
    try:
        key = serialization.load_pem_private_key(
            private_key.get_secret_value().encode(), password=None
        )
    except (ValueError, TypeError):
        raise OlistError(
            f"{where}: not an unencrypted private key in PEM",
            "remove it and make a new key pair: see platform/docs/operations/key-rotation.md",
        ) from None
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "".join(pem.decode("ascii").splitlines()[1:-1])


class KeyFolder:
    """Private keys on this machine, one file a role, on their way to Secrets Manager."""

    def __init__(self, names: Names) -> None:
        self._folder = state_folder(names.environment) / "keys"

    def path(self, role: str) -> Path:
        """Return where a role's key is, or would be."""
        return self._folder / f"{role}.pem"

    def public_line(self, role: str) -> str | None:
        """Return the public half of a role's key, or None without a file."""
        private_key = self.read(role)
        return public_line(private_key, str(self.path(role))) if private_key else None

    def read(self, role: str) -> SecretStr | None:
        """Return a role's key, or None without a file."""
        path = self.path(role)
        if not path.exists():
            return None
        with os_errors_explained(path):
            return SecretStr(path.read_text(encoding="ascii", errors="replace"))

    def make(self, role: str) -> str:
        """Make a role's key, never over another one; return its public half."""
        path, private_key = self.path(role), new_private_key()
        with os_errors_explained(path):
            path.parent.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            # Written whole under another name: half a key under its own name would be in the way.
            partial = path.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(private_key.get_secret_value())
            try:
                path.hardlink_to(partial)
            except FileExistsError:
                raise OlistError(
                    f"{path}: another key is there", "store it first, or remove it by hand"
                ) from None
            finally:
                partial.unlink()
        return public_line(private_key, str(path))

    def remove(self, role: str) -> None:
        """Remove a role's key from this machine."""
        path = self.path(role)
        with os_errors_explained(path):
            path.unlink()


class KeySecrets:
    """Private keys in AWS Secrets Manager; the secrets are the stack's, the deployer's ours."""

    def __init__(self, side: CloudSide, account: AwsAccount) -> None:
        self._names = side.names
        self._tags = side.tags
        self._client: Any = account.client("secretsmanager")

    def name(self, role: str) -> str:
        """Return the name of a role's secret."""
        return self._names.private_key_secret(role)

    def exists(self, role: str) -> bool:
        """Whether a role has a secret, with or without a value."""
        try:
            with aws_errors_explained(self.name(role), service="Secrets Manager"):
                self._client.describe_secret(SecretId=self.name(role))
        except OlistError as error:
            if _is_missing(error):
                return False
            raise
        return True

    def make(self, role: str, kms_key: str, description: str) -> None:
        """Make a secret without a value."""
        with aws_errors_explained(self.name(role), service="Secrets Manager"):
            self._client.create_secret(
                Name=self.name(role),
                Description=description,
                KmsKeyId=kms_key,
                Tags=[{"Key": key, "Value": value} for key, value in self._tags.items()],
            )

    def public_line(self, role: str) -> str | None:
        """Return the public half of the key in a role's secret; None without secret or value."""
        try:
            with aws_errors_explained(self.name(role), service="Secrets Manager"):
                answer = self._client.get_secret_value(SecretId=self.name(role))
        except OlistError as error:
            if _is_missing(error):
                return None
            raise
        return public_line(SecretStr(answer["SecretString"]), f"secret {self.name(role)}")

    def put(self, role: str, private_key: SecretStr) -> None:
        """Put a key into a role's secret; the former one stays as its previous version."""
        with aws_errors_explained(self.name(role), service="Secrets Manager"):
            self._client.put_secret_value(
                SecretId=self.name(role), SecretString=private_key.get_secret_value()
            )


def _is_missing(error: OlistError) -> bool:
    cause = error.__cause__
    return isinstance(cause, ClientError) and error_code(cause) == _WITHOUT_VALUE
