"""`olist lineage`: where a column comes from and what it flows into."""

from typing import Annotated

import typer

from olist_platform.cli.console import err, out
from olist_platform.errors import OlistError


def lineage(
    name: Annotated[str, typer.Argument(help="model.column, or a model for all of its columns.")],
    downstream: Annotated[
        bool, typer.Option("--downstream", "-d", help="Show what the column flows into instead.")
    ] = False,
) -> None:
    """Show where a column's values come from, back to the raw files; personal data is marked.

    Examples:  olist lineage mart_executive_kpis.gmv
      olist lineage raw.customers.customer_city --downstream
    """
    # sqlglot takes a while to import, which `olist --help` need not wait for.
    from olist_platform.cli.lineage_output import (  # noqa: PLC0415
        lineage_tree,
        raw_columns_table,
    )
    from olist_platform.column_lineage import ColumnName, read_project_lineage  # noqa: PLC0415
    from olist_platform.dbt_command import fresh_compiled_manifest  # noqa: PLC0415

    with err.status("compiling the project and reading its SQL"):
        project = read_project_lineage(fresh_compiled_manifest(), "duckdb")
    if name.lower() in project.columns and not downstream:
        out.print(raw_columns_table(project, name.lower()))
        return
    relation, _, column = name.lower().rpartition(".")
    start = ColumnName(relation, column)
    if start not in project.parents:
        columns = ", ".join(project.columns.get(relation, ()))
        raise OlistError(
            f"no column '{name}' in the dbt project",
            f"{relation} has: {columns}" if columns else "name one as model.column",
        )
    out.print(lineage_tree(project, start, downstream=downstream))
