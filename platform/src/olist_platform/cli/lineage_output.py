"""A project's column lineage as a table or a tree; personal data is marked."""

from collections.abc import Mapping

from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from olist_platform.column_lineage import ColumnName, ProjectLineage
from olist_platform.pii_exposure import pii_class
from olist_platform.source_catalog import PiiClass


def raw_columns_table(project: ProjectLineage, relation: str) -> Table:
    """Return a row for each column of a relation with the raw columns that flow into it."""
    table = Table("column", "raw columns whose values flow into it")
    for column in project.columns[relation]:
        paths = project.paths_from_sources(ColumnName(relation, column))
        table.add_row(column, "\n".join(_label(project, path[0]) for path in paths))
    return table


def lineage_tree(project: ProjectLineage, start: ColumnName, *, downstream: bool) -> Tree:
    """Return what a column is made from, or what it flows into, as a tree that starts with it."""
    tree = Tree(_label(project, start))
    _grow(tree, project, project.children if downstream else project.parents, start, {start})
    return tree


def _grow(
    tree: Tree,
    project: ProjectLineage,
    edges: Mapping[ColumnName, frozenset[ColumnName]],
    column: ColumnName,
    shown: set[ColumnName],
) -> None:
    for following in sorted(edges.get(column, ())):
        if following in shown:
            # A diamond: what hangs on it is already printed.
            tree.add(f"{_label(project, following)} [dim](above)[/]")
            continue
        shown.add(following)
        _grow(tree.add(_label(project, following)), project, edges, following, shown)


def _label(project: ProjectLineage, column: ColumnName) -> str:
    label = escape(str(column))
    if project.relations[column.relation].resource_type != "source":
        return label
    personal = pii_class(project, column)
    return f"[cyan]{label}[/]" + ("" if personal is PiiClass.NONE else f" [red]{personal}[/]")
