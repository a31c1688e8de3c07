"""The Power BI project as files say it, and what in it leads nowhere."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from olist_platform.dashboards.contracts import Contract
from tmdl_reader import Node, TmdlError, read_tmdl, split_reference

Files = Mapping[str, bytes]

_DAX_TEXT = re.compile(r'"(?:[^"]|"")*"')
_DAX_COLUMN = re.compile(r"(?:'((?:[^']|'')+)'|\b([A-Za-z_]\w*))\[([^\]]+)\]")
_DAX_MEASURE = re.compile(r"(?<![\w'\]])\[([^\]]+)\]")
_QUERY_NAME = re.compile(r'\[Name = "(\w+)", Kind = "Table"\]')
_QUERY_COLUMNS = re.compile(r"Table\.SelectColumns\(Mart, \{([^}]*)\}\)")
_QUERY_REFERENCE = re.compile(r"\b(mart_\w+)\[(\w+)\]")


@dataclass(frozen=True)
class Model:
    tables: dict[str, Node]
    relationships: list[Node]
    roles: dict[str, Node]
    parameters: dict[str, Node]
    model: Node

    def columns(self, table: str) -> dict[str, Node]:
        return self.tables[table].of_kind("column")

    def measures(self) -> dict[str, Node]:
        return {
            name: measure
            for table in self.tables.values()
            for name, measure in table.of_kind("measure").items()
        }


def read_model(files: Files) -> Model:
    found: dict[str, list[Node]] = {}
    for name, content in files.items():
        if name.endswith(".tmdl"):
            try:
                found[name.partition("definition/")[2]] = read_tmdl(content)
            except TmdlError as error:
                raise TmdlError(f"{name}: {error}") from error
    tables = [node for name, nodes in found.items() if name.startswith("tables/") for node in nodes]
    roles = [node for name, nodes in found.items() if name.startswith("roles/") for node in nodes]
    for name, nodes in found.items():
        folder, _, stem = name.removesuffix(".tmdl").rpartition("/")
        if folder and [node.name for node in nodes] != [stem]:
            raise TmdlError(f"{name} holds {[node.name for node in nodes]}")
    model = next(node for node in found["model.tmdl"] if node.kind == "model")
    model.children = [node for node in found["model.tmdl"] if node.kind != "model"]
    return Model(
        {node.name: node for node in tables},
        found["relationships.tmdl"],
        {node.name: node for node in roles},
        {node.name: node for node in found["expressions.tmdl"]},
        model,
    )


def model_faults(model: Model, contracts: Mapping[str, Contract]) -> Iterator[str]:
    """What in the model leads nowhere, tells of a person, or is said twice."""
    yield from _reference_faults(model)
    for table in model.tables.values():
        if table.name in contracts:
            yield from _mart_faults(table, contracts[table.name])
        yield from _name_faults(table)
        yield from _query_faults(model, table)
    yield from _twice([name for one in model.tables.values() for name in one.of_kind("measure")])
    yield from _twice(re.findall(r"lineageTag: (\S+)", "\n".join(_properties(model))))
    for where, expression in _expressions(model):
        yield from (f"{where}: {fault}" for fault in _dax_faults(model, expression))
    for one in model.relationships:
        yield from _end_faults(model, one)


def _name_faults(table: Node) -> Iterator[str]:
    columns = table.of_kind("column")
    names = {name.lower() for name in columns}
    for name in table.of_kind("measure"):
        if name.lower() in names:
            yield f"{table.name}: measure and column are called {name}"
    for column in columns.values():
        if not column.expression and "sourceColumn" not in column.properties:
            yield f"{table.name}.{column.name}: no source"


def _query_faults(model: Model, table: Node) -> Iterator[str]:
    query = table.of_kind("partition")[table.name].expression
    for mart, column in _QUERY_REFERENCE.findall(query):
        sources = {node.properties.get("sourceColumn") for node in model.columns(mart).values()}
        if column not in sources:
            yield f"{table.name}: its query asks {mart} for {column}"


def _twice(names: Sequence[str]) -> Iterator[str]:
    yield from (f"{name} stands twice" for name in {n for n in names if names.count(n) > 1})


def _properties(model: Model) -> Iterator[str]:
    nodes = [*model.tables.values(), *model.parameters.values()]
    while nodes:
        node = nodes.pop()
        nodes += node.children
        yield from (f"{name}: {value}" for name, value in node.properties.items())


def _reference_faults(model: Model) -> Iterator[str]:
    for kind, known in (("table", model.tables), ("role", model.roles)):
        named = [node.name for node in model.model.children if node.kind == f"ref {kind}"]
        if sorted(named) != sorted(known):
            yield f"model.tmdl names the {kind}s {named}, there are {sorted(known)}"


def _mart_faults(table: Node, contract: Contract) -> Iterator[str]:
    query = table.of_kind("partition")[table.name].expression
    if _QUERY_NAME.findall(query) != [table.name.upper()]:
        yield f"{table.name}: its query reads {_QUERY_NAME.findall(query)}"
    asked = re.findall(r'"(\w+)"', _QUERY_COLUMNS.findall(query)[0])
    sources = [
        column.properties["sourceColumn"]
        for column in table.of_kind("column").values()
        if not column.expression
    ]
    if asked != sources:
        yield f"{table.name}: asks for {set(asked) ^ set(sources)} and holds others"
    for source in sources:
        if source.lower() not in contract.columns:
            yield f"{table.name}: dbt has no {source}"
        elif contract.columns[source.lower()].is_personal:
            yield f"{table.name}: {source} tells of a person"


def _expressions(model: Model) -> Iterator[tuple[str, str]]:
    for table in model.tables.values():
        for kind in ("measure", "column"):
            for name, node in table.of_kind(kind).items():
                if node.expression:
                    yield f"{table.name}.{name}", node.expression
    for role in model.roles.values():
        for name, permission in role.of_kind("tablePermission").items():
            if name not in model.tables:
                yield role.name, f"{name}[?]"
            yield f"role {role.name}", permission.expression


def _dax_faults(model: Model, expression: str) -> Iterator[str]:
    bare = _DAX_TEXT.sub('""', expression)
    if bare.count("(") != bare.count(")"):
        yield "parentheses do not match"
    for quoted, plain, column in _DAX_COLUMN.findall(bare):
        table = quoted.replace("''", "'") or plain
        if table not in model.tables or column not in model.columns(table):
            yield f"{table}[{column}] is nowhere"
    for measure in _DAX_MEASURE.findall(bare):
        if measure not in model.measures():
            yield f"[{measure}] is no measure"


def _end_faults(model: Model, one: Node) -> Iterator[str]:
    types = []
    for end in ("fromColumn", "toColumn"):
        table, column = split_reference(one.properties[end])
        if table not in model.tables or column not in model.columns(table):
            yield f"relationship {one.name}: {table}.{column} is nowhere"
            return
        types.append(model.columns(table)[column].properties["dataType"])
        if end == "toColumn" and "isKey" not in model.columns(table)[column].properties:
            yield f"relationship {one.name}: {table}.{column} is no key"
    if types[0] != types[1]:
        yield f"relationship {one.name}: {types[0]} meets {types[1]}"


def reports(files: Files) -> dict[str, dict[str, Any]]:
    """Report -> path within its definition -> content."""
    found: dict[str, dict[str, Any]] = {}
    for name, content in files.items():
        report, _, path = name.partition(".Report/definition/")
        if path:
            found.setdefault(report, {})[path] = json.loads(content)
    return found


def report_faults(name: str, report: Mapping[str, Any], model: Model) -> Iterator[str]:
    """Fields that the model lacks, pages without a folder, visuals off their page."""
    pages = {path.split("/")[1] for path in report if path.count("/") > 1}
    if pages != set(report["pages/pages.json"]["pageOrder"]):
        yield f"{name}: pages.json and the folders differ"
    filters: list[str] = []
    for path, content in report.items():
        if path.endswith("visual.json"):
            yield from (f"{name}/{path}: {fault}" for fault in _place_faults(report, path))
            yield from (f"{name}/{path}: {fault}" for fault in _field_faults(model, content))
            filters += [one["name"] for one in content.get("filterConfig", {}).get("filters", [])]
    yield from _twice(filters)


def _place_faults(report: Mapping[str, Any], path: str) -> Iterator[str]:
    content = report[path]
    if content["name"] != path.split("/")[3]:
        yield f"called {content['name']}"
    page, place = report[f"pages/{path.split('/')[1]}/page.json"], content["position"]
    if place["x"] + place["width"] > page["width"] or place["y"] + place["height"] > page["height"]:
        yield "beyond its page"
    for other, beside in report.items():
        is_beside = other.endswith("visual.json") and other.split("/")[1] == path.split("/")[1]
        if is_beside and other > path and _overlap(place, beside["position"]):
            yield f"lies on {other}"
    if path.replace("visual.json", "mobile.json") not in report:
        yield "no place on a phone"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def _field_faults(model: Model, content: Mapping[str, Any]) -> Iterator[str]:
    for table, kind, field in fields(content):
        known = model.tables.get(table)
        if known is None or field not in known.of_kind(kind):
            yield f"the model has no {kind} {table}.{field}"
    for role in content["visual"].get("query", {}).get("queryState", {}).values():
        yield from _twice([one["queryRef"] for one in role["projections"]])


def fields(
    content: Any, sources: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str, str]]:
    """Table, kind and name of every field that a visual names, in whatever depth."""
    if isinstance(content, list):
        for each in content:
            yield from fields(each, sources)
    elif isinstance(content, dict):
        if "From" in content:
            sources = {one["Name"]: one["Entity"] for one in content["From"]}
        for kind in ("Column", "Measure"):
            if kind in content and isinstance(content[kind], dict):
                reference = content[kind]["Expression"]["SourceRef"]
                table = reference.get("Entity") or (sources or {})[reference["Source"]]
                yield table, kind.lower(), content[kind]["Property"]
        for each in content.values():
            yield from fields(each, sources)
