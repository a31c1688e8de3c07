"""Questions to Snowflake's ACCOUNT_USAGE, and what its answers say of warehouses and queries.

WAREHOUSE_METERING_HISTORY lags up to three hours (its cloud services up to six),
QUERY_ATTRIBUTION_HISTORY up to eight, and it leaves out idle time and queries under about a tenth
of a second. No live account could be reached from where this was written: names and types of
columns are those of Snowflake's documentation, and the questions run on tables of that shape in the
emulator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from olist_platform.project_vars import project_vars

Row = Mapping[str, Any]

_METERING_COLUMNS = """
    warehouse_name,
    cast(start_time as date) as usage_date,
    sum(credits_used) as credits_used,
    sum(credits_used_compute) as credits_used_compute,
    sum(credits_used_cloud_services) as credits_used_cloud_services,
    sum(credits_attributed_compute_queries) as credits_attributed_compute_queries,
    max(end_time) as metered_until
"""
_ATTRIBUTION_COLUMNS = """
    warehouse_name,
    cast(start_time as date) as usage_date,
    sum(credits_attributed_compute) as credits_attributed_compute,
    sum(coalesce(credits_used_query_acceleration, 0)) as credits_used_query_acceleration
"""
# Never the text of a query: it may hold what somebody looked for.
_QUERY_COLUMNS = """
    history.query_parameterized_hash as query_hash,
    max(history.query_id) as query_id,
    max(history.query_tag) as query_tag,
    max(history.query_type) as query_type,
    max(history.warehouse_name) as warehouse_name,
    max(history.warehouse_size) as warehouse_size,
    count(*) as runs,
    sum(attribution.credits_attributed_compute) as credits,
    sum(history.total_elapsed_time) as elapsed_ms,
    sum(history.compilation_time) as compilation_ms,
    sum(history.queued_overload_time) as queued_ms,
    sum(history.partitions_scanned) as partitions_scanned,
    sum(history.partitions_total) as partitions_total,
    sum(history.bytes_scanned) as bytes_scanned,
    sum(history.bytes_spilled_to_local_storage) as bytes_spilled_to_local,
    sum(history.bytes_spilled_to_remote_storage) as bytes_spilled_to_remote
"""

_MOST_QUERIES = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a relation, as a monitored warehouse takes it."""

    relation: str
    columns: str
    clauses: str


def metering(since: datetime) -> Question:
    """Ask for the credits of each warehouse and UTC day."""
    return Question(
        f"{_schema()}.warehouse_metering_history",
        _METERING_COLUMNS,
        f"where start_time >= {_literal(since)} group by warehouse_name, cast(start_time as date)",
    )


def attribution(since: datetime) -> Question:
    """Ask for the credits that queries account for, by warehouse and UTC day."""
    return Question(
        f"{_schema()}.query_attribution_history",
        _ATTRIBUTION_COLUMNS,
        f"where start_time >= {_literal(since)} group by warehouse_name, cast(start_time as date)",
    )


def top_queries(since: datetime, database: str, limit: int = 10) -> Question:
    """Ask for the queries of a database that cost most, those that differ in constants together."""
    return Question(
        f"{_schema()}.query_history as history",
        _QUERY_COLUMNS,
        f"inner join {_schema()}.query_attribution_history as attribution"
        " on history.query_id = attribution.query_id"
        f" where history.start_time >= {_literal(since)} and history.database_name = '{database}'"
        " group by history.query_parameterized_hash"
        f" order by credits desc limit {limit:d}",
    )


def query_durations(since: datetime, warehouse: str, most: int = _MOST_QUERIES) -> Question:
    """Ask how long the queries of a warehouse took, alike in all but constants, newest first.

    Where there are more than can be judged, it is the newest that count.
    """
    return Question(
        f"{_schema()}.query_history",
        "query_parameterized_hash as query_hash, query_id, start_time, total_elapsed_time",
        f"where start_time >= {_literal(since)} and warehouse_name = '{warehouse}'"
        " and execution_status = 'SUCCESS' and query_parameterized_hash is not null"
        f" order by start_time desc, query_id desc limit {most:d}",
    )


@dataclass(frozen=True, slots=True)
class WarehouseDay:
    """The credits of a warehouse on a UTC day; queries + unexplained + idle + cloud = metered.

    Attributes:
        warehouse: Its name.
        day: UTC day.
        metered: What is billed for, before the daily adjustment of cloud services.
        cloud_services: The part of cloud services.
        queries: Compute that single queries account for.
        unexplained: Compute that belongs to queries and to none of them: those too short to be
            listed, and what has not arrived yet. Negative where a query ran over midnight.
        idle: Compute of a running warehouse that nobody used.
        metered_until: The moment up to which the day is known.
    """

    warehouse: str
    day: date
    metered: float
    cloud_services: float
    queries: float
    unexplained: float
    idle: float
    metered_until: datetime


def warehouse_days(metered: Sequence[Row], attributed: Sequence[Row]) -> list[WarehouseDay]:
    """Take the credits of each warehouse and day apart, the newest day first.

    Args:
        metered: Answer to `metering`.
        attributed: Answer to `attribution`.
    """
    queries = {
        (row["warehouse_name"], row["usage_date"]): float(row["credits_attributed_compute"] or 0)
        for row in attributed
    }
    days = [
        _day(row, queries.get((row["warehouse_name"], row["usage_date"]), 0)) for row in metered
    ]
    return sorted(days, key=lambda day: (-day.day.toordinal(), day.warehouse))


def _day(row: Row, queries: float) -> WarehouseDay:
    compute = float(row["credits_used_compute"] or 0)
    of_queries = float(row["credits_attributed_compute_queries"] or 0)
    return WarehouseDay(
        warehouse=row["warehouse_name"],
        day=row["usage_date"],
        metered=float(row["credits_used"] or 0),
        cloud_services=float(row["credits_used_cloud_services"] or 0),
        queries=queries,
        unexplained=of_queries - queries,
        idle=compute - of_queries,
        metered_until=row["metered_until"],
    )


def _schema() -> str:
    return str(project_vars()["account_usage_schema"])


def _literal(moment: datetime) -> str:
    return f"'{moment:%Y-%m-%d %H:%M:%S}'::timestamp_ltz"
