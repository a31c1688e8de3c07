"""The serving copy on DuckDB: whole or not at all, whatever happens while it is written."""

import fcntl
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from olist_platform import publication
from olist_platform.dashboards.published_marts import open_published_marts
from olist_platform.dbt_command import manifest_path
from olist_platform.duckdb_warehouse import PUBLISH_AGAIN
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.publication import publish, published_copy, published_marts
from olist_platform.warehouse_query import query_warehouse
from olist_workspace import ROOT


def node(name: str, folder: str = "marts", access: str = "public") -> dict[str, Any]:
    return {
        "resource_type": "model",
        "alias": name,
        "fqn": ["olist", folder, "some_team", name],
        "access": access,
    }


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A working warehouse with two marts, a helper of theirs, and a model of another layer."""
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    environment = load_environment(EnvironmentName.LOCAL)
    nodes = [
        node("mart_kpis"),
        node("mart_alerts"),
        node("mart_helper", access="protected"),
        node("int_orders", "intermediate"),
        {"resource_type": "test", "alias": "t", "fqn": ["olist", "marts", "t"], "access": "public"},
    ]
    manifest = manifest_path(environment)
    manifest.parent.mkdir(parents=True)
    content = {"nodes": {str(n): entry for n, entry in enumerate(nodes)}}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    change(
        environment,
        "create schema marts",
        "create schema intermediate",
        "create table marts.mart_kpis as select date '2018-08-31' as as_of_date, n::varchar as "
        "name, n * 1.5 as gmv from range(1000) as r (n)",
        "comment on column marts.mart_kpis.gmv is 'Gross value, BRL; the seller''s price.'",
        "create table marts.mart_alerts (order_id varchar, score double)",
        "create table marts.mart_helper as select 1 as n",
        "create table intermediate.int_orders as select 1 as n",
    )
    return environment


def change(environment: Environment, *statements: str) -> None:
    with duckdb.connect(str(environment.duckdb_path)) as connection:
        for statement in statements:
            connection.execute(statement)


def published(environment: Environment, sql: str) -> list[tuple[Any, ...]]:
    """Ask as any program does that opens the file: no schema, no search path."""
    with duckdb.connect(str(environment.serving_path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def checksums(environment: Environment) -> dict[str, str]:
    return dict(
        published(environment, "select relation_name, content_checksum from publication")
    )  # fmt: skip


def files(environment: Environment) -> set[str]:
    return {path.name for path in environment.serving_path.parent.iterdir()}


def test_it_holds_the_public_marts_and_what_was_published(environment: Environment) -> None:
    assert publish(environment, "an-invocation") == ("mart_alerts", "mart_kpis")
    tables = [("mart_alerts",), ("mart_kpis",), ("publication",)]
    assert published(environment, "select table_name from duckdb_tables() order by 1") == tables
    assert published(environment, "select count(*), sum(gmv)::varchar from mart_kpis") == [
        (1000, "749250.0")
    ]
    assert published(
        environment,
        "select relation_name, row_count, as_of_date::varchar, dbt_invocation_id, "
        "published_at <= now()::timestamp from publication order by 1",
    ) == [
        ("mart_alerts", 0, None, "an-invocation", True),
        ("mart_kpis", 1000, "2018-08-31", "an-invocation", True),
    ]
    assert published(
        environment,
        "select comment from duckdb_columns() where table_name = 'mart_kpis' and "
        "comment is not null",
    ) == [("Gross value, BRL; the seller's price.",)]
    assert files(environment) == {environment.serving_path.name, ".publish.lock"}
    answer = query_warehouse(environment.serving_path, "select max(gmv) as gmv from mart_kpis")
    assert str(answer["gmv"][0]) == "1498.5"


def test_equal_marts_have_equal_checksums(environment: Environment) -> None:
    publish(environment)
    first = checksums(environment)
    publish(environment)
    assert checksums(environment) == first
    # The same rows in another order.
    change(environment, "create or replace table marts.mart_kpis as "
           "from marts.mart_kpis order by gmv desc")  # fmt: skip
    publish(environment)
    assert checksums(environment) == first
    change(environment, "update marts.mart_kpis set gmv = gmv + 0.1 where name = '7'")
    publish(environment)
    second = checksums(environment)
    assert second["mart_kpis"] != first["mart_kpis"]
    assert second["mart_alerts"] == first["mart_alerts"]
    # A doubled row does not cancel itself out.
    change(environment, "insert into marts.mart_kpis from marts.mart_kpis limit 1")
    publish(environment)
    assert checksums(environment)["mart_kpis"] not in (first, second["mart_kpis"])


def test_a_reader_of_the_former_copy_is_not_disturbed(environment: Environment) -> None:
    publish(environment)
    with duckdb.connect(str(environment.serving_path), read_only=True) as reader:
        assert reader.execute("select count(*) from mart_kpis").fetchall() == [(1000,)]
        change(environment, "delete from marts.mart_kpis where gmv > 10")
        # Another process publishes; one process cannot hold two files of one name.
        subprocess.run(
            [sys.executable, "-c", PUBLISH], check=True, timeout=60, capture_output=True
        )  # fmt: skip
        assert reader.execute("select count(*), max(gmv) from mart_kpis").fetchall() == [
            (1000, 1498.5)
        ]
    assert published(environment, "select count(*) from mart_kpis") == [(7,)]


PUBLISH = """
from olist_platform.environment import EnvironmentName, load_environment
from olist_platform.publication import publish
publish(load_environment(EnvironmentName.LOCAL))
"""
# Stops between the last mart and the record, as slow publication does, until it is killed.
PUBLISH_SLOWLY = f"""
import time
from olist_platform import publication

