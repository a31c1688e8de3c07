"""A release's marts on the emulated Snowflake account, by real dbt: built aside, served, put back.

The emulator copies where Snowflake clones, and has no grants: see its own list.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from olist_platform.cli.main import app
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName, Names
from olist_platform.release.bundle import Bundle
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.smoke_tests import MartFacts
from olist_platform.release.snowflake_side import SnowflakeSide
from olist_workspace import ROOT
from release_bundles import note_deployed, small_bundle
from snowflake_emulator import SnowflakeEmulator, new_private_key, snowflake_emulator
from warm_dbt import warm_dbt
from yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.slow

DEV = EnvironmentName.DEV
DATABASE = Names(DEV).database
DAY = date(2026, 2, 28)
FIRST_FACTS = {"mart_orders": MartFacts(1, DAY), "mart_sellers": MartFacts(1, None)}
MACROS = ("generate_schema_name", "publish_marts", "releases", "schemas")

PROJECT = """
name: olist
version: 1.0.0
profile: olist
vars: {serving_schema: serving}
models:
  olist:
    marts: {+schema: marts, +materialized: table, +access: public, +group: reporting}
"""
PROPERTIES = """
groups: [{name: reporting, owner: {name: Reporting}}]
sources:
  - name: raw
    schema: raw
    tables: [{name: orders, columns: [{name: order_id}, {name: _loaded_at}]}]
models:
  - name: mart_orders
    columns: [{name: order_id, data_tests: [unique]}, {name: as_of_date}]
  - name: mart_sellers
    columns: [{name: seller_id}]
