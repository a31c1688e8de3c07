"""Reads TMDL by its rules and not by the platform's writer, and refuses what breaks them.

https://learn.microsoft.com/analysis-services/tmdl/tmdl-overview: objects and properties one a line,
one tab a level; an expression of several lines two levels deeper than its object; `///` before an
object is its description; names that are no plain words stand in single quotes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_OBJECTS = (
    "database",
    "model",
    "expression",
    "relationship",
    "role",
    "tablePermission",
    "table",
    "measure",
    "column",
    "partition",
    "annotation",
    "ref",
)
_NAME = r"(?:'(?:[^']|'')+'|[A-Za-z_0-9-]+)"
_OBJECT = re.compile(
    rf"(?P<kind>{'|'.join(_OBJECTS)})(?: (?P<name>{_NAME}(?: {_NAME})?))?(?P<rest> =(?: .*)?)?$"
)
_PROPERTY = re.compile(r"(?P<name>[a-zA-Z]+)(?:: (?P<value>.+))?$")
_SOURCE = "source ="
_WITH_OPTIONS = ("dataAccessOptions",)


class TmdlError(Exception):
    pass


@dataclass
class Node:
    kind: str
    name: str
    description: str = ""
    expression: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)

    def of_kind(self, kind: str) -> dict[str, "Node"]:
        found = {child.name: child for child in self.children if child.kind == kind}
        assert len(found) == sum(child.kind == kind for child in self.children), "named twice"
        return found


def read_tmdl(content: bytes) -> list[Node]:
    """The objects of a file."""
    text = content.decode("utf-8")
    if text.startswith("\ufeff"):
        raise TmdlError("a byte order mark")
    if "\r" in text or not text.endswith("\n") or text.endswith("\n\n"):
        raise TmdlError("line ends")
    root = Node("file", "")
    _Reader(text.split("\n")).read(root, 0)
    return root.children


def unquoted(name: str) -> str:
    if not name.startswith("'"):
        return name
    return name[1:-1].replace("''", "'")


def split_reference(reference: str) -> tuple[str, str]:
    """Table and column of `'a table'.column`."""
    match = re.fullmatch(rf"({_NAME})\.({_NAME})", reference)
    if not match:
        raise TmdlError(f"no reference to a column: {reference}")
    return unquoted(match[1]), unquoted(match[2])


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def read(self, parent: Node, depth: int) -> None:
        description: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line and len(line) - len(line.lstrip("\t")) < depth:
                break
            self._at += 1
            if not line:
                if description:
                    break
                continue
            content = self._content(line, depth)
            if content.startswith("///"):
                description.append(content[3:].strip())
            elif match := _OBJECT.fullmatch(content):
                parent.children.append(self._object(match, " ".join(description), depth))
                description = []
            else:
                self._property(parent, content, depth)
                if description:
                    break
        if description:
            raise TmdlError(f"line {self._at}: a description of nothing")

    def _content(self, line: str, depth: int) -> str:
        content = line[depth:]
        if content[0] in " \t" or content != content.rstrip():
            raise TmdlError(f"line {self._at}: indented wrongly: {line!r}")
        return content

    def _property(self, parent: Node, content: str, depth: int) -> None:
        match = _PROPERTY.fullmatch(content)
        if content == _SOURCE:
            parent.expression = self._block(depth)
        elif match is None:
            raise TmdlError(f"line {self._at}: neither object nor property: {content!r}")
        elif match["name"] in parent.properties:
            raise TmdlError(f"{parent.name}: {match['name']} twice")
        else:
            parent.properties[match["name"]] = match["value"] or ""
            if match["name"] in _WITH_OPTIONS:
                self.read(Node("options", ""), depth + 1)

    def _object(self, match: re.Match[str], description: str, depth: int) -> Node:
        name = match["name"] or ""
        if match["kind"] == "ref":
            kind, _, name = name.partition(" ")
            return Node(f"ref {kind}", unquoted(name))
        node = Node(match["kind"], unquoted(name), description)
        rest = match["rest"]
        if rest is not None:
            node.expression = rest[3:] if len(rest) > 2 else self._block(depth)
        self.read(node, depth + 1)
        return node

    def _block(self, depth: int) -> str:
        """Lines two levels deeper, without those levels."""
        lines = [*self._deeper("\t" * (depth + 2))]
        if not lines:
            raise TmdlError(f"line {self._at}: an expression of nothing")
        return "\n".join(lines)

    def _deeper(self, tabs: str) -> Iterator[str]:
        while self._at < len(self._lines) and self._lines[self._at].startswith(tabs):
            yield self._lines[self._at][len(tabs) :]
            self._at += 1
