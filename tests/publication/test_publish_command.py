"""`olist publish` through dbt: what fails its tests is not published, on either engine."""

from collections.abc import Callable

import fakesnow
import pytest
import snowflake.connector
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.naming import Layer
from olist_workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(make_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = make_workspace("publish")
    workspace.olist("generate", workspace.home / "files", "--orders", "600", "--no-dirt")
    workspace.olist("land", workspace.home / "files")
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet", "--exclude-resource-type", "test", "unit_test")
    return workspace


def test_a_failing_test_leaves_what_was_published(built: Workspace) -> None:
    assert "nothing is published yet" in built.olist("query", "from mart_executive_kpis", expect=1)
    gmv = (
        "query", "-f", "csv", "select sum(gmv) from mart_executive_kpis where period_type = 'day'",
    )  # fmt: skip
    working = built.olist(*gmv, "--working")
    printed = built.olist("publish")
    assert "mart_executive_kpis" in printed
    assert str(built.serving) in printed
    assert built.olist(*gmv) == working
    before = built.serving.read_bytes()

    built.change(
        "update mart_executive_kpis set gmv = gmv + 1000 where period_type = 'day' and "
        "period_start = (select max(period_start) from mart_executive_kpis where gmv > 0 "
        "and period_type = 'day')"
    )
    printed = built.olist("publish", expect=1)
    assert "nothing is published: dbt tests fail" in printed
    assert "assert_kpi_gmv_equals_staging" in printed
    assert "olist dbt -- build" in printed
    assert built.serving.read_bytes() == before
    # Consumers read what passed, not what stands in the working warehouse.
    assert built.olist(*gmv) == working
    assert built.olist(*gmv, "--working") != working


def test_the_serving_schema_has_one_name() -> None:
    project = yaml.safe_load((dbt_project_folder() / "dbt_project.yml").read_text("utf-8"))
    assert project["vars"]["serving_schema"] == Layer.SERVING


def test_on_duckdb_the_operation_names_the_command(built: Workspace) -> None:
    printed = built.olist("dbt", "--", "run-operation", "publish_marts", expect=1)
    assert "use `olist publish`" in printed


@pytest.fixture(scope="module")
def statements(built: Workspace) -> list[str]:
    """What `publish_marts` sends to Snowflake."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", key.decode())
        printed = built.olist(
            "dbt", "--env", "prod", "--", "compile", "--quiet", "--no-populate-cache",
            "--no-introspect", "--inline", "{{ publication_statements('abc') | join('; ') }}",
        )  # fmt: skip
    return [" ".join(statement.split()) for statement in printed.split(";")]


def test_snowflake_clones_each_mart_and_keeps_its_grants(statements: list[str]) -> None:
    assert (
        "create or replace transient table OLIST_PROD.serving.mart_executive_kpis clone "
        "OLIST_PROD.marts.mart_executive_kpis copy grants"
    ) in statements
    *clones, record = statements
    assert all(" clone " in clone for clone in clones)
    assert record.startswith(
        "create or replace transient table OLIST_PROD.serving.publication copy grants as select"
    )
    assert record.count(" as relation_name") == len(clones)


def test_the_statements_run_on_the_emulator(statements: list[str]) -> None:
    """The emulator knows neither grants nor hash_agg: those words are taken out for it."""
    with fakesnow.patch():
        connection = snowflake.connector.connect(database="OLIST_PROD", schema="MARTS")
        cursor = connection.cursor()
        cursor.execute("create schema serving")
        for statement in statements[:-1]:
            mart = statement.split(" clone ")[1].split()[0]
            cursor.execute(f"create table {mart} (n int, as_of_date date)")
            cursor.execute(f"insert into {mart} values (7, '2018-08-31')")
        for _ in range(2):
            for statement in statements:
                known = statement.replace(" copy grants", "").replace("hash_agg(*)", "sum(n)")
                cursor.execute(known)
        cursor.execute("use schema serving")
        cursor.execute("select n from mart_executive_kpis")
        assert cursor.fetchall() == [(7,)]
        cursor.execute(
            "select relation_name, row_count, as_of_date::varchar, dbt_invocation_id "
            "from publication where relation_name = 'mart_executive_kpis'"
        )
        assert cursor.fetchall() == [("mart_executive_kpis", 1, "2018-08-31", "abc")]
