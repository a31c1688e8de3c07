"""A Snowflake account on this machine: fakesnow's HTTP server with its faults mended.

dbt-snowflake and the Snowflake connector talk to it over HTTP as to the real one; DuckDB answers.
fakesnow 0.11.18 is used as it is but for what dbt needs and it gets wrong:

| what a client sends | fakesnow | here |
| --- | --- | --- |
| anything it cannot do | HTTP 500; the connector tries again for minutes | a Snowflake error |
| `BEGIN` | runs it, then describes `BEGIN` as if it were a table | success |
| `INSERT OVERWRITE` (seeds) | hands it to DuckDB, which has no such thing | delete and insert |
| `ALTER TABLE t ALTER "c" COMMENT $$..$$, ..` | hands it to DuckDB | DuckDB's own comments |
| `COMMENT ON TABLE t IS $$it's$$` | an apostrophe ends its own SQL | escaped |
| `sum(<decimal>)` | casts the argument to double, cents are lost | left alone |
| `rtrim(x, ', ')` | forgets which characters | left alone |
| `CREATE TEMPORARY TABLE db.schema.t` | DuckDB keeps those in a database of its own | a table |
| `CREATE TABLE t (c ..) AS SELECT *` | describes the query in a wrong dialect | `SELECT c` |
| `MERGE` | emulates it, finds unqualified insert values ambiguous | DuckDB's MERGE |
| `CREATE TABLE t CLONE s` | hands it to DuckDB, which has no such thing | a copy |
| `SHOW TABLES LIKE 't' IN SCHEMA db.s` | shows no table's comment | name and comment |
| `HASH_AGG(*)` | hands it to DuckDB, which has no such thing | the number of rows |
| `ALTER SESSION SET QUERY_TAG` | rejects it | success; `statements` has it |
| `CURRENT_WAREHOUSE()` | rejects it | what `USE WAREHOUSE` said last |
| any statement | copies its tree some seventy times, parses it thrice | much faster |

What no mend gives it: roles, grants, policies, pipes, time travel, clustering, transient tables,
query history and costs. Those statements are accepted and ignored, or fail; `statements` shows
what was sent. Its arithmetic is DuckDB's: the scale of a decimal quotient or median and the
rounding of casts are not shown to be Snowflake's, nor is what a function takes for a space or a
date.
"""

import contextlib
import functools
import logging
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import fakesnow.cursor
import fakesnow.server
import fakesnow.transforms
import sqlglot
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fakesnow import info_schema
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import SQL_SUCCESS, FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.environment import load_environment
from olist_platform.naming import Layer, Names, Workload
from olist_platform.snowflake_connection import open_snowflake
from olist_workspace import Workspace
from yaml_files import read_yaml, write_yaml

Endpoint = Callable[[Request], Awaitable[JSONResponse]]

_HOST = "127.0.0.1"
_COLUMN_COMMENTS = re.compile(
    r'\s*alter\s+(?:table|view)\s+(?P<relation>\S+)\s+alter\s+"', re.IGNORECASE
)
_COLUMN_COMMENT = re.compile(r'(?P<column>"[^"]+") COMMENT \$\$(?P<text>.*?)\$\$', re.DOTALL)
_CLONE = re.compile(
    r"\s*create or replace (?:transient )?table (?P<table>\S+) clone (?P<source>\S+)",
    re.IGNORECASE,
)
_SHOW_TABLE = re.compile(
    r"\s*show tables like '(?P<name>\w+)' in schema (?P<database>\w+)\.(?P<schema>\w+)",
    re.IGNORECASE,
)
_USE_WAREHOUSE = re.compile(r"\s*use\s+warehouse\s+(?P<warehouse>\w+)", re.IGNORECASE)
_QUERY_TAG = r"\s*alter\s+session\s+(set|unset)\s+query_tag"