"""


def bundle_of(number: int, port: int) -> Bundle:
    profiles = read_yaml(ROOT / "dbt" / "profiles.yml")
    profiles["olist"]["outputs"][DEV.value] |= {
        "host": "127.0.0.1",
        "port": port,
        "protocol": "http",
    }
    model = f"select order_id + {number} as order_id, to_date('{DAY}') as as_of_date"
    files = {
        "dbt/dbt_project.yml": PROJECT,
        "dbt/profiles.yml": yaml.safe_dump(profiles),
        "dbt/models/properties.yml": PROPERTIES,
        "dbt/models/marts/mart_orders.sql": f"{model} from {{{{ source('raw', 'orders') }}}}",
        "dbt/models/marts/mart_sellers.sql": f"select {number} as seller_id",
        "environments/dev.yaml": (ROOT / "environments" / "dev.yaml").read_text(encoding="utf-8"),
    } | {
        f"dbt/macros/{path.name}": path.read_text(encoding="utf-8")
        for path in (ROOT / "dbt" / "macros").glob("*.sql")
        if path.stem in MACROS
    }
    return small_bundle(number, {path: text.encode() for path, text in files.items()})


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeEmulator]:
    home = tmp_path_factory.mktemp("snowflake_side")
    for folder in ("dbt", "environments"):
        (home / folder).symlink_to(ROOT / folder)
    (home / "data").mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        snowflake_emulator(Names(DEV)) as emulator,
        warm_dbt(),
    ):
        patch.setenv("OLIST_HOME", str(home))
        patch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
        patch.setenv("DBT_LOG_LEVEL_FILE", "none")
        run = emulator.connection.execute
        run(f"create schema {DATABASE}.SERVING")
        run(
            f"create table {DATABASE}.RAW.ORDERS as select 1 as ORDER_ID, "
            "timestamp '2026-02-28 06:00:00' as _LOADED_AT"
        )
        yield emulator


def side(number: int, port: int) -> tuple[ReleaseTree, SnowflakeSide]:
    bundle = bundle_of(number, port)
    tree = ReleaseTree(DEV, bundle)
    tree.unpack()
    return tree, SnowflakeSide(tree, bundle)


def test_a_release_is_built_aside_served_kept_and_put_back(emulator: SnowflakeEmulator) -> None:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return emulator.connection.execute(sql).fetchall()

    served = f"select ORDER_ID from {DATABASE}.SERVING.MART_ORDERS order by 1"
    first_tree, first = side(1, emulator.port)
    first.build(None)
    assert first.is_built()
    assert first.facts() == FIRST_FACTS
    assert ask("select * from duckdb_tables() where lower(schema_name) = 'marts'") == []
    first.publish(None)
    assert ask(served) == [(2,)]

    ask(f"insert into {DATABASE}.RAW.ORDERS values (10, timestamp '2026-03-01 06:00:00')")
    assert not first.is_built()

    keep_manifest(first_tree)
    second_tree, second = side(2, emulator.port)
    emulator.statements.clear()
    second.build(first_tree)
    clones = [sent.lower() for sent in emulator.statements if " clone " in sent.lower()]
    assert any("release_" in sent and "mart_orders" in sent for sent in clones), clones
    assert ask(served) == [(2,)]
    assert second.served_facts() == FIRST_FACTS
    second.publish(first_tree.digest)
    assert second.is_published()
    assert ask(served) == [(3,), (12,)]
    assert first.kept_marts() == f"of {DAY}"
    # The record names the build, not what was asked of dbt since.
    results = second_tree.folder.parent / "builds" / second_tree.folder.name / "run_results.json"
    build = json.loads(results.read_text(encoding="utf-8"))["metadata"]["invocation_id"]
    recorded = f"select distinct DBT_INVOCATION_ID from {DATABASE}.SERVING.PUBLICATION"
    assert ask(recorded) == [(build,)]

    second.put_back(first_tree.digest)
    assert first.is_published()
    # It would leave the future grants of serving out, and with them every reader.
    assert not [sent for sent in emulator.statements if "copy grants" in sent.lower()]
    assert ask(served) == [(2,)]


def test_a_switch_that_stops_half_way_leaves_no_mix_of_two_releases(
    emulator: SnowflakeEmulator,
) -> None:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return emulator.connection.execute(sql).fetchall()

    def served_by() -> tuple[int, int]:
        """The releases that readers have both marts of; orders are numbered by their release."""
        [(orders,)] = ask(f"select min(ORDER_ID) - 1 from {DATABASE}.SERVING.MART_ORDERS")
        [(sellers,)] = ask(f"select SELLER_ID from {DATABASE}.SERVING.MART_SELLERS")
        return orders, sellers

    third_tree, third = side(3, emulator.port)
    third.build(None)
    third.publish(None)
    assert served_by() == (3, 3)
    _, fourth = side(4, emulator.port)
    fourth.build(None)
    built = f"{DATABASE}.release_{bundle_of(4, emulator.port).digest[:12]}_marts"
    ask(f"alter table {built}.mart_sellers rename to mart_sellers_away")

    with pytest.raises(OlistError, match="serve_release fails"):
        fourth.publish(third_tree.digest)
    assert served_by() == (4, 3)
    # Taken back.
    assert not fourth.is_published()
    fourth.put_back(third_tree.digest)
    assert third.is_published()
    assert served_by() == (3, 3)

    # Gone on with instead, and rolled back later: what was kept is the former release's, whole.
    with pytest.raises(OlistError, match="serve_release fails"):
        fourth.publish(third_tree.digest)
    ask(f"alter table {built}.mart_sellers_away rename to mart_sellers")
    fourth.publish(third_tree.digest)
    assert fourth.is_published()
    assert served_by() == (4, 4)
    fourth.put_back(third_tree.digest)
    assert served_by() == (3, 3)


def test_nothing_is_served_of_a_schema_that_keeps_nothing(emulator: SnowflakeEmulator) -> None:
    _, fifth = side(5, emulator.port)
    fifth.build(None)
    fifth.publish(None)
    with pytest.raises(OlistError, match=r"served_[0-9a-f]{12} keeps no mart"):
        fifth.publish_kept(None)
    assert fifth.is_published()
    assert len(fifth.served_facts()) == 2


def test_the_nightly_drops_schemas_of_closed_pull_requests_and_forgotten_releases(
    emulator: SnowflakeEmulator, gh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nightly.yml runs it, with a record in a folder."""
    settings = read_yaml(ROOT / "environments" / "dev.yaml")
    settings["releases"]["artifacts"] = {"kind": "folder", "folder": "data/artifacts"}
    (tmp_path / "environments").mkdir()
    write_yaml(tmp_path / "environments" / "dev.yaml", settings)
    (tmp_path / "data").mkdir()
    tree, _ = side(1, emulator.port)
    (tmp_path / "dbt").symlink_to(tree.folder / "dbt")
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    # What is set is not asked of Secrets Manager.
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY", "not needed here")
    gone, before, running = (bundle_of(number, emulator.port) for number in (7, 8, 9))
    for release in (gone, before, running):
        note_deployed(load_environment(DEV), release)
    stale = {"pr_11_marts", f"release_{gone.digest[:12]}_marts", f"served_{gone.digest[:12]}"}
    kept = {"pr_12_marts", f"release_{running.digest[:12]}_marts", f"served_{before.digest[:12]}"}
    for schema in stale | kept:
        emulator.connection.execute(f"create schema {DATABASE}.{schema}")
    (gh / "answer").write_text('[{"number": 12}]')

    arguments = ["ci", "drop-stale-schemas", "dev", "--repository", "olist/olist-platform"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)

    assert {f"dropped {name}" for name in stale} <= set(result.output.splitlines())
    left = emulator.connection.execute(
        f"select lower(schema_name) from duckdb_schemas() where database_name = '{DATABASE}'"
    ).fetchall()
    names = {name for (name,) in left}
    assert kept | {"raw", "serving"} <= names
    assert not stale & names


def keep_manifest(tree: ReleaseTree) -> None:
    """Give a tree the manifest of its build, which a real bundle brings."""
    environment = load_environment(DEV)
    written = Path(tree.folder.parent / "builds" / tree.folder.name / "manifest.json")
    assert environment.name is DEV
    shutil.copyfile(written, tree.dbt_state_folder() / "manifest.json")
