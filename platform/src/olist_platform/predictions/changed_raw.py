"""What models would hold if raw had other rows: dbt's own SQL, in memory, beside the warehouse.

Only what hangs on the changed raw tables is built; everything else is read from the warehouse,
which nothing is written to. For the embedded engine.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from olist_platform.duckdb_warehouse import duckdb_errors_explained
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.predictions.compiled_sql import Nodes


class ChangedRaw:
    """A database in memory, with the warehouse attached for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, nodes: Nodes, raw: str) -> None:
        self._connection = connection
        self._nodes = nodes
        self._raw = raw
        self._tables: dict[str, str] = {}

    def raw_rows(self, dataset: str) -> pl.DataFrame:
        """Return the rows of a raw table as they are."""
        frame: pl.DataFrame = self._connection.execute(f"from {self._raw}.{dataset}").pl()
        return frame

    def add_rows(self, dataset: str, rows: pl.DataFrame) -> None:
        """Let a raw table have further rows, as a file of today would bring them."""
        [source] = [key for key in self._nodes if key == f"source.olist.olist.{dataset}"]
        table = f"changed_{dataset}"
        added = rows.with_row_index("_source_row", offset=1).with_columns(
            _source_file=pl.lit(f"{dataset}/dt=2100-01-01/injected.csv.gz")
        )
        self._connection.register("added", added.to_arrow())
        self._connection.execute(
            f"create or replace table {table} as from {self._raw}.{dataset} union all by name"  # noqa: S608
            f" select *, (select max(_loaded_at) from {self._raw}.{dataset}) as _loaded_at"
            " from added"
        )
        self._connection.unregister("added")
        self._tables[source] = table

    def build(self, model: str) -> None:
        """Build a model and what it rests on, as far as raw changes it."""
        self._build(f"model.olist.{model}")

    def frame(self, sql: str) -> pl.DataFrame:
        """Answer a select; models that were built have their own names.

        Args:
            sql: The select.
        """
        frame: pl.DataFrame = self._connection.execute(sql).pl()
        return frame

    def _build(self, unique_id: str) -> bool:
        """Build a node if raw changes it; return whether it does."""
        if unique_id in self._tables:
            return True
        node = self._nodes[unique_id]
        parents = node.get("depends_on", {}).get("nodes", [])
        changed = [parent for parent in parents if self._build(parent)]
        if not changed:
            return False
        code = node["compiled_code"]
        for parent in changed:
            code = code.replace(self._nodes[parent]["relation_name"], self._tables[parent])
        self._connection.execute(f"create or replace table {node['name']} as {code}")
        self._tables[unique_id] = node["name"]
        return True


@contextmanager
def open_changed_raw(environment: Environment, nodes: Nodes) -> Iterator[ChangedRaw]:
    """Open the warehouse of an environment for changes that never reach it.

    Args:
        environment: Whose warehouse.
        nodes: dbt's nodes, with the models that are to be built and all they rest on compiled.

    Raises:
        OlistError: It is not DuckDB, is missing or is locked.
    """
    settings = environment.warehouse
    path: Path = environment.duckdb_path
    if not path.exists():
        raise OlistError(f"there is no warehouse yet: {path} does not exist", "run `make demo`")
    assert isinstance(settings, DuckDBWarehouse)  # noqa: S101 - duckdb_path told otherwise
    database = environment.names.duckdb_database
    with duckdb_errors_explained(path):
        connection = duckdb.connect()
        try:
            connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
            connection.execute(f"set threads = {settings.threads:d}")
            connection.execute(f"set memory_limit = '{settings.memory_limit_gib:f}GiB'")
            literal = str(path).replace("'", "''")
            connection.execute(f"attach '{literal}' as {database} (read_only)")
            yield ChangedRaw(connection, nodes, f"{database}.raw")
        finally:
            connection.close()


def detected(changed: ChangedRaw, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return every order with how fraud rules and anomaly signals see it, with added rows.

    Returns:
        order_id, region, is_alert, is_anomaly, has_reason (whether an alert says why in whole
        sentences; null without an alert).
    """
    for dataset, added in rows.items():
        changed.add_rows(dataset, added)
    changed.build("mart_fraud_monitoring")
    return changed.frame(
        """
        select
            anomalies.order_id,
            alerts.order_id is not null as is_alert,
            anomalies.is_anomaly,
            coalesce(orders.customer_region, 'Unknown') as region,
            regexp_matches(alerts.reasons, '^[A-Z0-9][^ ]* .+[.]$') as has_reason
        from int_order_anomalies as anomalies
        inner join int_orders as orders on anomalies.order_id = orders.order_id
        left join mart_fraud_monitoring as alerts on anomalies.order_id = alerts.order_id
        order by anomalies.order_id
        """
    )