class _ChangedInPlace:
    """Stands for a parsed statement in fakesnow's chain of transforms and spares the copies."""

    def __init__(self, expression: exp.Expr) -> None:
        self.expression = expression

    def transform(self, function: Any, *args: Any, **kwargs: Any) -> "_ChangedInPlace":
        self.expression = self.expression.transform(function, *args, copy=False, **kwargs)
        return self


class _Cursor(FakeSnowflakeCursor):  # type: ignore[misc]
    def execute(self, command: str, *args: Any, **kwargs: Any) -> "_Cursor":
        self._conn.statements.append(command)
        if use := _USE_WAREHOUSE.match(command):
            self._conn.warehouse = use["warehouse"]
        try:
            if comments := _COLUMN_COMMENTS.match(command):
                self._comment_on_columns(comments["relation"], command)
                command = SQL_SUCCESS
            if shown := _SHOW_TABLE.match(command):
                command = (
                    'select table_name as "name", comment as "comment" '
                    f"from {shown['database']}.information_schema.tables "
                    f"where table_schema = '{shown['schema'].upper()}' "
                    f"and table_name ilike '{shown['name']}'"
                )
            if clone := _CLONE.match(command):
                copy = f"select * from {clone['source']}"
                command = f"create or replace table {clone['table']} as {copy}"
            command = command.replace("hash_agg(*)", "count(*)")
            super().execute(command, *args, **kwargs)
        except ProgrammingError:
            raise
        except Exception as error:
            raise ProgrammingError(
                msg=f"the emulator cannot do this: {error!r}", errno=261000, sqlstate="XX000"
            ) from error
        return self

    def _describe_last_sql(self) -> list[Any]:
        described = f"describe {self._last_sql}"
        return list(self._duck_conn.execute(described, self._last_params).fetchall())

    def _comment_on_columns(self, relation: str, command: str) -> None:
        for comment in _COLUMN_COMMENT.finditer(command):
            text = comment["text"].replace("'", "''")
            self._duck_conn.execute(f"comment on column {relation}.{comment['column']} is '{text}'")

    def _transform_explode(self, expression: exp.Expr) -> list[exp.Expr]:
        match expression:
            case exp.Insert() if expression.args.get("overwrite"):
                insert = expression.copy()
                insert.set("overwrite", False)
                (table,) = (found.copy() for found in [expression.find(exp.Table)] if found)
                return [exp.delete(table), insert]
            case exp.Merge():
                return [expression]
            case exp.Create():
                expression = expression.copy()
                for property_ in list(expression.find_all(exp.TemporaryProperty)):
                    property_.pop()
                _name_the_columns(expression)
        exploded: list[exp.Expr] = super()._transform_explode(expression)
        return exploded

    def _transform(self, expression: exp.Expr, params: Any) -> exp.Expr:
        chain = super()._transform(_ChangedInPlace(expression.copy()), params)
        transformed: exp.Expr = chain.expression
        for function in list(transformed.find_all(exp.CurrentWarehouse)):
            function.replace(exp.Literal.string(self._conn.warehouse))
        return transformed

    def _execute(self, transformed: exp.Expr, params: Any = None) -> None:
        answer = None
        match transformed:
            case exp.Transaction():
                self._duck_conn.execute("begin")
                self._conn._in_transaction = True
                answer = SQL_SUCCESS
            case exp.Merge():
                merged = self._duck_conn.execute(transformed.sql(dialect="duckdb"), params)
                answer = f"select {merged.fetchall()[0][0]} as 'number of rows merged'"
        if answer:
            transformed, params = sqlglot.parse_one(answer, read="duckdb"), None
        super()._execute(transformed, params)


def _name_the_columns(create: exp.Create) -> None:
    """Say the columns instead of `*` where a table is created as a query with a list of them."""
    if isinstance(create.this, exp.Schema) and create.expression:
        query = create.expression.unnest()
        if isinstance(query, exp.Select) and query.is_star:
            query.set("expressions", [exp.column(c.name) for c in create.this.expressions])


