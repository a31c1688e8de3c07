"""The main job on this machine: files -> landing -> raw -> the DAG -> published marts."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from olist_platform.airflow_home import the_only_run
from olist_platform.airflow_services import require_no_services
from olist_platform.dag_run import DagRunSummary, run_production_dag
from olist_platform.dashboards.site import first_page
from olist_platform.dbt_command import fresh_manifest
from olist_platform.demo_state import set_aside_other_input
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.file_lock import held_or_refused
from olist_platform.generator.dataset import generate_dataset
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.landing.land import LandResult, land_backfill
from olist_platform.landing.source_files import find_source_files
from olist_platform.landing.store import landing_store
from olist_platform.progress import Progress
from olist_platform.project_vars import project_vars
from olist_platform.raw_loading.loader import load_landing
from olist_platform.raw_loading.results import LoadResult
from olist_platform.repository import state_folder
from olist_platform.warehouse_query import query_warehouse

_LOCK = "demo.lock"
# As on the first page: where an extract of data ends, months have next to no orders.
_LAST_COMPLETE_MONTHS = """
select
    strftime(period_start, '%Y-%m') as month, gmv, gmv_growth, orders, customers, aov,
    on_time_rate, avg_review_score
from mart_executive_kpis
where period_type = 'month' and is_complete
order by orders_placed < {fewest_orders}, period_start desc
limit 3
"""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a demo did.

    Attributes:
        source: Folder or zip of the files.
        set_aside: Where the state of another input was moved to, or None.
        was_built: Whether the warehouse held this input's marts before.
        landed: What was landed.
        loaded: What was loaded.
        dag: How the production DAG ran.
        months: See `last_complete_months`.
        first_page: First page of the dashboards, which the DAG made.
    """

    source: Path
    set_aside: Path | None
    was_built: bool
    landed: LandResult
    loaded: LoadResult
    dag: DagRunSummary
    months: pa.Table
    first_page: Path


class DemoSteps(Protocol):
    """How the steps of a demo are shown."""

    def step(self, title: str) -> AbstractContextManager[Progress]:
        """Return a context for one step; its value is told how much of how much is done."""

    def task(self, task_id: str, state: str) -> None:
        """Take note that a task of the DAG has a new state."""


def run_demo(
    environment: Environment, steps: DemoSteps, source: Path | None, *, allow_missing: bool
) -> DemoResult:
    """Run the main job; done again it is incremental, interrupted it goes on.

    Args:
        environment: An environment on DuckDB with a landing folder.
        steps: Told of every step.
        source: Folder or zip of the files, or None to generate Olist's real size.
        allow_missing: Whether datasets may be missing in `source`.

    Raises:
        OlistError: Any step fails, or another demo or DAG run is going on; the message says what
            to mend.
    """
    lock = state_folder(environment.name) / _LOCK
    # Of two inputs at once, one would be set aside under the hands of the other.
    with held_or_refused(lock, "another demo is going on", "wait for its end, or stop it"):
        return _run_alone(environment, steps, source, allow_missing=allow_missing)


def _run_alone(
    environment: Environment, steps: DemoSteps, source: Path | None, *, allow_missing: bool
) -> DemoResult:
    # Before anything is changed under it.
    require_no_services(environment)
    if source is not None:
        # Before anything is set aside for an input that cannot be landed.
        find_source_files(source, allow_missing=allow_missing)
    settings = GeneratorSettings()
    identity = {"from": str(source.resolve())} if source else {"generated": repr(settings)}
    # Not under a DAG run that builds from what would be set aside.
    with the_only_run(environment):
        set_aside = set_aside_other_input(environment, identity)
    was_built = environment.duckdb_path.exists()
    if source is None:
        source = state_folder(environment.name) / "generated"
        # Made anew each time: it takes seconds, equal settings give equal bytes, and files left by
        # an interrupted run or an older generator cannot be mistaken for whole ones.
        with steps.step("generate") as counter:
            generate_dataset(settings, source, counter)
    store = landing_store(environment)
    with steps.step("land") as counter:
        landed = land_backfill(source, store, allow_missing=allow_missing, progress=counter)
    with steps.step("load") as counter:
        loaded = load_landing(environment, store, progress=counter)
    if loaded.rejected:
        first = loaded.rejected[0]
        raise OlistError(
            f"{len(loaded.rejected)} landing files cannot be loaded; {first.path}: {first.reason}",
            "mend the file in the source and run again; `olist load` names all of them",
        )
    with steps.step("parse dbt"):
        fresh_manifest(environment)
    with steps.step("run DAG"):
        dag = run_production_dag(environment, steps.task)
    months = last_complete_months(environment)
    return DemoResult(
        source, set_aside, was_built, landed, loaded, dag, months, first_page(environment)
    )


def last_complete_months(environment: Environment) -> pa.Table:
    """Return three months of the published `mart_executive_kpis`, the newest first.

    Those of fewer orders than the var `kpi_alert_minimum_orders` come last.
    """
    fewest_orders = project_vars()["kpi_alert_minimum_orders"]
    return query_warehouse(
        environment.serving_path,
        _LAST_COMPLETE_MONTHS.format(fewest_orders=fewest_orders),
        is_published=True,
    )
