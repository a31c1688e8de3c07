"""`publish_marts` through dbt-snowflake on the emulated account: each mart cloned, the record last.

The emulator has no grants and no clones: what was sent for them is read, not its effect.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from olist_platform.dbt_command import manifest_path
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName, Names
from olist_platform.publication import published_marts
from olist_workspace import Workspace
from snowflake_emulator import EmulatedEnvironment, snowflake_emulator

pytestmark = pytest.mark.slow

DATABASE = Names(EnvironmentName.DEV).database


@pytest.fixture(scope="module")
def emulated(make_workspace: Callable[[str], Workspace]) -> Iterator[EmulatedEnvironment]:
    """An account whose marts stand, a row each, and where a mart of yesterday was published."""
    workspace = make_workspace("snowflake_publication")
    with snowflake_emulator(Names(EnvironmentName.DEV)) as emulator:
        emulated = EmulatedEnvironment(workspace, emulator)
        emulated.dbt("parse", "--quiet")
        emulator.connection.execute(f"create schema {DATABASE}.MARTS")
        emulator.connection.execute(f"create schema {DATABASE}.SERVING")
        emulator.connection.execute(f"create table {DATABASE}.SERVING.MART_OF_OLD as select 1 as N")
        for mart in marts_of(workspace):
            emulator.connection.execute(
                f"create table {DATABASE}.MARTS.{mart.upper()} as "
                "select 7 as N, date '2018-08-31' as AS_OF_DATE"
            )
        yield emulated


def marts_of(workspace: Workspace) -> tuple[str, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        return published_marts(manifest_path(load_environment(EnvironmentName.DEV)))


def rows(emulated: EmulatedEnvironment, sql: str) -> list[tuple[Any, ...]]:
    return emulated.emulator.connection.execute(sql).fetchall()


def test_each_mart_is_cloned_for_the_schemas_readers_and_recorded(
    emulated: EmulatedEnvironment,
) -> None:
    marts = marts_of(emulated.workspace)
    assert "mart_executive_kpis" in marts
    arguments = json.dumps({"dbt_invocation_id": "abc"})
    for value in (7, 8):
        for mart in marts:
            rows(emulated, f"update {DATABASE}.MARTS.{mart.upper()} set N = {value}")
        sent_before = len(emulated.emulator.statements)
        emulated.dbt("run-operation", "publish_marts", "--args", arguments)
        for mart in marts:
            assert rows(emulated, f"select N from {DATABASE}.SERVING.{mart}") == [(value,)]
    record = (
        f"select relation_name, row_count, as_of_date is null, dbt_invocation_id "
        f"from {DATABASE}.SERVING.PUBLICATION order by 1"
    )
    recorded = rows(emulated, record)
    assert [name for name, *_ in recorded] == list(marts)
    assert {tuple(rest) for _, _, *rest in recorded} <= {(False, "abc"), (True, "abc")}

    # dbt puts a comment behind each.
    sent = [
        " ".join(text.split("/*")[0].split()) for text in emulated.emulator.statements[sent_before:]
    ]
    clones = [text for text in sent if " clone " in text.lower()]
    # Marts have time travel; a clone of a permanent table may be permanent. With `copy grants` it
    # would have the grants of marts and no future grant of serving: nobody could read it.
    assert clones == [
        f"create or replace table {DATABASE}.serving.{mart} clone {DATABASE}.marts.{mart}"
        for mart in marts
    ]
    [publication] = [text for text in sent if ".publication" in text]
    assert publication.startswith(
        f"create or replace table {DATABASE}.serving.publication as select"
    )
    assert sent.index(publication) > sent.index(clones[-1])


def test_a_mart_that_the_project_no_longer_has_is_not_served(
    emulated: EmulatedEnvironment,
) -> None:
    emulated.dbt("run-operation", "publish_marts")
    served = rows(
        emulated,
        "select lower(table_name) from duckdb_tables() "
        f"where database_name = '{DATABASE}' and lower(schema_name) = 'serving'",
    )
    assert {name for (name,) in served} == {*marts_of(emulated.workspace), "publication"}
