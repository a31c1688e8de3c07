"""What has to hold before a production run begins; each check raises an error that says the mend.

The money, the age of the landing and the reference date are judged by pure functions; what they
judge is read from the environment's own warehouse and landing.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from olist_platform.cost.budget import MonthCost
from olist_platform.cost.month import read_month
from olist_platform.dag_source import checkout_is_chosen
from olist_platform.dbt_command import dbt_variables
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import BudgetUsedUpError, OlistError, SourceLateError
from olist_platform.landing.layout import MisplacedFileError, parse_landing_path
from olist_platform.landing.store import landing_store
from olist_platform.monitoring.monitored_warehouse import open_monitored_warehouse
from olist_platform.naming import Layer, Workload
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.running_release import (
    library_differences,
    release_check,
    running_release,
)
from olist_platform.settings_model import SecretReference, Settings
from olist_platform.snowflake_connection import open_snowflake
from olist_platform.source_catalog import CATALOG, SOURCE_TIME_ZONE

_ORDERS = "orders"
_LAND_THE_REST = "see platform/docs/runbooks/freshness.md; run again when the rest has landed"


def check_environment(environment: Environment) -> None:
    """Check that every secret is set and that the warehouse can be opened for writing.

    Raises:
        OlistError: Secrets are not set (all of them are named), or the warehouse is locked, broken
            or out of reach.
    """
    missing = sorted(
        reference.environment_variable
        for reference in _secrets(environment)
        if not reference.is_set()
    )
    if missing:
        raise OlistError(
            f"secrets of environment '{environment.name}' are not set: {', '.join(missing)}",
            "export them where Airflow's tasks run",
        )
    dbt_variables(environment)
    if isinstance(environment.warehouse, DuckDBWarehouse):
        # For writing: a reader elsewhere would let this one read, and then hold dbt up.
        with open_warehouse(environment.duckdb_path):
            return
    with open_snowflake(environment, Workload.TRANSFORM) as connection:
        connection.cursor().execute("select 1")


def check_release(environment: Environment) -> str:
    """Check that the DAGs that run are those of the deployed release; see `release_check`.

    Returns:
        What runs, for the log of the run.

    Raises:
        FinalError: Another release is deployed.
        OlistError: The record is out of reach.
    """
    running = running_release()
    deployed = environment_record(environment).state().current
    if running is None and deployed is not None and checkout_is_chosen(environment):
        return f"a checkout, as was asked for; deployed is release {deployed.release}"
    return release_check(
        environment.name,
        running,
        deployed.release if deployed else None,
        library_differences(running.manifest) if running else (),
    )


def check_landing(environment: Environment, now: datetime) -> None:
    """Check that extracts have landed, not too long ago, and whole where they come by a clock.

    Raises:
        SourceLateError: The landing is empty or late, or a part of the newest extract is missing.
        OlistError: The landing is out of reach.
    """
    store = landing_store(environment)
    within_hours = environment.production.landing_within_hours
    newest: dict[str, date] = {}
    for file in store.list_files():
        try:
            place = parse_landing_path(file.path)
        except MisplacedFileError:
            continue
        name = place.dataset.name
        newest[name] = max(newest.get(name, place.extract_date), place.extract_date)
    require_fresh_extracts(newest.values(), within_hours, now, store.url)
    if within_hours is not None:
        require_whole_extract(newest, store.url)


def require_fresh_extracts(
    days: Iterable[date], within_hours: float | None, now: datetime, landing: str
) -> None:
    """Check that the newest extract is of a day that ended not too long ago.

    Args:
        days: Extract days of the landing files.
        within_hours: How long ago the newest one may have ended, hours; None for any.
        now: The moment, with a time zone.
        landing: The landing's place, for the message.

    Raises:
        SourceLateError: There is none, or the newest one is too old.
    """
    newest = max(days, default=None)
    if newest is None:
        raise SourceLateError(
            f"{landing}: no landing file of any dataset", "land the extracts: olist land <folder>"
        )
    if within_hours is None:
        return
    end = datetime.combine(newest + timedelta(days=1), time(), ZoneInfo(SOURCE_TIME_ZONE))
    age_hours = (now - end).total_seconds() / 3600
    if age_hours > within_hours:
        raise SourceLateError(
            f"{landing}: the source is late: the newest extract is of {newest}, which ended"
            f" {age_hours:.0f} hours ago; at most {within_hours:g} are expected",
            "see platform/docs/runbooks/freshness.md; run again when the extract has landed",
        )


def require_whole_extract(newest: Mapping[str, date], landing: str) -> None:
    """Check that whatever comes nightly has come with the newest orders.

    Orders without their items or payments would be published as a day without sales.

    Args:
        newest: Newest extract day of each dataset that has landed.
        landing: The landing's place, for the message.

    Raises:
        SourceLateError: Something is missing; the message names it.
    """
    night = newest.get(_ORDERS)
    if night is None:
        raise SourceLateError(f"{landing}: no extract of {_ORDERS} has landed", _LAND_THE_REST)
    missing = [
        dataset.name
        for dataset in CATALOG
        if dataset.is_nightly and newest.get(dataset.name, date.min) < night
    ]
    if missing:
        raise SourceLateError(
            f"{landing}: the extract of {night} is not whole: {', '.join(missing)} has not landed",
            _LAND_THE_REST,
        )


def check_budget(environment: Environment, now: datetime) -> None:
    """Check that the month's budget is not used up, as monitoring reckons it.

    Raises:
        BudgetUsedUpError: It is.
        OlistError: The warehouse cannot be asked.
    """
    with open_monitored_warehouse(environment) as warehouse:
        require_budget_left(read_month(environment, warehouse, now), now)


def require_budget_left(month: MonthCost, now: datetime) -> None:
    """Check that a month has cost less than its budget allows.

    Raises:
        BudgetUsedUpError: Nothing of the budget is left.
    """
    if month.left <= 0:
        raise BudgetUsedUpError(
            f"the month's budget is used up: {month.spent:,.2f} of {month.budget:,.2f} {month.unit}"
            f" ({month.spent_share:.0%})",
            "see platform/docs/runbooks/cost-budget.md; the budget is a key of the environment",
            month.subject_in(now),
        )


def latest_purchase_date(environment: Environment) -> date | None:
    """Return the local day of the newest purchase in raw; None where nothing is loaded.

    Raises:
        OlistError: The warehouse cannot be asked.
    """
    schema = environment.names.schema(Layer.RAW)
    value = _scalar(
        environment,
        schema,
        "orders",
        "select max(try_cast(order_purchase_timestamp as date))"  # noqa: S608 - our own names
        f" from {schema}.orders",
    )
    return value if isinstance(value, date) else None


def _scalar(environment: Environment, schema: str, table: str, statement: str) -> Any:
    """Return the one value a statement asks a table for; None where there is no such table."""
    # Snowflake's names are upper case.
    existing = (
        "select count(*) from information_schema.tables"  # noqa: S608 - our own names
        f" where lower(table_schema) = '{schema}' and lower(table_name) = '{table}'"
    )
    if isinstance(environment.warehouse, DuckDBWarehouse):
        path = environment.duckdb_path
        if not path.exists():
            return None
        with open_warehouse(path, read_only=True) as connection:
            [(tables,)] = connection.execute(existing).fetchall()
            return connection.execute(statement).fetchall()[0][0] if tables else None
    with open_snowflake(environment, Workload.REPORT) as connection:
        cursor = connection.cursor()
        [(tables,)] = cursor.execute(existing).fetchall()
        return cursor.execute(statement).fetchall()[0][0] if tables else None


def _secrets(settings: Settings) -> Iterable[SecretReference]:
    for _, value in settings:
        if isinstance(value, SecretReference):
            yield value
        elif isinstance(value, Settings):
            yield from _secrets(value)
