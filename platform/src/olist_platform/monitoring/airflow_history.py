"""How runs of the DAGs and their tasks fared, from Airflow's metadata database, read only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from olist_platform.airflow_home import airflow_database, airflow_home
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.moments import as_utc

# Cosmos' tasks of nodes only watch the one that runs dbt; how long a model takes, dbt says itself.
_TASKS = """
    select dag_id, task_id, run_id, state, start_date, end_date
    from task_instance
    where start_date is not null and start_date >= :since
      and (operator is null or operator not like 'Dbt%' or operator like '%Producer%')
    order by start_date
"""
_RUNS = """
    select dag_id, run_id, state, start_date, end_date
    from dag_run
    where start_date is not null and start_date >= :since
    order by start_date
"""


@dataclass(frozen=True, slots=True)
class AirflowRun:
    """A run of a DAG, or of one of its tasks.

    Attributes:
        dag_id: The DAG.
        task_id: The task; None for the run of the whole DAG.
        run_id: Airflow's name of the run.
        state: Airflow's state.
        started_at: When it began, UTC.
        ended_at: When it ended, UTC; None while it goes on.
    """

    dag_id: str
    task_id: str | None
    run_id: str
    state: str
    started_at: datetime
    ended_at: datetime | None

    @property
    def name(self) -> str:
        """What it is a run of."""
        return f"{self.dag_id}.{self.task_id}" if self.task_id else self.dag_id

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes so far."""
        return ((self.ended_at or now) - self.started_at).total_seconds()


def airflow_runs(environment: Environment, now: datetime, days: int) -> list[AirflowRun]:
    """Return the runs of DAGs and tasks that began in the last days, oldest first.

    Returns:
        The runs; none where this machine's private Airflow has never run.

    Raises:
        OlistError: The database cannot be reached or read.
    """
    engine = _engine(environment)
    if engine is None:
        return []
    since = now - timedelta(days=days)
    try:
        with engine.connect() as connection:
            # Airflow's SQLite holds moments as texts without zone, which is UTC.
            parameter = {
                "since": since.strftime("%Y-%m-%d %H:%M:%S")
                if engine.dialect.name == "sqlite"
                else since
            }
            return [
                AirflowRun(
                    dag_id=row.dag_id,
                    task_id=getattr(row, "task_id", None),
                    run_id=row.run_id,
                    state=row.state or "none",
                    started_at=_moment(row.start_date),
                    ended_at=_moment(row.end_date) if row.end_date else None,
                )
                for statement in (_RUNS, _TASKS)
                for row in connection.execute(text(statement), parameter)
            ]
    except DBAPIError as error:
        raise OlistError(
            f"Airflow's metadata database cannot be read: {error.orig}",
            "check the address in the environment's monitoring.airflow_database",
        ) from error


def _engine(environment: Environment) -> Engine | None:
    reference = environment.monitoring.airflow_database
    if reference is None:
        path = airflow_database(airflow_home(environment))
        if not path.is_file():
            return None
        address = URL.create("sqlite", database=f"file:{path}", query={"mode": "ro", "uri": "true"})
        return create_engine(address, poolclass=NullPool)
    try:
        return create_engine(make_url(reference.read().get_secret_value()), poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise OlistError(
            f"{reference.environment_variable} does not lead to a database",
            "give it an SQLAlchemy address, such as postgresql+psycopg2://user:password@host/name",
        ) from error


def _moment(value: datetime | str) -> datetime:
    return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)