class _Connection(FakeSnowflakeConnection):  # type: ignore[misc]
    statements: list[str]
    warehouse: str

    def cursor(self, cursor_class: Any = None) -> _Cursor:  # noqa: ARG002 - fakesnow's signature
        return _Cursor(conn=self, duck_conn=self._duck_conn)


class _Account(FakeSnow):  # type: ignore[misc]
    def __init__(self, warehouse: str) -> None:
        super().__init__(nop_regexes=[_QUERY_TAG])
        self.warehouse = warehouse
        self.statements: list[str] = []

    def connect(self, database: str | None = None, schema: str | None = None, **kwargs: Any) -> Any:
        kwargs["nop_regexes"] = self.nop_regexes
        # As on Snowflake, to name a database or schema that is not there creates none.
        connection = _Connection(
            self.duck_conn.cursor(),
            self.results_cache,
            database,
            schema,
            create_database=False,
            create_schema=False,
            **kwargs,
        )
        connection.statements = self.statements
        connection.warehouse = self.warehouse
        return connection


def _without_retries(endpoint: Endpoint) -> Endpoint:
    """Answer what the server cannot do as Snowflake answers a wrong statement, never with a 500."""

    async def answer(request: Request) -> JSONResponse:
        try:
            response = await endpoint(request)
        except Exception as error:
            failure = {"code": "261000", "message": repr(error), "success": False, "data": None}
            return JSONResponse(failure)
        if response.status_code >= 500:
            response.status_code = 200
        return response

    return answer


@functools.lru_cache(maxsize=8)
def _parsed(sql: str, read: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read=read)


def _untransformed(expression: exp.Expr) -> exp.Expr:
    return expression


def _table_comment_sql(catalog: str, schema: str, table: str, comment: str | None) -> str:
    escaped = (comment or "").replace("'", "''")
    return str(_insert_table_comment_sql(catalog, schema, table, escaped))


_insert_table_comment_sql = info_schema.insert_table_comment_sql


@dataclass(frozen=True)
class SnowflakeEmulator:
    """A running account as infra leaves it: the environment's database and its raw schema.

    Attributes:
        names: Names of the environment that the account holds.
        port: Where it listens on this machine.
        connection: The DuckDB database behind it.
        statements: Every statement that was sent to it, in the order of arrival.
    """

    names: Names
    port: int
    connection: duckdb.DuckDBPyConnection
    statements: list[str]

    @contextlib.contextmanager
    def warehouse_attached(self, workspace: Workspace) -> Iterator[str]:
        """The workspace's DuckDB warehouse beside the account; yields its database's name."""
        # Its views name the database, so it must be attached by its own name.
        name = workspace.warehouse.stem
        self.connection.execute(f"attach '{workspace.warehouse}' as {name} (read_only)")
        try:
            yield name
        finally:
            self.connection.execute(f"detach {name}")

    def copy_raw(self, workspace: Workspace) -> None:
        """Give the raw schema the rows that the workspace's has (Snowpipe's work, in short)."""
        schema = self.names.schema(Layer.RAW)
        with self.warehouse_attached(workspace) as source:
            columns = self.connection.execute(
                "select table_name, column_name from duckdb_columns() "
                f"where database_name = '{source}' and schema_name = '{schema}' "
                "order by table_name, column_index"
            ).fetchall()
            for table in {name for name, _ in columns}:
                # Snowflake's names are upper case, and dbt-snowflake's contracts see the case.
                renamed = ", ".join(f"{c} as {c.upper()}" for name, c in columns if name == table)
                self.connection.execute(
                    f"create or replace table {self.names.database}.{schema.upper()}"
                    f".{table.upper()} as select {renamed} from {source}.{schema}.{table}"
                )


