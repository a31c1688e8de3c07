"""Which raw columns the values of a model's column come from, read from dbt's compiled SQL.

sqlglot qualifies each statement (stars expanded, every column traced to its relation) and follows
it through CTEs, subqueries, unions and lateral joins. Before it does, whatever carries no value is
cut out of the SQL, so that what is left of an expression is what flows. The rules:

* A value flows through casts, arithmetic, concatenation, text and date functions, `coalesce`, the
  results of a `case`, the first argument of `nullif`, hashes (a hash of an identifier is still an
  identifier), unions, scalar subqueries, window functions (`lag`, `first_value` ...) and aggregates
  that hand out what they read: `min`, `max`, `any_value`, `listagg`, `mode`, median, percentiles,
  `sum` and `avg` too, because of a group of one they are that one.
* A function that is not named here passes the values of all its arguments: the safe side.
* No value flows through predicates (comparisons, `in`, `like`, `between`, `is null`, `exists`),
  the conditions of `case` and `iff`, `count`, ranks and row numbers, the length of a text, nor
  through what only chooses or orders rows: `where`, `on`, `group by`, `partition by`, `order by`,
  `filter`, the second argument of `max_by` and `min_by`.

A predicate still lets one bit out, and a join on a column lets the other side's column take its
values; neither is followed. What cannot be traced is an error, never an absence.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage as sqlglot_lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

from olist_platform.dbt_command import read_manifest
from olist_platform.errors import OlistError

_CARRIES_NO_VALUE = (
    exp.Predicate,
    exp.Count,
    exp.CountIf,
    exp.ApproxDistinct,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Length,
)
_FIRST_ARGUMENT_CARRIES = (
    exp.Window,
    exp.Filter,
    exp.Nullif,
    exp.ArgMax,
    exp.ArgMin,
    exp.HavingMax,
)
_HANDS_OUT_WITHIN_ORDER = (exp.GroupConcat, exp.ArrayAgg)
# sqlglot does not follow values through these; none is written alike on both engines anyway.
_UNTRACEABLE = (exp.Pivot, exp.TableColumn, exp.Columns, exp.Parameter)
_READS_SQL = ("model", "snapshot")
_HOLDS_COLUMNS = ("seed", "source")


@dataclass(frozen=True, slots=True, order=True)
class ColumnName:
    """A column of a model, seed, snapshot or raw table (`raw.customers`)."""

    relation: str
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{self.column}"


@dataclass(frozen=True, slots=True)
class Relation:
    """What the manifest tells of a relation.

    Attributes:
        name: Name of the model, seed or snapshot; schema and table of a source.
        resource_type: model, seed, snapshot or source, as dbt calls them.
        dataset: Table's name of a source, else empty.
        path: File, from the dbt project's folder.
        access: dbt's access of a model, else empty.
        masking: The `masking` tag of each column that has one.
    """

    name: str
    resource_type: str
    dataset: str
    path: str
    access: str
    masking: Mapping[str, str]


@dataclass(frozen=True)
class ProjectLineage:
    """The columns of a whole dbt project and what each is made from.

    Attributes:
        relations: Every relation by name.
        parents: Of each column the columns whose values flow into it, one relation back.
    """

    relations: Mapping[str, Relation] = field(default_factory=dict)
    parents: Mapping[ColumnName, frozenset[ColumnName]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of each relation, in its order."""
        found: dict[str, list[str]] = {}
        for name in self.parents:
            found.setdefault(name.relation, []).append(name.column)
        return {relation: tuple(columns) for relation, columns in found.items()}

    @cached_property
    def children(self) -> Mapping[ColumnName, frozenset[ColumnName]]:
        """Of each column the columns that its values flow into, one relation on."""
        found: dict[ColumnName, set[ColumnName]] = {}
        for child, origins in self.parents.items():
            for parent in origins:
                found.setdefault(parent, set()).add(child)
        return {parent: frozenset(children) for parent, children in found.items()}

    def paths_from_sources(self, column: ColumnName) -> list[tuple[ColumnName, ...]]:
        """Return a shortest path from each raw column that flows in, the raw column first."""
        paths: dict[ColumnName, tuple[ColumnName, ...]] = {column: (column,)}
        queue = deque([column])
        while queue:
            current = queue.popleft()
            for parent in sorted(self.parents[current]):
                if parent not in paths:
                    paths[parent] = (parent, *paths[current])
                    queue.append(parent)
        return [
            path
            for origin, path in sorted(paths.items())
            if self.relations[origin.relation].resource_type == "source"
        ]


def read_project_lineage(manifest_path: Path, dialect: str) -> ProjectLineage:
    """Trace every column of a compiled project.

    Args:
        manifest_path: A manifest written by `dbt compile`, which holds the compiled SQL.
        dialect: sqlglot's name of the engine it was compiled for: duckdb or snowflake.

    Raises:
        OlistError: The manifest cannot be read or holds no compiled SQL, or a column cannot be
            traced.
    """
    return project_lineage(read_manifest(manifest_path), dialect)


