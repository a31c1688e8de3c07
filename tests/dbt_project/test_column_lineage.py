"""The rules of value flow, each on the smallest SQL, and the lineage of the whole project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp, parse_one
from sqlglot.schema import MappingSchema

from compiled_project import compiled_manifest, workspace_with_own_dbt
from olist_platform.column_lineage import (
    ColumnName,
    ProjectLineage,
    read_project_lineage,
    value_columns,
)
from olist_platform.dbt_command import run_dbt
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_workspace import Workspace
from yaml_files import read_yaml, write_yaml

DIALECTS = ["duckdb", "snowflake"]
TABLES: dict[str, object] = {
    "raw": {
        "people": dict.fromkeys(["id", "city", "score"], "text"),
        "orders": dict.fromkeys(["order_id", "id", "price"], "text"),
    }
}


def flows(sql: str, dialect: str) -> dict[str, set[str]]:
    schema = MappingSchema(TABLES, dialect=dialect)
    return {
        column: {f"{table.name}.{name}".lower() for table, name in origins}
        for column, origins in value_columns(sql, schema, dialect).items()
    }


def flow_of(expression: str, dialect: str) -> set[str]:
    """What flows into one expression over people as p, joined to orders as o."""
    sql = f"select {expression} as x from raw.people as p inner join raw.orders as o on p.id = o.id"
    return flows(sql, dialect)["x"]


CITY = {"people.city"}
NOTHING: set[str] = set()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # What hands values on.
        ("p.city", CITY),
        ("cast(p.city as varchar)", CITY),
        ("try_cast(p.city as integer) + 1", CITY),
        ("upper(trim(p.city))", CITY),
        ("p.city || '-' || p.id", {"people.city", "people.id"}),
        ("concat_ws('-', p.city, o.order_id)", {"people.city", "orders.order_id"}),
        ("coalesce(p.city, o.order_id)", {"people.city", "orders.order_id"}),
        ("greatest(p.city, 'a')", CITY),
        ("md5(p.city)", CITY),
        ("a_function_nobody_knows(p.score, p.city)", {"people.score", "people.city"}),
        ("date_trunc('month', cast(p.city as timestamp))", CITY),
        ("min(p.city)", CITY),
        ("max(p.city)", CITY),
        ("any_value(p.city)", CITY),
        ("mode(p.city)", CITY),
        ("median(p.score)", {"people.score"}),
        ("sum(p.score)", {"people.score"}),
        ("avg(p.score)", {"people.score"}),
        ("percentile_cont(0.9) within group (order by p.score)", {"people.score"}),
        ("listagg(p.city, ',') within group (order by p.id)", CITY),
        ("max_by(p.city, p.id)", CITY),
        ("min_by(p.city, p.id)", CITY),
        ("lag(p.city) over (partition by p.id order by p.score)", CITY),
        ("first_value(p.city) over (order by p.id)", CITY),
        ("max(p.city) over (partition by p.id)", CITY),
        ("(select max(q.city) from raw.people as q)", CITY),
        ("(select max(q.city) from raw.people as q where q.id = o.id)", CITY),
        # Branches hand on, conditions do not.
        ("case when p.city = 'x' then p.id else o.order_id end", {"people.id", "orders.order_id"}),
        ("case p.city when 'x' then p.id end", {"people.id"}),
        ("case when p.id = 'x' then p.city end", CITY),
        ("nullif(p.id, p.city)", {"people.id"}),
        ("sum(case when p.city = 'x' then o.price end)", {"orders.price"}),
        # What hands nothing on.
        ("p.city = 'x'", NOTHING),
        ("not (p.city <> 'x') and p.id > 'y'", NOTHING),
        ("p.city is null", NOTHING),
        ("p.city in ('x', 'y')", NOTHING),
        ("p.id in (select q.city from raw.people as q)", NOTHING),
        ("p.city like 'x%'", NOTHING),
        ("p.city between 'a' and 'b'", NOTHING),
        ("exists (select q.city from raw.people as q where q.id = o.id)", NOTHING),
        ("cast(p.city = 'x' as integer)", NOTHING),
        ("max(case when p.city = 'x' then 1 else 0 end)", NOTHING),
        ("count(p.city)", NOTHING),
        ("count(distinct p.city)", NOTHING),
        ("count(*)", NOTHING),
        ("count(p.city) over (partition by p.id)", NOTHING),
        ("row_number() over (partition by p.city order by p.id)", NOTHING),
        ("rank() over (order by p.city)", NOTHING),
        ("dense_rank() over (order by p.city)", NOTHING),
        ("percent_rank() over (order by p.city)", NOTHING),
        ("ntile(5) over (order by p.city)", NOTHING),
        ("length(p.city)", NOTHING),
        ("sum(o.price) over (partition by p.city order by p.id)", {"orders.price"}),
        ("'a constant'", NOTHING),
    ],
)
def test_what_flows_through_an_expression(
    dialect: str, expression: str, expected: set[str]
) -> None:
    assert flow_of(expression, dialect) == expected


@pytest.mark.parametrize(
    ("dialect", "expression", "expected"),
    [
        ("duckdb", "string_agg(p.city, ',' order by p.id)", CITY),
        ("duckdb", "first(p.city order by p.id)", CITY),
        ("duckdb", "arg_max(p.city, p.id)", CITY),
        ("duckdb", "sum(o.price) filter (where p.city = 'x')", {"orders.price"}),
        ("duckdb", "count_if(p.city = 'x')", NOTHING),
        ("duckdb", "regexp_matches(p.city, 'x')", NOTHING),
        ("duckdb", "unnest(string_split(p.city, ' '))", CITY),
        ("duckdb", "(select max(generate_series) from generate_series(1, 9))", NOTHING),
        ("duckdb", "(select max(s.range) from range(9) as s)", NOTHING),
        ("duckdb", "(select max(s.n) from range(9) as s(n))", NOTHING),
        ("snowflake", "iff(p.city = 'x', p.id, 'none')", {"people.id"}),
        ("snowflake", "nvl2(p.city, p.id, 'none')", {"people.id"}),
        ("snowflake", "decode(p.city, 'x', p.id, o.order_id)", {"people.id", "orders.order_id"}),
        ("snowflake", "decode(p.city, 'x', p.id)", {"people.id"}),
        ("snowflake", "sha2(p.city)", CITY),
        ("snowflake", "object_construct('a', p.city)", CITY),
    ],
)
def test_what_flows_in_the_words_of_one_engine(
    dialect: str, expression: str, expected: set[str]
) -> None:
    assert flow_of(expression, dialect) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "select * from raw.people",
            {"id": {"people.id"}, "city": CITY, "score": {"people.score"}},
        ),
        (
            (
                "with source as (select * from raw.people), "
                "renamed as (select city as place from source) select * from renamed"
            ),
            {"place": CITY},
        ),
        ("with c(a, b) as (select id, city from raw.people) select b from c", {"b": CITY}),
        (
            "select id as x from raw.people union all select city from raw.people",
            {"x": {"people.id", "people.city"}},
        ),
        (
            "select id from raw.people inner join raw.orders using (id)",
            {"id": {"people.id", "orders.id"}},
        ),
        ("select p.city as a, a || 'x' as b from raw.people as p", {"a": CITY, "b": CITY}),
        (
            (
                "select p.id as x from raw.people as p inner join raw.orders as o on p.city = o.id"
                " where p.city = 'x' group by p.id, p.city having max(p.city) > 'x' "
                "qualify row_number() over (partition by p.city order by p.id) = 1 order by p.city"
            ),
            {"x": {"people.id"}},
        ),
        (
            (
                "with recursive n as (select min(score) as a, 'x' as b from raw.people "
                "union all select a + 1, b from n where a < 5) select a, b from n"
            ),
            {"a": {"people.score"}, "b": set()},
        ),
        (
            (
                "with recursive n as (select city as a, 'x' as b, 'x' as c from raw.people "
                "union all select 'x', m.a, m.b from n as m) select c from n"
            ),
            {"c": CITY},
        ),
    ],
    ids=["star", "ctes", "alias-list", "union", "using", "alias", "choice", "recursion", "shift"],
)
def test_what_flows_through_a_statement(
    dialect: str, sql: str, expected: dict[str, set[str]]
) -> None:
    assert flows(sql, dialect) == expected


@pytest.mark.parametrize(
    ("dialect", "sql", "fault"),
    [
        ("duckdb", "select nobody from raw.people", "'nobody' could not be resolved"),
        ("duckdb", "select a from raw.nowhere", "'a' could not be resolved"),
        ("duckdb", "select columns('c.*') from raw.people", "followed through COLUMNS"),
        (
            "duckdb",
            "select * from raw.people pivot (max(id) for city in ('x', 'y'))",
            "followed through PIVOT",
        ),
        (
            "duckdb",
            "select id, city from raw.people union all by name select city, id from raw.people",
            "followed through .* UNION ALL BY NAME",
        ),
        (
            "duckdb",
            "select (select max(q.id || p.city) from raw.people as q) as x from raw.people as p",
            'the source of "p"."city" is not found',
        ),
        ("duckdb", "select p from raw.people as p", "'p' could not be resolved"),
        ("snowflake", "select $1 as a from raw.people", r"followed through \$1"),
        ("snowflake", "select hash(*) as a from raw.people", r"followed through \*"),
        ("snowflake", "select from where", "cannot be traced"),
    ],
)
def test_what_cannot_be_traced_is_an_error_never_an_absence(
    dialect: str, sql: str, fault: str
) -> None:
    with pytest.raises(OlistError, match=fault):
        flows(sql, dialect)


@pytest.fixture(scope="module")
def workspace(copy_of_compiled: Callable[[str], Workspace]) -> Workspace:
    return copy_of_compiled("lineage")


@pytest.fixture(scope="module")
def manifest(workspace: Workspace) -> Path:
    return compiled_manifest(workspace)


@pytest.fixture(scope="module")
def project(manifest: Path) -> ProjectLineage:
    return read_project_lineage(manifest, "duckdb")


@pytest.mark.slow
def test_a_measure_is_followed_to_its_file(project: ProjectLineage) -> None:
    (path,) = project.paths_from_sources(ColumnName("int_sales_analysis", "gmv"))
    assert " -> ".join(map(str, path)) == (
        "raw.order_items.price -> base_order_items.price -> stg_order_items.price"
        " -> int_sales_cells.gmv -> int_sales_analysis.gmv"
    )


@pytest.mark.slow
def test_every_column_of_the_contracts_is_traced_and_no_other(
    project: ProjectLineage, manifest: Path
) -> None:
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    contracts = {node["name"]: set(node["columns"]) for node in nodes if is_model(node)}
    assert {"stg_orders", "mart_executive_kpis"} <= set(contracts)
    for name, columns in contracts.items():
        assert set(project.columns[name]) == columns, name


@pytest.mark.slow
def test_snowflakes_sql_has_the_same_lineage(
    project: ProjectLineage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled without an account: only is_incremental() and hooks would ask it something."""
    copy = workspace_with_own_dbt(tmp_path)
    project_file = copy.home / "dbt" / "dbt_project.yml"
    settings = read_yaml(project_file)
    settings |= {"on-run-start": [], "on-run-end": []}
    write_yaml(project_file, settings)
    (copy.home / "dbt" / "macros" / "is_incremental.sql").write_text(
        "{% macro is_incremental() %}{{ return(false) }}{% endmacro %}", encoding="utf-8"
    )
    monkeypatch.setenv("OLIST_HOME", str(copy.home))
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", "nobody reads it")
    environment = load_environment(EnvironmentName.DEV)
    compiled = run_dbt(
        environment,
        [
            *("compile", "--no-populate-cache", "--no-introspect"),
            *("--exclude", "resource_type:test", "resource_type:unit_test"),
        ],
        quiet=True,
    )
    assert compiled.returncode == 0, compiled.stdout
    on_snowflake = tmp_path / "data" / "dev" / "dbt" / "manifest.json"
    assert read_project_lineage(on_snowflake, "snowflake").parents == project.parents


