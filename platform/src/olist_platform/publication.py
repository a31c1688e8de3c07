"""Publishing: the marts of a build that passed its tests, handed to their readers.

On DuckDB readers get a file of their own, replaced whole by a rename; on Snowflake each mart is
cloned into the serving schema. Why: platform/docs/decisions/publish-what-passed.md.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from olist_platform.dbt_command import dbt_target_path, manifest_path, run_dbt
from olist_platform.dbt_run_results import count_results, invocation_id
from olist_platform.duckdb_warehouse import duckdb_errors_explained, open_warehouse, sql_literal
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.locks import held_alone
from olist_platform.naming import Layer

_FAULTS_SHOWN = 10
_LOCK = ".publish.lock"
_BUILD_FIRST = "run `olist dbt -- build`, then `olist publish`"

# Column, type and meaning of the table that says what was published.
_PUBLICATION_COLUMNS = (
    ("relation_name", "varchar", "Mart."),
    ("row_count", "bigint", "Rows of the mart."),
    ("as_of_date", "date", "Reference date of its figures; null where it has no such column."),
    ("published_at", "timestamp", "When it was published, UTC."),
    ("dbt_invocation_id", "varchar", "dbt invocation that tested it; null where unknown."),
    ("content_checksum", "varchar", "Equal for equal rows, in whatever order."),
)


@contextmanager
def only_publication(folder: Path) -> Iterator[None]:
    """Hold the place for the one publication to a folder; the system frees it with the process.

    Raises:
        OlistError: Another publication is going on.
    """
    taken = OlistError(f"another publication to {folder} is going on", "wait for its end")
    with held_alone(folder / _LOCK, taken):
        yield


def published_marts(manifest: Path) -> tuple[str, ...]:
    """Return the names of the marts that consumers may read: public models of the marts' folder.

    Args:
        manifest: dbt's manifest of the environment.

    Raises:
        OlistError: The manifest is missing, or holds no such model.
    """
    with os_errors_explained(manifest):
        nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    marts = sorted(
        node["alias"]
        for node in nodes.values()
        if node["resource_type"] == "model"
        and node["fqn"][1] == Layer.MARTS
        and node["access"] == "public"
    )
    if not marts:
        raise OlistError(
            f"{manifest}: no public model in the folder of the marts", "olist dbt -- ls"
        )
    return tuple(marts)


def require_passing_tests(environment: Environment) -> str | None:
    """Run dbt's data tests on the marts and on everything they are built from.

    Unit tests are left out: they tell of the code that is here now, not of the rows that were
    built.

    Returns:
        dbt's identifier of the invocation.

    Raises:
        OlistError: A mart is not built, a test fails, and the message names it; or dbt could not
            run them.
    """
    if isinstance(environment.warehouse, DuckDBWarehouse):
        # Else every test would fail of what is not there, and be a fault of its own to monitoring.
        marts = published_marts(manifest_path(environment))
        working = _existing_warehouse(environment)
        with open_warehouse(working, read_only=True) as connection:
            schema = environment.names.schema(Layer.MARTS)
            _require_built(connection, environment.names.duckdb_database, schema, marts)
    results = dbt_target_path(environment) / "run_results.json"
    results.unlink(missing_ok=True)
    run = run_dbt(
        environment,
        [
            "test",
            "--quiet",
            *("--select", f"+path:models/{Layer.MARTS}"),
            *("--exclude-resource-type", "unit_test"),
        ],
        quiet=True,
    )
    counts = count_results([results])
    if counts.faults:
        raise OlistError(
            _listed("nothing is published: dbt tests fail", counts.faults),
            f"mend what they tell of, {_BUILD_FIRST}",
        )
    if run.returncode or not counts.tests:
        raise OlistError(f"nothing is published: dbt could not run the tests:\n{run.stdout}")
    return invocation_id(results)


def publish(environment: Environment, dbt_invocation_id: str | None = None) -> tuple[str, ...]:
    """Publish the marts as they stand in the working warehouse; testing them is the caller's part.

    Args:
        environment: Where to publish; its manifest says which models are marts.
        dbt_invocation_id: The dbt invocation that tested them, for the record.

    Returns:
        The names of the marts published.

    Raises:
        OlistError: A mart is missing or of another day than the rest, a file cannot be written, or
            another publication is going on. What was published before stays.
    """
    marts = published_marts(manifest_path(environment))
    if isinstance(environment.warehouse, DuckDBWarehouse):
        _replace_copy(environment, marts, dbt_invocation_id)
    else:
        _clone_tables(environment, dbt_invocation_id)
    return marts


def published_copy(environment: Environment) -> Path:
    """Return the DuckDB file that consumers read.

    Raises:
        OlistError: Nothing is published yet.
    """
    path = environment.serving_path
    if not path.exists():
        raise OlistError(
            f"nothing is published yet: {path} does not exist",
            "run `make demo` or `olist publish`; `olist query --working` asks what is being built",
        )
    return path


def _clone_tables(environment: Environment, dbt_invocation_id: str | None) -> None:
    arguments = json.dumps({"dbt_invocation_id": dbt_invocation_id})
    run = run_dbt(
        environment, ["run-operation", "--quiet", "publish_marts", "--args", arguments], quiet=True
    )
    if run.returncode:
        raise OlistError(f"the marts could not be published:\n{run.stdout}{run.stderr}")


def _replace_copy(
    environment: Environment, marts: Sequence[str], dbt_invocation_id: str | None
) -> None:
    """Write the copy beside the former one and let it take that one's name, which is one step.

    Readers who have the former file open keep it until they close it.
    """
    working, serving = _existing_warehouse(environment), environment.serving_path
    with os_errors_explained(serving.parent):
        serving.parent.mkdir(parents=True, exist_ok=True)
        with only_publication(serving.parent):
            partial = serving.with_name(f"{serving.name}.part")
            # What a killed publication left.
            _remove(partial)
            try:
                write_copy(environment, partial, marts, dbt_invocation_id, working)
                partial.replace(serving)
            finally:
                _remove(partial)


def _existing_warehouse(environment: Environment) -> Path:
    working = environment.duckdb_path
    if not working.exists():
        raise OlistError(f"there is no warehouse yet: {working} does not exist", _BUILD_FIRST)
    return working


def _require_built(
    connection: duckdb.DuckDBPyConnection, catalog: str, schema: str, marts: Sequence[str]
) -> None:
    built = connection.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = ? and table_schema = ?",
        [catalog, schema],
    ).fetchall()
    missing = sorted(set(marts) - {name for (name,) in built})
    if missing:
        raise OlistError(f"marts that are not built yet: {', '.join(missing)}", _BUILD_FIRST)


def write_copy(
    environment: Environment,
    path: Path,
    marts: Sequence[str],
    dbt_invocation_id: str | None,
    working: Path,
) -> None:
    """Write the file that readers get, from the marts of a DuckDB warehouse.

    Args:
        environment: Gives threads, memory and names.
        path: The file, which is not there yet.
        marts: Names of the marts.
        dbt_invocation_id: The dbt invocation that tested them, for the record.
        working: The warehouse that they stand in.

    Raises:
        OlistError: A mart is missing or of another day than the rest, or a file cannot be used.
    """
    settings = environment.warehouse
    memory = settings.memory_limit_gib if isinstance(settings, DuckDBWarehouse) else None
    names = environment.names
    with open_warehouse(path, threads=settings.threads, memory_limit_gib=memory) as connection:
        with duckdb_errors_explained(working):
            connection.execute(f"attach {sql_literal(working)} as working (read_only)")
        copy = _Copy(connection, f"working.{names.schema(Layer.MARTS)}")
        _require_built(connection, "working", names.schema(Layer.MARTS), marts)
        for mart in marts:
            copy.add(mart)
        copy.record(names.publication_table, marts, dbt_invocation_id)
        connection.execute("detach working")
        connection.execute("checkpoint")


class _Copy:
    """The file that is written, and the schema its marts come from."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:
        self._connection = connection
        self._source = source
        self._catalog, self._schema = source.split(".")

    def add(self, mart: str) -> None:
        self._connection.execute(f'create table "{mart}" as from {self._source}."{mart}"')
        comments = self._connection.execute(
            "select column_name, comment from duckdb_columns() where database_name = ?"
            " and schema_name = ? and table_name = ? and comment is not null",
            [self._catalog, self._schema, mart],
        ).fetchall()
        for column, comment in comments:
            self._comment(mart, column, comment)

    def record(self, table: str, marts: Sequence[str], dbt_invocation_id: str | None) -> None:
        published_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        columns = ", ".join(f"{name} {kind}" for name, kind, _ in _PUBLICATION_COLUMNS)
        self._connection.execute(f"create table {table} ({columns})")
        for name, _, meaning in _PUBLICATION_COLUMNS:
            self._comment(table, name, meaning)
        for mart in marts:
            rows, checksum = self._measure(mart)
            self._connection.execute(
                f"insert into {table} values (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own table
                [mart, rows, self._as_of_date(mart), published_at, dbt_invocation_id, checksum],
            )
        days = self._connection.execute(
            f"select as_of_date, string_agg(relation_name, ', ' order by relation_name)"  # noqa: S608
            f" from {table} where as_of_date is not null group by as_of_date order by as_of_date"
        ).fetchall()
        if len(days) > 1:
            raise OlistError(
                "the marts are not of one day: "
                + "; ".join(f"{names} of {day}" for day, names in days),
                _BUILD_FIRST,
            )

    def _measure(self, mart: str) -> tuple[int, str]:
        """Return the number of rows, and a checksum of them that their order does not change."""
        [(rows, checksum)] = self._connection.execute(
            f"""
            select
                count(*),
                md5(concat_ws(
                    ':', count(*), sum(md5_number_lower(content)), sum(md5_number_upper(content))
                ))
            from (select mart_row::varchar as content from "{mart}" as mart_row)
            """  # noqa: S608 - a name of the manifest
        ).fetchall()
        return rows, checksum

    def _as_of_date(self, mart: str) -> object:
        columns = self._connection.execute(f'describe "{mart}"').fetchall()
        if "as_of_date" not in {name for name, *_ in columns}:
            return None
        [(day,)] = self._connection.execute(
            f'select max(as_of_date) from "{mart}"'  # noqa: S608 - a name of the manifest
        ).fetchall()
        return day

    def _comment(self, table: str, column: str, comment: str) -> None:
        self._connection.execute(
            f'comment on column "{table}"."{column}" is {sql_literal(comment)}'
        )


def _remove(path: Path) -> None:
    """Remove a DuckDB file and what DuckDB keeps beside it."""
    for leftover in (path, path.with_name(f"{path.name}.wal")):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)


def _listed(what: str, faults: Sequence[str]) -> str:
    lines = [f"{what}:", *[f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  ... and {len(faults) - _FAULTS_SHOWN} more")
    return "\n".join(lines)
