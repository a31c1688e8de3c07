"""The rule of personal data in what consumers read, checked on a project's column lineage.

Exposed are the models of the marts folder, the snapshots and every model of public access. A
column of theirs into which a value of a personal column flows carries, in its YAML,
`config: {meta: {masking: <class>}}`, for a masking policy to go by. Where nothing personal flows a
tag is stale. What customers wrote in their own words is never exposed.

The classes are those of `olist_platform.source_catalog`. Of several the strictest counts.
"""

from collections.abc import Iterator

from olist_platform.column_lineage import ColumnName, ProjectLineage, Relation
from olist_platform.source_catalog import CATALOG, STRICTEST_FIRST, PiiClass

MARTS_FOLDER = "models/marts/"

_PII_CLASSES = {
    (dataset.name, column.name): column.pii for dataset in CATALOG for column in dataset.columns
}


def pii_class(lineage: ProjectLineage, raw_column: ColumnName) -> PiiClass:
    """Return what the source catalog says of a raw column; none of what is no dataset of it."""
    dataset = lineage.relations[raw_column.relation].dataset
    return _PII_CLASSES.get((dataset, raw_column.column), PiiClass.NONE)


def is_exposed(relation: Relation) -> bool:
    """Whether consumers may read a relation."""
    return (
        relation.path.startswith(MARTS_FOLDER)
        or relation.resource_type == "snapshot"
        or relation.access == "public"
    )


def exposure_faults(lineage: ProjectLineage) -> list[str]:
    """Return a text for each exposed column that breaks the rule, with the path of the value."""
    return [
        fault
        for relation in lineage.relations.values()
        if is_exposed(relation)
        for column in lineage.columns[relation.name]
        for fault in _column_faults(lineage, relation, column)
    ] + [
        f"{relation.name}.{column} is tagged for masking, but {relation.name} has no such column"
        for relation in lineage.relations.values()
        for column in relation.masking
        if column not in lineage.columns[relation.name]
    ]


def _column_faults(lineage: ProjectLineage, relation: Relation, column: str) -> Iterator[str]:
    name = ColumnName(relation.name, column)
    tag = relation.masking.get(column, "")
    personal = [
        (pii_class(lineage, path[0]), path)
        for path in lineage.paths_from_sources(name)
        if pii_class(lineage, path[0]) is not PiiClass.NONE
    ]
    if not personal:
        if tag:
            yield f"{name} is tagged for masking ({tag}), but nothing personal flows into it"
        return
    strictest = min((found for found, _ in personal), key=STRICTEST_FIRST.index)
    paths = "".join(f"\n    {' -> '.join(map(str, path))}" for _, path in personal)
    if strictest is PiiClass.FREE_TEXT:
        yield f"{name} shows what a customer wrote; no tag allows that:{paths}"
    elif not tag:
        yield (
            f"{name} shows {strictest} and is not tagged for masking:{paths}\n"
            f"  mend: aggregate it away, or tag it: config: {{meta: {{masking: {strictest}}}}}"
        )
    elif tag != strictest:
        yield f"{name} is tagged {tag}, but what flows into it is {strictest}:{paths}"
