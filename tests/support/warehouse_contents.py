"""Every row of everything that dbt builds, for comparing whole warehouses."""

from typing import Any

from olist_workspace import Workspace

Contents = dict[str, list[tuple[Any, ...]]]

# How and when a version was loaded differs between a backfill and a replay; nothing else may.
LOAD_COLUMNS = frozenset(
    {
        *("_source_file", "_source_row", "extract_date", "extract_row_count"),
        *("extracted_at", "latest_extract_at"),
    }
)
LOADED_AT = "loaded_at"
# When a row was built differs between any two runs.
BUILT_AT = "built_at"
# A key of an incremental model that has lost its last order keeps an empty row, which its readers
# leave out (macro changed_keys); a full refresh has none.
VERSION_ORDERS = "version_orders"


def warehouse_contents(workspace: Workspace, *, load_columns: bool = True) -> Contents:
    """Rows of every relation of the built layers, in one order, by `schema.relation`."""
    columns: dict[str, list[str]] = {}
    for relation, column in workspace.rows(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema in ('staging', 'intermediate', 'marts') order by 1, ordinal_position"
    ):
        if column.endswith(BUILT_AT):
            continue
        is_load_column = column in LOAD_COLUMNS or column.endswith(LOADED_AT)
        if load_columns or not is_load_column:
            columns.setdefault(relation, []).append(column)
    return {
        relation: workspace.rows(
            f"select {', '.join(names)} from {relation} "
            f"{f'where {VERSION_ORDERS} > 0' if VERSION_ORDERS in names else ''} order by all"
        )
        for relation, names in columns.items()
    }


def differences(one: Contents, other: Contents) -> dict[str, set[tuple[Any, ...]]]:
    """Rows that only one of the two has, by relation."""
    assert one.keys() == other.keys()
    return {name: set(rows) ^ set(other[name]) for name, rows in one.items() if rows != other[name]}
