"""The project gives the same on DuckDB and on Snowflake's dialect: twice, with late data between.

dbt-snowflake builds the target `dev` on an emulated account (support/snowflake_emulator.py says
what that shows and what not), dbt-duckdb builds `local`, both from the same raw rows.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from olist_platform.generator.frauds import FRAUDS_FILE, inject_into_files
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_platform.predictions.acceptance import AcceptanceRule
from olist_platform.predictions.fitting import code_version, fits_of
from olist_platform.predictions.model_fit import ModelName, Verdict
from olist_platform.predictions.parameter_store import ParameterStore
from olist_platform.predictions.training_data import (
    TRAINING_NODES,
    read_training_data,
    training_sql,
)
from olist_platform.predictions.warehouse import SnowflakePredictions
from olist_platform.project_vars import project_vars
from olist_platform.source_catalog import dataset_named
from olist_workspace import Workspace
from relation_comparison import Compared, differences
from snowflake_emulator import EmulatedEnvironment, SnowflakeEmulator, snowflake_emulator
from warehouse_contents import BUILT_AT

pytestmark = pytest.mark.slow

# Nodes (by name) that cannot pass on the emulator for a reason of its own, and the reason. They are
# left out of its builds and then run: one that passes must leave this list.
THE_EMULATOR_CANNOT: dict[str, str] = {}

# Models and snapshots whose rows must differ between the engines, and why. One that is equal must
# leave this list.
DIFFERENT_BY_NATURE: dict[str, str] = {}

# Both engines take this share of the people: dev's sampling is part of what is compared.
SHARE = "{sample_share: 0.6}"

FITTED_AT = datetime(2018, 7, 15, 12, tzinfo=UTC)

# Four families ask one thing of columns and make half of the tests; unit tests are long literals
# around SQL that the models hold too. What they would say follows from the equality with
# DuckDB's rows, and the emulator calculates as DuckDB does: that Snowflake's dialect has words for
# them the models in models/marts/executive show, with every other test of the project.
SHOWN_IN_ONE_FOLDER = [
    f"{kind},{folder}"
    for kind in (
        *("test_name:unique", "test_name:not_null_columns"),
        *("test_name:accepted_ranges", "test_name:accepted_value_sets", "resource_type:unit_test"),
    )
    for folder in (
        *("path:seeds", "path:snapshots", "path:models/staging", "path:models/intermediate"),
        *("path:models/marts/finance", "path:models/marts/operations", "path:models/monitoring"),
    )
]

NO_TESTS = ("--exclude-resource-type", "test", "unit_test")

SET_QUERY_TAG = "alter session set query_tag = "

COMPARED_LAYERS = (Layer.STAGING, Layer.INTERMEDIATE, Layer.MARTS)

# What the later extracts bring besides new orders and their progress: people and sellers who moved,
# products in another category, corrected prices.
LATER_VERSIONS = {
    "customers": "customer_city = 'niteroi', customer_state = 'RJ'",
    "sellers": "seller_city = 'curitiba', seller_state = 'PR'",
    "products": "product_category_name = 'perfumaria'",
    "order_items": "price = '17.05'",
    "category_translation": "product_category_name_english = 'renamed'",
}


@dataclass(frozen=True)
class Engines:
    workspace: Workspace
    emulator: SnowflakeEmulator
    emulated: EmulatedEnvironment
    statements_of_the_first_run: int

    def manifest(self) -> dict[str, Any]:
        text = (self.emulated.target_path / "manifest.json").read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
        return manifest

    def nodes(self, *kinds: str) -> list[dict[str, Any]]:
        return [
            node for node in self.manifest()["nodes"].values() if node["resource_type"] in kinds
        ]


def build_both(workspace: Workspace, emulated: EmulatedEnvironment, *arguments: str) -> None:
    """Build on both engines; `arguments` are of the emulated build."""
    # What dbt's tests say of DuckDB other tests show, on more data.
    workspace.olist("dbt", "--", "build", "--quiet", "--vars", SHARE, *NO_TESTS)
    emulated.emulator.copy_raw(workspace)
    # Its work is done in this one process: more threads than two only wait for each other.
    options = ("--quiet", "--threads", "2", "--vars", SHARE)
    left_out = (*SHOWN_IN_ONE_FOLDER, *THE_EMULATOR_CANNOT)
    emulated.dbt("build", *options, *arguments, "--exclude", *left_out)


@pytest.fixture(scope="module")
def engines(make_workspace: Callable[[str], Workspace]) -> Iterator[Engines]:
    workspace = make_workspace("two_engines")
    files = workspace.home / "files"
    workspace.olist("generate", files, "--orders", "2500", "--seed", "11")
    workspace.olist("land", files, "--daily", "--until", "2018-07-15")
    workspace.olist("load")
    with snowflake_emulator(Names(EnvironmentName.DEV)) as emulator:
        emulated = EmulatedEnvironment(workspace, emulator)
        build_both(workspace, emulated)
        statements = len(emulator.statements)
        # Of frauds on every day the later extracts bring theirs, which no test has to let pass.
        inject_into_files(files, 0.5, 11)
        workspace.olist("land", files, "--daily", "--from", "2018-07-16", "--until", "2018-07-29")
        workspace.olist("load")
        workspace.change(*later_versions())
        fit_on_both(workspace, emulated)
        # The tests have judged the first run; what they would say of this one is compared below.
        build_both(workspace, emulated, *NO_TESTS)
        yield Engines(workspace, emulator, emulated, statements)


def fit_on_both(workspace: Workspace, emulated: EmulatedEnvironment) -> None:
    """Fit on both engines and accept what converged, so that the second run scores by it.

    DuckDB's fit is `olist models fit`; Snowflake's reads and stores over the emulated account with
    what that command reads and stores with.
    """
    workspace.olist("models", "fit", "--at", FITTED_AT.isoformat())
    folder = emulated.target_path / "fitting"
    emulated.dbt(
        *("compile", "--quiet", "--full-refresh", "--target-path", str(folder), "--vars", SHARE),
        *("--select", *TRAINING_NODES),
        *("--exclude", *(f"resource_type:{each}" for each in NO_TESTS[1:])),
    )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    sql = training_sql(manifest["nodes"] | manifest["sources"])
    rule = AcceptanceRule.of(project_vars())
    with emulated.session() as connection:
        snowflake = SnowflakePredictions(connection)
        store = ParameterStore(snowflake, emulated.emulator.names)
        fits = fits_of(read_training_data(snowflake, sql), store.scoring())
        # Of so few people none may score; here those may that are estimates.
        judged = [(fit, Verdict(fit.fault is None, rule.judge(fit).reason)) for fit in fits]
        store.append(judged, code_version(), FITTED_AT)
        origins = {model: fit.origin for model, fit in store.scoring().items()}
    workspace.change(
        "update monitoring.fitted_model_parameters set is_accepted = value is not null"
    )
    assert origins[ModelName.CHURN] == origins[ModelName.PURCHASES] == "fitted", origins


def later_versions() -> list[str]:
    """Statements that give one record in sixteen of some raw tables a later version."""
    statements = []
    for dataset, assignment in LATER_VERSIONS.items():
        key = dataset_named(dataset).key[0]
        loaded_at = "(select max(_loaded_at) + interval 1 minute from raw.orders)"
        later_file = "regexp_replace(_source_file, 'dt=[0-9-]+', 'dt=2018-07-29')"
        changes = f"{assignment}, _loaded_at = {loaded_at}, _source_file = {later_file}"
        some = f"from raw.{dataset} where md5({key}) like '0%'"
        statements.append(f"create temp table later as select * {some}")
        statements.append(f"update later set {changes}")
        statements.append(f"insert into raw.{dataset} from later")
        statements.append("drop table later")
    return statements


def compared(node: dict[str, Any], database: str) -> Compared:
    # When a row was built differs between any two runs; no business column depends on it.
    expressions: dict[str, str | None] = {
        column: None for column in node["columns"] if column.endswith(BUILT_AT)
    }
    if node["config"].get("strategy") == "check":
        # dbt dates those versions by the time of the run, and hashes it.
        expressions |= {"dbt_scd_id": None, "dbt_valid_from": None, "dbt_updated_at": None}
        expressions["dbt_valid_to"] = "cast(dbt_valid_to is null as varchar)"
    return Compared(f"{database}.{node['schema']}.{node['alias']}", expressions)


def test_every_model_equals_duckdbs_row_by_row(engines: Engines) -> None:
    nodes = [
        node
        for node in engines.nodes("model", "seed", "snapshot")
        if node["config"]["materialized"] != "ephemeral"
        and (node["resource_type"] != "model" or node["fqn"][1] in COMPARED_LAYERS)
    ]
    assert {"mart_executive_kpis", "int_sales_analysis"} <= {node["name"] for node in nodes}
    database = engines.emulator.names.database
    connection = engines.emulator.connection
    # Views find the emulator's functions in the database that they were made in.
    connection.execute(f"use {database}.marts")
    found: dict[str, list[str]] = {}
    with engines.emulator.warehouse_attached(engines.workspace) as local:
        for node in nodes:
            apart = differences(connection, compared(node, local), compared(node, database))
            if apart:
                found[node["name"]] = apart
    assert found.keys() == DIFFERENT_BY_NATURE.keys(), json.dumps(found, indent=2, default=str)


def test_both_engines_score_by_what_they_fitted(engines: Engines) -> None:
    """Estimates and scores are equal, says the first test; that they are fitted ones, this one."""
    database = engines.emulator.names.database
    connection = engines.emulator.connection
    chosen = "select model, origin, count(*) from {}int_model_parameters group by all order by all"
    rows = engines.workspace.rows(chosen.format(""))
    assert {("churn", "fitted", 8), ("purchases", "fitted", 4)} <= set(rows), rows
    assert connection.execute(chosen.format(f"{database}.intermediate.")).fetchall() == rows


def test_both_engines_find_the_injected_frauds(engines: Engines) -> None:
    """Alerts are equal, says the first test; that some of them are the frauds, this one."""
    database = engines.emulator.names.database
    truth = engines.workspace.home / "files" / FRAUDS_FILE
    found = engines.emulator.connection.execute(
        f"select kind, count(*) from {database}.marts.mart_fraud_monitoring "
        f"inner join read_csv('{truth}') using (order_id) group by kind"
    ).fetchall()
    assert len(found) >= 3, found
    assert sum(orders for _, orders in found) >= 10, found


def test_the_second_run_was_incremental(engines: Engines) -> None:
    second_run = engines.emulator.statements[engines.statements_of_the_first_run :]
    sent = [" ".join(text.split()) for text in second_run]
    incremental = [
        node
        for node in engines.nodes("model", "snapshot")
        if node["config"]["materialized"] in ("incremental", "snapshot")
    ]
    assert incremental
    for node in incremental:
        names = (engines.emulator.names.database, node["schema"], node["alias"])
        relation = r"\.".join(f'"?{name}"?' for name in names)
        written = re.compile(rf"(insert|merge) into {relation} ", re.IGNORECASE)
        created = re.compile(rf"create .*table {relation} ", re.IGNORECASE)
        assert any(written.match(text) for text in sent), node["name"]
        assert not any(created.match(text) for text in sent), node["name"]
    # What came later has arrived, on DuckDB; the comparison says that it is the same elsewhere.
    corrected = engines.workspace.rows("select order_id from stg_order_items where price = 17.05")
    assert corrected


def test_snowflake_is_told_how_to_keep_and_account_for_each_table(engines: Engines) -> None:
    """What the configuration came to, in the statements that dbt-snowflake sent."""
    names = engines.emulator.names
    sent = [" ".join(text.split()) for text in engines.emulator.statements]
    tags = [json.loads(text.split("'")[1]) for text in sent if text.startswith(SET_QUERY_TAG)]
    tagged = {tag["node_id"]: tag for tag in tags if "node_id" in tag}
    for node in engines.nodes("model", "seed", "snapshot"):
        tag = tagged[node["unique_id"]]
        assert tag.keys() == {"app", "layer", "target_name", "invocation_id", "node_id"}
        config = node["config"]
        relation = f"{names.database}.{node['schema']}.{node['alias']}"
        own = [text for text in sent if f'"node_id": "{node["unique_id"]}"' in text]
        created = [re.match(rf"create (or replace )?(.*?)table {relation} ", text) for text in own]
        if config["materialized"] not in ("view", "ephemeral"):
            kinds = {match[2] for match in created if match}
            assert kinds == {"transient " if config["transient"] else ""}, node["name"]
        if keys := config.get("cluster_by"):
            clustered = f"alter table {relation} cluster by ({', '.join(keys)})"
            assert any(text.startswith(clustered) for text in own), node["name"]
        if config["snowflake_warehouse"] != names.warehouse(Workload.TRANSFORM):
            used = f"use warehouse {config['snowflake_warehouse']} "
            assert any(text.startswith(used) for text in own), node["name"]


def test_what_the_emulator_cannot_do_it_still_cannot(engines: Engines) -> None:
    for name in THE_EMULATOR_CANNOT:
        engines.emulated.dbt("build", "--quiet", "--vars", SHARE, "--select", name, expect=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update b set amount = amount + 0.01 where id = 2", "1 of 3 rows differ"),
        ("update b set share = share * (1 + 1e-8) where id = 2", "1 of 3 rows differ"),
        ("update b set share = share * (1 + 1e-10)", None),
        ("update b set name = null where id = 1", "1 of 3 rows differ"),
        ("update b set day = day + 1", "3 of 3 rows differ"),
        ("insert into b from b where id = 1", "3 rows <> 4 rows"),
        ("alter table b alter id type bigint", None),
        ("alter table b alter amount type decimal(18, 3)", "amount: decimal(18,2) <> decimal"),
        ("alter table b drop name", "name: varchar <> None"),
    ],
)
def test_the_comparison_finds(change: str, said: str | None) -> None:
    with duckdb.connect() as connection:
        for name in "ab":
            connection.execute(
                f"create table {name} as select i::integer as id, 'n' || i as name, "
                "(i / 3)::decimal(18, 2) as amount, (i / 3)::double as share, "
                "date '2018-01-01' as day from range(1, 4) as numbers(i)"
            )
        connection.execute(change)
        found = differences(connection, Compared("a", {}), Compared("b", {}))
    if said is None:
        assert found == []
    else:
        assert any(said in text for text in found), found