CLOCKS_AND_DICE = (
    exp.CurrentDate,
    exp.CurrentDatetime,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.Uuid,
)


@pytest.mark.slow
def test_no_model_asks_a_clock_or_throws_dice_not_even_by_a_macro(manifest: Path) -> None:
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    models = {node["name"]: node["compiled_code"] for node in nodes if is_model(node)}
    assert "stg_orders" in models
    asking = {name: asked for name, sql in models.items() if (asked := clocks_and_dice(sql))}
    assert asking == {}


@pytest.mark.parametrize(
    "call", ["current_date", "current_timestamp", "now()", "today()", "random()", "uuid()"]
)
def test_a_clock_or_dice_would_be_found(call: str) -> None:
    assert len(clocks_and_dice(f"select {call} as x")) == 1


def clocks_and_dice(sql: str) -> list[str]:
    return [
        call.sql()
        for call in parse_one(sql, dialect="duckdb").find_all(*CLOCKS_AND_DICE, exp.Anonymous)
        if isinstance(call, CLOCKS_AND_DICE)
        or call.name.lower() in ("now", "get_current_timestamp")
    ]


@pytest.mark.slow
def test_every_trim_says_which_characters_it_takes(manifest: Path) -> None:
    """Without them DuckDB takes every space of Unicode, Snowflake blanks alone."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    trims = {
        (node["name"], trim.sql()): trim.expression
        for node in nodes
        if is_model(node)
        for trim in parse_one(node["compiled_code"], dialect="duckdb").find_all(exp.Trim)
    }
    assert "stg_customers" in {name for name, _ in trims}
    assert [where for where, characters in trims.items() if characters is None] == []


def strangers(node: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> set[str]:
    """Relations that a node's SQL names without ref() or source(), so that dbt knows nothing of it.

    dbt-bouncer's check of the same name guesses from the Jinja, and takes `extract(month from
    a.b)` for a relation.
    """
    known, pending = {relation_key(node["relation_name"])}, [node]
    while pending:
        for unique_id in pending.pop().get("depends_on", {}).get("nodes", []):
            if (name := nodes[unique_id].get("relation_name")) is None:
                # An ephemeral model: what it reads stands in the SQL instead.
                pending.append(nodes[unique_id])
            else:
                known.add(relation_key(name))
    tables = parse_one(node["compiled_code"], dialect="duckdb").find_all(exp.Table)
    return {relation_key(table) for table in tables if table.db} - known


def relation_key(table: str | exp.Table) -> str:
    return ".".join(part.name for part in exp.to_table(table).parts).lower()


@pytest.mark.slow
def test_every_relation_is_named_by_ref_or_source(manifest: Path) -> None:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    nodes = content["nodes"] | content["sources"]
    reading = [node for node in nodes.values() if node["resource_type"] in ("model", "snapshot")]
    assert len(reading) > 20
    found = {node["name"]: strangers(node, nodes) for node in reading}
    assert {name: names for name, names in found.items() if names} == {}


def test_a_relation_named_outright_would_be_found() -> None:
    nodes: dict[str, dict[str, Any]] = {
        "stored": {"relation_name": '"db"."staging"."stored"', "depends_on": {"nodes": []}},
        "inlined": {"relation_name": None, "depends_on": {"nodes": ["stored"]}},
    }
    model = {
        "relation_name": '"db"."marts"."m"',
        "depends_on": {"nodes": ["inlined"]},
        "compiled_code": 'with a as (select * from "db"."staging"."stored") select extract(month '
        "from a.b) as b from a inner join staging.outright as o on true inner join a as c on true",
    }
    assert strangers(model, nodes) == {"staging.outright"}


def is_model(node: dict[str, Any]) -> bool:
    return bool(node["resource_type"] == "model")


@pytest.mark.slow
def test_the_command_shows_both_directions(project: ProjectLineage, workspace: Workspace) -> None:
    printed = workspace.olist("lineage", "INT_SALES_ANALYSIS.gmv")
    assert [line.strip(" └─") for line in printed.splitlines()] == [
        "int_sales_analysis.gmv",
        "int_sales_cells.gmv",
        "stg_order_items.price",
        "base_order_items.price",
        "raw.order_items.price",
    ]
    downstream = workspace.olist("lineage", "raw.customers.customer_city", "--downstream")
    assert downstream.splitlines()[0] == "raw.customers.customer_city location"
    assert "stg_customers.city" in downstream
    table = workspace.olist("lineage", "stg_customers")
    assert all(column in table for column in project.columns["stg_customers"])
    assert "stg_customers has: customer_id, customer_unique_id" in workspace.olist(
        "lineage", "stg_customers.nope", expect=1
    )
    assert not workspace.warehouse.exists()
