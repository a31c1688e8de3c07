"""What every section of an environment's settings is made of."""

import os
from pathlib import Path
from typing import Annotated, Any, get_args

from croniter import croniter  # type: ignore[import-untyped]
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from olist_platform.errors import OlistError


class Settings(BaseModel):
    """A section: it cannot change, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, section: Any) -> Any:
        """Refuse a YAML yes or no, which Python would take for 1 or 0."""
        for key, value in section.items() if isinstance(section, dict) else ():
            if isinstance(value, bool) and key in cls.model_fields:
                kind = cls.model_fields[key].annotation
                kinds = {kind, *get_args(kind)}
                if kinds & {int, float} and bool not in kinds:
                    raise ValueError(f"key '{key}' is a number, not yes or no")
        return section


def _schedulable(expression: str) -> str:
    if not croniter.is_valid(expression):
        raise ValueError(f"'{expression}' is no cron expression; write one such as 0 7 * * *")
    return expression


def _named(folder: Path) -> Path:
    if folder == Path():
        raise ValueError("it names no folder of its own")
    return folder


# An empty text would be the checkout itself, among whose files everything would then lie.
Folder = Annotated[Path, AfterValidator(_named)]


# Read by Airflow, where a wrong one would take the DAG away.
CronExpression = Annotated[str, AfterValidator(_schedulable)]


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
