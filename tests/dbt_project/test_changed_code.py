"""A table that other code made is made anew: the first run after a change gives right figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from compiled_project import copy_dbt, workspace_with_reduced_dbt
from edited_files import replace_text
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

# A run that makes it anew leaves its own identifier in it; an increment adds nothing.
KEPT = """
{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="one") }}
select one, amount, cast('{{ invocation_id }}' as varchar) as made_by
from {{ ref("int_above") }}
{% if is_incremental() %} where false {% endif %}
"""
ABOVE = """
{{ config(materialized="view") }}
select one, cast({{ var("high_value_payment_minimum") }} as decimal(18, 4)) as amount
from {{ ref("a_seed") }}
"""
CONTRACTS = """
models:
  - name: int_kept
    description: What an increment leaves alone.
    columns:
      - {name: one, data_type: integer, description: Key.}
      - {name: amount, data_type: "decimal(18,4)", description: An amount, BRL.}
      - {name: made_by, data_type: varchar, description: Run that made the row.}
  - name: int_above
    description: What lies upstream of it.
    columns:
      - {name: one, data_type: integer, description: Key.}
      - {name: amount, data_type: "decimal(18,4)", description: An amount, BRL.}
"""
SEED = """
seeds:
  - {name: a_seed, config: {column_types: {one: integer}}}
"""

# What is changed, by what is changed in it: file, text, its new text.
CHANGES = {
    "a var": ("dbt_project.yml", "value_payment_minimum: 1000", "value_payment_minimum: 7"),
    "a macro": ("macros/logistic.sql", "{%- macro", "{# other #}{%- macro"),
    "a seed": ("seeds/a_seed.csv", "1\n", "1\n2\n"),
    "a model upstream": ("models/intermediate/int_above.sql", "select one", "select one * 3 one"),
    "a type of the contract": ("models/intermediate/kept.yml", "varchar,", "varchar(40),"),
    "its own text": ("models/intermediate/int_kept.sql", "select one", "select one * 2 one"),
}  # fmt: skip


def table(workspace: Workspace, name: str) -> list[tuple[Any, ...]]:
    """Rows of a table of a warehouse that has no marts."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        return connection.execute(f"select * from intermediate.{name} order by all").fetchall()


def was_made_anew(workspace: Workspace) -> bool:
    """Whether the last run's record says so of the model."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        [(last,)] = connection.execute(
            "select full_refresh from monitoring.dbt_run_costs"
            " where node_id = 'model.olist.int_kept' order by run_started_at desc limit 1"
        ).fetchall()
    return bool(last)


def test_whatever_can_change_a_row_makes_the_table_anew(tmp_path: Path) -> None:
    workspace = workspace_with_reduced_dbt(tmp_path)
    project = workspace.home / "dbt"
    models = project / "models" / "intermediate"
    (models / "int_kept.sql").write_text(KEPT, encoding="utf-8")
    (models / "int_above.sql").write_text(ABOVE, encoding="utf-8")
    (models / "kept.yml").write_text(CONTRACTS, encoding="utf-8")
    (project / "seeds" / "a_seed.csv").write_text("one\n1\n", encoding="utf-8")
    (project / "seeds" / "a_seed.yml").write_text(SEED, encoding="utf-8")
    run = ("dbt", "--", "build", "--quiet", "--select", "a_seed", "int_above", "int_kept")

    workspace.olist(*run)
    made = table(workspace, "int_kept")
    workspace.olist(*run)
    assert table(workspace, "int_kept") == made
    assert not was_made_anew(workspace)
    for what, (file, before, after) in CHANGES.items():
        replace_text(project / file, before, after)
        workspace.olist(*run)
        anew = table(workspace, "int_kept")
        assert {by for *_, by in anew}.isdisjoint(by for *_, by in made), what
        assert was_made_anew(workspace), what
        made = anew
    assert [(one, str(amount)) for one, amount, _ in made] == [(6, "7.0000"), (12, "7.0000")]
    # What is not of its code leaves it alone.
    replace_text(models / "kept.yml", "What an increment leaves alone.", "Described otherwise.")
    (models / "int_beside.sql").write_text("select 1 as one", encoding="utf-8")
    workspace.olist(*run)
    assert table(workspace, "int_kept") == made
    assert not was_made_anew(workspace)


def test_what_a_contract_drops_leaves_the_table(tmp_path: Path) -> None:
    """A column that is gone, and a grain that is coarser for it."""
    workspace = workspace_with_reduced_dbt(tmp_path)
    models = workspace.home / "dbt" / "models" / "intermediate"
    config = (
        '{{ config(materialized="incremental", incremental_strategy="delete+insert", '
        'unique_key="month") }}'
    )
    orders = "(values (1, 'SP'), (1, 'RJ'), (2, 'SP')) as orders(month, state)"
    increment = "{% if is_incremental() %} where month = 2 {% endif %}"
    contract = (
        "models: [{name: int_months, description: Orders by month., columns: ["
        "{name: month, data_type: integer}, {name: orders, data_type: bigint}%s]}]"
    )
    run = ("dbt", "--", "run", "--quiet", "--select", "int_months")
    for column, group, more in (
        (", state", "month, state", ", {name: state, data_type: varchar}"),
        ("", "month", ""),
    ):
        (models / "int_months.sql").write_text(
            f"{config} select month, count(*) as orders{column} from {orders} {increment} "
            f"group by {group}",
            encoding="utf-8",
        )
        (models / "int_months.yml").write_text(contract % more, encoding="utf-8")
        workspace.olist(*run)
    assert table(workspace, "int_months") == [(1, 2), (2, 1)]


def test_a_threshold_changes_the_figures_of_all_months(
    copy_of_generated: Callable[[str], Workspace],
) -> None:
    """On the project itself: the first run after a change of vars is as one that begins anew."""
    built = copy_of_generated("changed_vars")
    copy_dbt(built.home)
    project = built.home / "dbt" / "dbt_project.yml"
    replace_text(project, "{Full: 1, Short: 6, Medium: 12}", "{Full: 1, Short: 4, Medium: 10}")
    replace_text(
        project, "shipped, delivered, canceled, unavailable]", "shipped, delivered, canceled]"
    )
    months = "select * exclude (version_built_at) from int_payment_months order by all"
    refused = "select count(*) from base_orders where quarantine_reason is not null"
    before, refused_before = built.rows(months), built.rows(refused)
    run = ("dbt", "--", "run", "--quiet", "--select", "+int_payment_months")
    built.olist(*run)
    increments = built.rows(months)
    changed = [row for row in increments if row not in before]
    assert len(changed) > len(before) / 2
    assert built.rows(refused) > refused_before
    built.olist(*run, "--full-refresh")
    assert built.rows(months) == increments
