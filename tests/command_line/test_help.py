"""What `--help` shows as an example is there for every command, and is a command."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from olist_platform.cli.main import app

_ROOT: Any = get_command(app)
_ENDS_OF_A_COMMAND = ("|", ">", ">>")


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


_COMMANDS = dict(_commands(_ROOT))


def _examples(command: Any) -> list[str]:
    """Return the command lines behind the word Example; a quoted one may span lines."""
    text = "\n".join(part for part in (command.help, command.epilog) if part)
    _, _, shown = text.partition("Example")
    lines: list[str] = []
    for line in shown.lstrip("s:").splitlines():
        if re.match(r'\s*(xdg-open "\$\()?olist ', line):
            lines.append(re.sub(r'xdg-open "\$\((.*)\)"', r"\1", line.strip()))
        elif lines and lines[-1].count('"') % 2:
            lines[-1] += f" {line.strip()}"
    return lines


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_command_has_examples_that_it_takes(words: tuple[str, ...]) -> None:
    examples = _examples(_COMMANDS[words])
    assert examples, f"olist {' '.join(words)} --help shows no example"
    shown = set()
    for example in examples:
        arguments = shlex.split(example)[1:]
        ends = [arguments.index(end) for end in _ENDS_OF_A_COMMAND if end in arguments]
        arguments = arguments[: min(ends, default=None)]
        of = max((known for known in _COMMANDS if tuple(arguments[: len(known)]) == known), key=len)
        shown.add(of)
        # Reads options and arguments as a call does, and calls nothing.
        _COMMANDS[of].make_context(" ".join(of), arguments[len(of) :])
    assert words in shown
