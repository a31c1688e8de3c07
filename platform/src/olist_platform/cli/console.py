"""What every subcommand prints with, and how it ends on an error."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from olist_platform.environment import Environment, load_environment, parse_environment_name
from olist_platform.errors import OlistError

# Pulumi's type tokens hold what Rich would take for the name of an emoji, such as :snowflake:.
out = Console(emoji=False)
err = Console(stderr=True, emoji=False)

EnvironmentOption = Annotated[
    str,
    typer.Option("--env", "-e", envvar="OLIST_ENV", help="Environment: local, dev or prod."),
]
CheckoutOption = Annotated[
    bool,
    typer.Option(
        "--checkout",
        help="Run the DAGs of this checkout, whatever release is deployed; on one machine only.",
    ),
]


def path_named(text: str) -> Path:
    """Return the path that a user's text names; raises OlistError for an empty one.

    Python takes an empty path for the folder one is in, where a variable of the shell is not set.
    """
    if not text:
        raise OlistError("an empty text is no path", "name the folder or file; '.' is this folder")
    return Path(text)


def require_place_of_file(path: Path) -> None:
    """Check, before long work, that a file may come to lie there; raises OlistError."""
    if path.is_dir():
        raise OlistError(f"{path}: it is a folder, not a file", "name the file")
    if not path.absolute().parent.is_dir():
        raise OlistError(f"{path.parent}: there is no such folder", "make it, or check the path")


def environment_named(text: str) -> Environment:
    """Load the environment that a user's text names; raises OlistError."""
    return load_environment(parse_environment_name(text))


def fail(error: OlistError) -> NoReturn:
    """Print an error and its mend to standard error and exit with 1."""
    message = Text.assemble(("error: ", "bold red"), error.message)
    err.print(message, soft_wrap=True)
    if error.mend:
        err.print(Text.assemble(("mend:  ", "bold green"), error.mend), soft_wrap=True)
    sys.exit(1)
