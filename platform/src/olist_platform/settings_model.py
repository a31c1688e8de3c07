"""What every section of an environment's settings is made of."""

import os
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from olist_platform.errors import OlistError


class Settings(BaseModel):
    """A section: it cannot change, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretReference(Settings):
    """A secret that an environment names but never holds."""

    environment_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]

    def is_set(self) -> bool:
        """Whether the variable has a value on this machine."""
        return bool(os.environ.get(self.environment_variable))

    def read(self) -> SecretStr:
        """Return the secret.

        Raises:
            OlistError: The variable is unset or empty.
        """
        value = os.environ.get(self.environment_variable)
        if not value:
            raise OlistError(
                f"the secret {self.environment_variable} is not set",
                f"export {self.environment_variable} before running this command",
            )
        return SecretStr(value)