def record(self, *arguments):
    print("copied", flush=True)
    time.sleep(600)

publication._Copy.record = record
{PUBLISH}
"""


def test_a_killed_publication_leaves_yesterdays_and_the_next_recovers(
    environment: Environment,
) -> None:
    publish(environment)
    before = digest(environment.serving_path)
    change(environment, "delete from marts.mart_kpis where gmv > 10")
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISH_SLOWLY], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "copied\n"
        # Meanwhile there is one publication at a time, and readers see yesterday's.
        with pytest.raises(OlistError, match="another publication"):
            publish(environment)
        assert digest(environment.serving_path) == before
        process.send_signal(signal.SIGKILL)
    assert [name for name in files(environment) if ".part" in name]
    assert digest(environment.serving_path) == before

    publish(environment)
    assert published(environment, "select count(*) from mart_kpis") == [(7,)]
    assert files(environment) == {environment.serving_path.name, ".publish.lock"}


def test_rubbish_of_any_kind_is_cleared(environment: Environment) -> None:
    folder = environment.serving_path.parent
    name = environment.serving_path.name
    (folder / f"{name}.part.tmp").mkdir(parents=True)
    (folder / f"{name}.part.tmp" / "spilled").write_bytes(b"x")
    (folder / f"{name}.part").write_bytes(b"half a file")
    (folder / f"{name}.part.wal").write_bytes(b"half a log")
    publish(environment)
    assert files(environment) == {name, ".publish.lock"}
    assert published(environment, "select count(*) from mart_kpis") == [(1000,)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(environment: Environment) -> OlistError:
    """Publish, be refused, and check that nothing has changed for readers."""
    before = digest(environment.serving_path)
    with pytest.raises(OlistError) as caught:
        publish(environment)
    assert digest(environment.serving_path) == before
    assert files(environment) == {environment.serving_path.name, ".publish.lock"}
    return caught.value


def test_a_mart_that_is_not_built_publishes_nothing(environment: Environment) -> None:
    publish(environment)
    change(environment, "drop table marts.mart_alerts")
    assert "not built yet: mart_alerts" in refused(environment).message


def test_what_is_not_built_is_not_tested(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt would tell of each test of it, and monitoring alert of each."""
    monkeypatch.setattr(publication, "run_dbt", lambda *_, **__: pytest.fail("dbt was run"))
    change(environment, "drop table marts.mart_alerts")
    with pytest.raises(OlistError) as raised:
        publication.require_passing_tests(environment)
    assert raised.value.message == "marts that are not built yet: mart_alerts"
    assert raised.value.mend == "run `olist dbt -- build`, then `olist publish`"
    environment.duckdb_path.unlink()
    with pytest.raises(OlistError, match="there is no warehouse yet"):
        publication.require_passing_tests(environment)
    assert not environment.duckdb_path.exists()


def test_marts_of_different_days_are_not_published_together(environment: Environment) -> None:
    publish(environment)
    change(
        environment,
        "create or replace table marts.mart_alerts as select date '2018-09-01' as as_of_date",
    )
    error = refused(environment)
    assert "mart_kpis of 2018-08-31; mart_alerts of 2018-09-01" in error.message
    assert "olist dbt -- build" in error.mend


def test_a_fault_while_writing_leaves_no_half_file(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(environment)

    def out_of_space(*_: object) -> None:
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(publication._Copy, "record", out_of_space)
    assert "no space left on the disk" in refused(environment).message


def test_a_locked_warehouse_is_named(environment: Environment) -> None:
    publish(environment)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, environment.duckdb_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            error = refused(environment)
        finally:
            holder.communicate("\n")
    assert f"{environment.duckdb_path}: the warehouse is locked by" in error.message


def test_nothing_to_publish_is_told(environment: Environment) -> None:
    with pytest.raises(OlistError, match="nothing is published yet"):
        published_copy(environment)
    environment.duckdb_path.unlink()
    with pytest.raises(OlistError, match="there is no warehouse yet"):
        publish(environment)
    manifest_path(environment).write_text('{"nodes": {}}', encoding="utf-8")
    with pytest.raises(OlistError, match="no public model"):
        published_marts(manifest_path(environment))


def test_two_publications_at_once_are_one_too_many(environment: Environment) -> None:
    publish(environment)
    with (environment.serving_path.parent / ".publish.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another publication" in refused(environment).message


def test_a_file_without_the_record_of_a_publication_is_no_published_copy(
    environment: Environment,
) -> None:
    publish(environment)
    with duckdb.connect(environment.serving_path) as connection:
        connection.execute(f"drop table {environment.names.publication_table}")
    with pytest.raises(OlistError) as raised, open_published_marts(environment):
        pass
    assert raised.value.message == f"{environment.serving_path}: it is no published copy"
    assert raised.value.mend == PUBLISH_AGAIN
