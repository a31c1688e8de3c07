"""Writes a semantic model as TMDL, Power BI's text format of models.

Its rules: one object a line with its name, properties one tab deeper, `///` before an object is its
description, an expression of several lines two tabs deeper. No library writes it; this writes the
few objects that the model has and refuses what it cannot write faithfully.
"""

import re
import uuid
from collections.abc import Iterator, Sequence

from olist_platform.powerbi.semantic_model import Column, Measure, Role, SemanticModel, Table

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://dashboards.olist.example/powerbi")
_PLAIN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_COMPATIBILITY_LEVEL = 1600
_PARAMETER_META = '[IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'


def identity(*parts: str) -> str:
    """Return the GUID of an object, the same on any machine and any day."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def model_files(model: SemanticModel) -> dict[str, str]:
    """Return the files of a model's `definition` folder, by their paths within it."""
    files = {
        "database.tmdl": _text(["database", f"\tcompatibilityLevel: {_COMPATIBILITY_LEVEL}"]),
        "model.tmdl": _text(_model(model)),
        "expressions.tmdl": _text(_parameters(model)),
        "relationships.tmdl": _text(_relationships(model)),
    }
    files |= {f"tables/{table.name}.tmdl": _text(_table(table)) for table in model.tables}
    files |= {f"roles/{role.name}.tmdl": _text(_role(role)) for role in model.roles}
    return files


def quoted(name: str) -> str:
    """Return a name as TMDL and DAX want it: in single quotes unless it is a plain word."""
    return name if _PLAIN_NAME.match(name) else "'" + name.replace("'", "''") + "'"


def _model(model: SemanticModel) -> Iterator[str]:
    yield "model Model"
    yield f"\tculture: {model.culture}"
    yield "\tdefaultPowerBIDataSourceVersion: powerBI_V3"
    yield f"\tsourceQueryCulture: {model.culture}"
    yield "\tdiscourageImplicitMeasures"
    yield "\tdataAccessOptions"
    yield "\t\tlegacyRedirects"
    yield "\t\treturnErrorValuesAsNull"
    yield ""
    yield "annotation __PBI_TimeIntelligenceEnabled = 0"
    yield ""
    for table in model.tables:
        yield f"ref table {quoted(table.name)}"
    yield ""
    for role in model.roles:
        yield f"ref role {quoted(role.name)}"


def _parameters(model: SemanticModel) -> Iterator[str]:
    for parameter in model.parameters:
        yield from _description(parameter.description, 0)
        value = parameter.value.replace('"', '""')
        yield f'expression {quoted(parameter.name)} = "{value}" meta {_PARAMETER_META}'
        yield f"\tlineageTag: {identity('expression', parameter.name)}"
        yield ""


def _relationships(model: SemanticModel) -> Iterator[str]:
    for one in model.relationships:
        ends = (one.from_table, one.from_column, one.to_table, one.to_column)
        yield f"relationship {identity('relationship', *ends)}"
        yield f"\tfromColumn: {quoted(one.from_table)}.{quoted(one.from_column)}"
        yield f"\ttoColumn: {quoted(one.to_table)}.{quoted(one.to_column)}"
        yield ""


def _role(role: Role) -> Iterator[str]:
    yield from _description(role.description, 0)
    yield f"role {quoted(role.name)}"
    yield "\tmodelPermission: read"
    for table, expression in role.filters.items():
        yield ""
        yield from _assigned(f"tablePermission {quoted(table)}", expression, 1)


def _table(table: Table) -> Iterator[str]:
    yield from _description(table.description, 0)
    yield f"table {quoted(table.name)}"
    if table.is_hidden:
        yield "\tisHidden"
    yield f"\tlineageTag: {identity('table', table.name)}"
    if table.is_dates:
        yield "\tdataCategory: Time"
    for measure in table.measures:
        yield ""
        yield from _measure(table, measure)
    for column in table.columns:
        yield ""
        yield from _column(table, column)
    yield ""
    yield f"\tpartition {quoted(table.name)} = m"
    yield "\t\tmode: import"
    yield "\t\tsource ="
    for line in table.query.splitlines():
        yield f"\t\t\t\t{line}" if line else ""


def _measure(table: Table, measure: Measure) -> Iterator[str]:
    yield from _description(measure.description, 1)
    yield from _assigned(f"measure {quoted(measure.name)}", measure.expression, 1)
    if measure.format_string:
        yield f"\t\tformatString: {measure.format_string}"
    yield f"\t\tdisplayFolder: {measure.display_folder}"
    yield f"\t\tlineageTag: {identity('measure', table.name, measure.name)}"


def _column(table: Table, column: Column) -> Iterator[str]:
    yield from _description(column.description, 1)
    if column.expression:
        yield from _assigned(f"column {quoted(column.name)}", column.expression, 1)
    else:
        yield f"\tcolumn {quoted(column.name)}"
    yield f"\t\tdataType: {column.data_type}"
    if column.is_hidden:
        yield "\t\tisHidden"
    if column.is_key:
        yield "\t\tisKey"
    if column.format_string:
        yield f"\t\tformatString: {column.format_string}"
    yield f"\t\tlineageTag: {identity('column', table.name, column.name)}"
    yield "\t\tsummarizeBy: none"
    if column.source:
        yield f"\t\tsourceColumn: {column.source}"
    yield ""
    yield "\t\tannotation SummarizationSetBy = User"


def _assigned(head: str, expression: str, depth: int) -> Iterator[str]:
    """An object and its expression; one of several lines stands two tabs deeper."""
    tabs = "\t" * depth
    lines = expression.splitlines()
    if len(lines) == 1:
        yield f"{tabs}{head} = {expression}"
        return
    yield f"{tabs}{head} ="
    for line in lines:
        yield f"{tabs}\t\t{line}"


def _description(text: str, depth: int) -> Iterator[str]:
    if text:
        yield "\t" * depth + f"/// {' '.join(text.split())}"


def _text(lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"