def project_lineage(manifest: Mapping[str, Any], dialect: str) -> ProjectLineage:
    """Trace every column of a compiled project; `read_project_lineage` says how it fails."""
    nodes: dict[str, dict[str, Any]] = {
        unique_id: node
        for unique_id, node in (manifest["sources"] | manifest["nodes"]).items()
        if node["resource_type"] in _READS_SQL + _HOLDS_COLUMNS
    }
    order = TopologicalSorter(
        {name: set(node.get("depends_on", {}).get("nodes", [])) for name, node in nodes.items()}
    ).static_order()
    schema = MappingSchema(dialect=dialect)
    names: dict[str, str] = {}
    relations: dict[str, Relation] = {}
    parents: dict[ColumnName, frozenset[ColumnName]] = {}
    for node in (nodes[unique_id] for unique_id in order if unique_id in nodes):
        relation = _relation(node)
        relations[relation.name] = relation
        table = exp.to_table(node["relation_name"], dialect=dialect) if _stored(node) else None
        if table:
            names[_key(table)] = relation.name
        if node["resource_type"] in _HOLDS_COLUMNS:
            flows: dict[str, frozenset[ColumnName]] = {
                column.lower(): frozenset() for column in node["columns"]
            }
        else:
            if table and node["columns"]:
                # An incremental model may read itself.
                schema.add_table(table, dict.fromkeys(node["columns"], "text"))
            flows = _model_flows(node, schema, names, dialect)
        parents |= {ColumnName(relation.name, name): origins for name, origins in flows.items()}
        if table:
            schema.add_table(table, dict.fromkeys(flows, "text"))
    return ProjectLineage(relations, parents)


def value_columns(
    sql: str, schema: MappingSchema, dialect: str
) -> dict[str, frozenset[tuple[exp.Table, str]]]:
    """Return, of each column of a statement, the table columns whose values flow into it.

    Args:
        sql: One select statement.
        schema: The columns of every table it reads.
        dialect: sqlglot's name of the engine.

    Raises:
        OlistError: The statement does not parse or a column cannot be traced.
    """
    try:
        parsed = parse_one(sql, dialect=dialect)
        _unroll_recursion(parsed)
        _name_columns_of_series(parsed)
        _refuse(parsed.find(*_UNTRACEABLE) or _union_by_name(parsed), dialect)
        tree = qualify(parsed, dialect=dialect, schema=schema)
        _cut_what_carries_no_value(tree)
        # What qualify could not expand, or a function of a whole row.
        _refuse(tree.find(exp.Star), dialect)
        traced = sqlglot_lineage(
            None, tree, dialect=dialect, scope=build_scope(tree), trim_selects=False, copy=False
        )
    except SqlglotError as error:
        raise OlistError(
            f"its columns cannot be traced: {error}",
            "it names no such column, or a star finds two of one name, which Snowflake refuses",
        ) from error
    return {
        name.lower(): frozenset(
            _leaf(leaf.expression, leaf.name)
            for leaf in node.walk()
            if isinstance(leaf.expression, exp.Table | exp.Placeholder)
            and not _is_constant_table(leaf.expression)
        )
        for name, node in traced.items()
    }


def _model_flows(
    node: Mapping[str, Any], schema: MappingSchema, names: Mapping[str, str], dialect: str
) -> dict[str, frozenset[ColumnName]]:
    sql = node.get("compiled_code")
    if not sql:
        raise OlistError(
            f"the manifest holds no compiled SQL of {node['name']}", "write it with: dbt compile"
        )
    try:
        flows = {
            column: frozenset(ColumnName(names[_key(table)], name) for table, name in origins)
            for column, origins in value_columns(sql, schema, dialect).items()
        }
    except KeyError as error:
        raise OlistError(f"{node['name']} reads {error}, which is no relation of dbt") from None
    except OlistError as error:
        raise OlistError(f"{node['name']}: {error.message}", error.mend) from error
    return flows | _snapshot_flows(node, flows, dialect)


