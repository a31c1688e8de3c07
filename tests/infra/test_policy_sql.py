"""The SQL of pipes and policies: it parses in Snowflake's dialect, and policies do as they say.

DuckDB runs the policies' bodies with macros in the place of what only a Snowflake session knows:
its roles and the tag of the column. That Snowflake takes them, nobody here has seen.
"""

import hashlib

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.source_catalog import CATALOG

UNMASKED = "AR__OLIST_DEV__PII__UNMASKED"


def _session(*roles: str, tag: str = "location") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    held = ", ".join(f"'{role}'" for role in (*roles, "PUBLIC"))
    connection.execute(f"create macro is_role_in_session(role) as role in ({held})")
    connection.execute(f"create macro tag_of_column(name) as '{tag}'")
    return connection


def _body(program: CapturedProgram, kind: str) -> str:
    [policy] = program.of_type(f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}")
    body = policy.inputs["body"].replace("SYSTEM$GET_TAG_ON_CURRENT_COLUMN", "TAG_OF_COLUMN")
    return sqlglot.transpile(body, read="snowflake", write="duckdb")[0]


def test_every_copy_statement_is_one(dev: CapturedProgram) -> None:
    pipes = dev.of_type("snowflake:index/pipe:Pipe")
    assert len(pipes) == len(CATALOG)
    for pipe in pipes:
        statement = pipe.plain_inputs["copyStatement"]
        assert isinstance(sqlglot.parse_one(statement, read="snowflake"), exp.Copy)


@pytest.mark.parametrize(
    ("roles", "tag", "shown"),
    [
        ((UNMASKED,), "free_text", "ana"),
        ((UNMASKED,), "person_identifier", "ana"),
        ((), "person_identifier", hashlib.sha256(b"ana").hexdigest()),
        ((), "location", "***"),
        ((), "free_text", "***"),
        (("AR__OLIST_PROD__PII__UNMASKED",), "location", "***"),
    ],
)
def test_what_the_mask_shows(
    dev: CapturedProgram, roles: tuple[str, ...], tag: str, shown: str
) -> None:
    body = _body(dev, "MaskingPolicy")
    rows = _session(*roles, tag=tag).execute(
        f"select {body} from (values ('ana'), (null)) as column_(value)"
    )
    assert rows.fetchall() == [(shown,), (None,)]


@pytest.mark.parametrize(("roles", "seen"), [((), ["kept"]), ((UNMASKED,), ["kept", "objected"])])
def test_whose_rows_are_seen(dev: CapturedProgram, roles: tuple[str, ...], seen: list[str]) -> None:
    connection = _session(*roles)
    connection.execute("attach ':memory:' as olist_dev; create schema olist_dev.governance")
    connection.execute("create table olist_dev.governance.objections (customer_id varchar)")
    connection.execute("insert into olist_dev.governance.objections values ('objected')")
    body = _body(dev, "RowAccessPolicy")
    rows = connection.execute(
        "select customer_key from (values ('kept'), ('objected')) as customers(customer_key)"
        f" where {body} order by 1"
    )
    assert [key for (key,) in rows.fetchall()] == seen