@contextlib.contextmanager
def snowflake_emulator(names: Names) -> Iterator[SnowflakeEmulator]:
    """Run an emulated account for an environment's names."""
    account = _Account(names.warehouse(Workload.TRANSFORM))
    session = account.connect()
    session.cursor().execute(f"create database {names.database}")
    session.cursor().execute(f"create schema {names.database}.{names.schema(Layer.RAW)}")
    routes = [
        Route(route.path, _without_retries(route.endpoint), methods=list(route.methods or []))
        if route.methods == {"POST"} and route.path != "/queries/v1/abort-request"
        else route
        for route in fakesnow.server.routes
    ]
    with contextlib.closing(socket.socket()) as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), host=_HOST, port=port, log_level="critical")
    )
    with contextlib.ExitStack() as patches:
        for owner, name, replacement in (
            (fakesnow.server, "shared_fs", account),
            (fakesnow.server, "parse_one", _parsed),
            (fakesnow.cursor, "parse_one", _parsed),
            (fakesnow.transforms, "numeric_agg_implicit_cast", _untransformed),
            (fakesnow.transforms, "trim_cast_varchar", _untransformed),
            (info_schema, "insert_table_comment_sql", _table_comment_sql),
            # dbt prints what went wrong; these would repeat it with the whole statement.
            (logging.getLogger("fakesnow.server"), "disabled", True),
            (logging.getLogger("sqlglot"), "disabled", True),
        ):
            patches.enter_context(mock.patch.object(owner, name, replacement))
        thread = threading.Thread(target=server.run, name="snowflake emulator", daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not server.started:
                time.sleep(0.05)
            assert server.started, "the emulator did not start"
            yield SnowflakeEmulator(names, port, session._duck_conn, account.statements)
        finally:
            server.should_exit = True
            thread.join()
            fakesnow.server.sessions.clear()


def new_private_key() -> str:
    """A key pair's private half, as an environment's secret holds it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@dataclass(frozen=True)
class EmulatedEnvironment:
    """A Snowflake environment of a workspace, reached as `olist --env` reaches it.

    The profile is dbt/profiles.yml itself with the three keys that lead to another host than
    Snowflake's; the private key is a fresh one.
    """

    workspace: Workspace
    emulator: SnowflakeEmulator
    private_key: str = field(default_factory=new_private_key, repr=False)

    @property
    def target_path(self) -> Path:
        """Folder of dbt's artifacts."""
        return self.workspace.home / "data" / self.emulator.names.environment / "dbt"

    @contextlib.contextmanager
    def session(self) -> Iterator[Any]:
        """A session of the platform's own, as `snowflake_connection` opens it."""
        environment = load_environment(self.emulator.names.environment)
        assert environment.warehouse.engine == "snowflake"
        variable = environment.warehouse.private_key.environment_variable
        options = {"host": _HOST, "port": self.emulator.port, "protocol": "http"}
        with (
            mock.patch.dict("os.environ", {variable: self.private_key}),
            open_snowflake(environment, Workload.TRANSFORM, **options) as connection,
        ):
            yield connection

    def dbt(self, *arguments: str, expect: int | None = 0) -> str:
        """Run `olist dbt --env <environment>`; return what it printed."""
        environment = self.emulator.names.environment
        secret = load_environment(environment).warehouse
        assert secret.engine == "snowflake"
        profiles = read_yaml(dbt_project_folder() / "profiles.yml")
        profiles["olist"]["outputs"][environment.value] |= {
            "host": _HOST,
            "port": self.emulator.port,
            "protocol": "http",
        }
        folder = self.workspace.home / "profiles"
        folder.mkdir(exist_ok=True)
        write_yaml(folder / "profiles.yml", profiles)
        with mock.patch.dict(
            "os.environ", {secret.private_key.environment_variable: self.private_key}
        ):
            return self.workspace.olist(
                "dbt",
                *("--env", environment.value, "--", *arguments),
                *("--profiles-dir", folder),
                expect=expect,
            )