def _snapshot_flows(
    node: Mapping[str, Any], flows: Mapping[str, frozenset[ColumnName]], dialect: str
) -> dict[str, frozenset[ColumnName]]:
    """Return the columns that dbt adds to a snapshot; its id is a hash of the key."""
    if node["resource_type"] != "snapshot":
        return {}
    config = node["config"]
    named = config.get("snapshot_meta_column_names") or {}
    key = config["unique_key"]
    key_columns = {
        column.name.lower()
        for text in ([key] if isinstance(key, str) else key)
        for column in parse_one(text, dialect=dialect).find_all(exp.Column)
    }
    added = ["dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]
    if config.get("hard_deletes") == "new_record":
        added.append("dbt_is_deleted")
    own: dict[str, frozenset[ColumnName]] = {named.get(name) or name: frozenset() for name in added}
    own[named.get("dbt_scd_id") or "dbt_scd_id"] = frozenset[ColumnName]().union(
        *(flows[column] for column in key_columns)
    )
    return own


def _refuse(untraceable: exp.Expr | None, dialect: str) -> None:
    if untraceable:
        raise OlistError(f"values cannot be followed through {untraceable.sql(dialect)}")


def _unroll_recursion(tree: exp.Expr) -> None:
    """Write each recursive CTE as plain ones, a step for each of its columns.

    sqlglot does not follow a CTE into itself. A value needs at most as many steps as there are
    columns to reach every column that it can reach.
    """
    for with_ in tree.find_all(exp.With):
        if not with_.recursive:
            continue
        with_.set("recursive", False)
        ctes = []
        for cte in with_.expressions:
            union = cte.this
            if not isinstance(union, exp.SetOperation) or not _reads(union.expression, cte.alias):
                ctes.append(cte)
                continue
            anchor = union.this
            former = cte.copy()
            former.set("this", anchor.copy())
            for number in range(len(anchor.selects)):
                former.args["alias"].set("this", exp.to_identifier(f"{cte.alias}__{number}"))
                ctes.append(former)
                following = cte.copy()
                for table in _reads(following.this.expression, cte.alias):
                    table.replace(exp.alias_(exp.to_table(former.alias), table.alias_or_name))
                former = following
            ctes.append(former)
        with_.set("expressions", ctes)


def _name_columns_of_series(tree: exp.Expr) -> None:
    """Write out the name that DuckDB gives the one column of range() and generate_series()."""
    for series in tree.find_all(exp.GenerateSeries):
        table = series.parent
        if isinstance(table, exp.Table) and not table.alias_column_names:
            name = "range" if series.args.get("is_end_exclusive") else "generate_series"
            exp.alias_(table, table.alias or name, table=[name], copy=False)


def _reads(query: exp.Expr, cte: str) -> list[exp.Table]:
    return [
        table
        for table in query.find_all(exp.Table)
        if table.name.lower() == cte.lower() and not table.db
    ]


def _cut_what_carries_no_value(tree: exp.Expr) -> None:
    # Children first: a part that is cut away has been cut into before.
    for node in reversed(list(tree.walk(bfs=True))):
        carriers = _value_carriers(node)
        if carriers is not None and node.parent:
            node.replace(exp.Tuple(expressions=carriers) if carriers else exp.Null())


def _value_carriers(node: exp.Expr) -> list[exp.Expr] | None:
    """Return the parts of an expression whose values flow on; None where all do."""
    match node:
        case _ if isinstance(node, _CARRIES_NO_VALUE):
            found: list[Any] = []
        case _ if isinstance(node, _FIRST_ARGUMENT_CARRIES):
            found = [node.this]
        case exp.Order() if node.this:
            # Inside an aggregate: listagg(a order by b). A query's order has no `this`.
            found = [node.this]
        case exp.WithinGroup() if isinstance(node.this, _HANDS_OUT_WITHIN_ORDER):
            found = [node.this]
        case exp.Case():
            found = [*node.args["ifs"], node.args.get("default")]
        case exp.If() | exp.Nvl2():
            found = [node.args.get("true"), node.args.get("false")]
        case exp.DecodeCase():
            # After the subject, pairs of search and result, then perhaps the default.
            rest = node.expressions[1:]
            found = [*rest[1::2], *(rest[-1:] if len(rest) % 2 else [])]
        case _:
            return None
    return [part for part in found if part is not None]


def _leaf(source: exp.Expr, column: str) -> tuple[exp.Table, str]:
    if not isinstance(source, exp.Table) or not source.name:
        raise OlistError(
            f"the source of {column} is not found",
            "a scalar subquery that hands out a column of its outer query is better a join",
        )
    return source, exp.to_column(column).name.lower()


def _is_constant_table(source: exp.Expr) -> bool:
    """Whether a table is made by a function that reads no column: range(10), generator(...)."""
    return (
        isinstance(source, exp.Table)
        and isinstance(source.this, exp.Func)
        and not source.find(exp.Column)
    )


def _union_by_name(tree: exp.Expr) -> exp.Expr | None:
    return next(
        (node for node in tree.find_all(exp.SetOperation) if node.args.get("by_name")), None
    )


def _stored(node: Mapping[str, Any]) -> bool:
    # An ephemeral model is a CTE of those that read it.
    return bool(node.get("relation_name"))


def _key(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()


def _relation(node: Mapping[str, Any]) -> Relation:
    is_source = node["resource_type"] == "source"
    return Relation(
        name=f"{node['schema'].lower()}.{node['name']}" if is_source else node["name"],
        resource_type=node["resource_type"],
        dataset=node["name"] if is_source else "",
        path=node["original_file_path"],
        access=node.get("access") or "",
        masking=dict(_masking_tags(node)),
    )


def _masking_tags(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, column in node["columns"].items():
        tag = column.get("config", {}).get("meta", {}).get("masking")
        if tag:
            yield name.lower(), str(tag)
