"""Ratios of what orchestration, increments and loading cost, measured in one run."""

import json
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from olist_platform.dag_run import run_production_dag
from olist_platform.dbt_command import (
    dbt_target_path,
    fresh_manifest,
    manifest_path,
    read_manifest,
    run_dbt,
)
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.generator.dataset import generate_dataset
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.landing.land import land_daily, land_state
from olist_platform.landing.store import landing_store
from olist_platform.naming import EnvironmentName, Layer
from olist_platform.predictions.fitting import fit_models
from olist_platform.raw_loading.loader import load_landing
from olist_platform.repository import HOME_VARIABLE, repository_root
from olist_platform.source_catalog import CATALOG

# The first day that is not in the warehouse yet. Few orders of the generated range are younger: it
# ends, as the real data do, with weeks in which hardly anybody buys.
_INCREMENT_DAY = date(2018, 8, 30)
# Cosmos' name of the task that runs dbt for a stage.
_RUNS_DBT = "dbt_producer_watcher"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measured ratio; seconds are of this machine and this run only.

    Attributes:
        what: Its name.
        numerator: What was measured.
        seconds: What that took.
        denominator: What it is compared with.
        base_seconds: What that took.
        aim: What the ratio should not exceed, where something is aimed at.
    """

    what: str
    numerator: str
    seconds: float
    denominator: str
    base_seconds: float
    aim: float | None = None

    @property
    def value(self) -> float:
        """How many times the base it took."""
        return self.seconds / self.base_seconds

    @property
    def misses_its_aim(self) -> bool:
        """Whether it is above what is aimed at."""
        return self.aim is not None and self.value > self.aim


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """What was measured.

    Attributes:
        ratios: Ratios, each of two times of this run.
        peak_memory_gib: Most memory that one dbt process held, in the largest full build.
    """

    ratios: list[Ratio]
    peak_memory_gib: float


def run_benchmarks(orders: int, large_orders: int, say: Say) -> Benchmarks:
    """Measure on generated data in a folder of its own, which is removed afterwards.

    Args:
        orders: Orders to measure everything on.
        large_orders: Orders to measure growth, memory and increments on once more.
        say: Told of each step.

    Raises:
        OlistError: A step fails.
    """
    with _loaded_home(orders, say) as (environment, home, load):
        ratios = [_load_to_scan(environment, load, say)]
        small_build = _full_build(environment, say)
        ratios += [
            *_day_to_everything(environment, home, orders, say),
            *_dag_to_build(environment, orders, say),
        ]
    with _loaded_home(large_orders, say) as (environment, home, _):
        large_build = _full_build(environment, say)
        ratios += [
            Ratio(
                "growth",
                f"dbt build per order, {large_orders:,} orders",
                large_build / large_orders,
                f"per order, {orders:,} orders",
                small_build / orders,
                aim=1,
            ),
            *_day_to_everything(environment, home, large_orders, say, aim=0.25),
            *_dag_to_build(environment, large_orders, say),
        ]
    # Kibibytes on Linux, of the largest child so far; nothing else that ran was as large.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return Benchmarks(ratios, peak)


@contextmanager
def _loaded_home(orders: int, say: Say) -> Iterator[tuple[Environment, Path, float]]:
    """Generate, land and load into a home of its own; also give the seconds of the load."""
    with _scratch_home() as home:
        environment = load_environment(EnvironmentName.LOCAL)
        say(f"generating, landing and loading {orders:,} orders")
        generate_dataset(GeneratorSettings(orders=orders), home / "files")
        land_state(
            home / "files", landing_store(environment), day=_INCREMENT_DAY - timedelta(days=1)
        )
        load = _seconds(lambda: load_landing(environment))
        # dbt parses once, or the first run measured would pay for it.
        fresh_manifest(environment)
        yield environment, home, load


def _full_build(environment: Environment, say: Say) -> float:
    say("building and testing everything")
    return _dbt(environment, "build", "--full-refresh")


def _load_to_scan(environment: Environment, load: float, say: Say) -> Ratio:
    say("scanning the same files")
    scan = _seconds(lambda: _scan(Path(environment.landing_url)))
    return Ratio("load", "olist load", load, "DuckDB scanning the same files", scan)


def _day_to_everything(
    environment: Environment, home: Path, orders: int, say: Say, *, aim: float | None = None
) -> list[Ratio]:
    """Compare one more day with everything again: dbt alone, and the load with it."""
    say("loading and running one day's increment, then everything again")
    land_daily(
        home / "files", landing_store(environment), first=_INCREMENT_DAY, until=_INCREMENT_DAY
    )
    day_load = _seconds(lambda: load_landing(environment))
    built_before = _orders(environment, "max(built_at)")
    increment = _dbt(environment, "run")
    increment_of_incremental = _incremental_models(environment)
    changed = _orders(environment, f"count(case when built_at > '{built_before}' then 1 end)")
    full = _dbt(environment, "run", "--full-refresh")
    full_of_incremental = _incremental_models(environment)
    whole_load = _load_into_empty_warehouse(environment)
    changes = f"{changed:,} of {orders:,} orders changed"
    return [
        Ratio(
            "increment",
            f"dbt run after one more day, without the load, {changes}",
            increment,
            "full refresh, without the load",
            full,
            aim=aim,
        ),
        Ratio(
            "incremental",
            "the incremental models of that run, added up",
            increment_of_incremental,
            "the same models of the full refresh",
            full_of_incremental,
        ),
        Ratio(
            "day",
            f"load and dbt run of one more day, {changes}",
            day_load + increment,
            "load into an empty warehouse and full refresh",
            whole_load + full,
        ),
    ]


def _load_into_empty_warehouse(environment: Environment) -> float:
    """Return the seconds of a load of the whole landing; the warehouse is as before afterwards."""
    kept = environment.duckdb_path.with_suffix(".kept")
    environment.duckdb_path.rename(kept)
    try:
        return _seconds(lambda: load_landing(environment))
    finally:
        kept.replace(environment.duckdb_path)


def _orders(environment: Environment, aggregate: str) -> Any:
    table = f"{environment.names.schema(Layer.INTERMEDIATE)}.int_order_facts"
    with duckdb.connect(str(environment.duckdb_path), read_only=True) as warehouse:
        [(value,)] = warehouse.execute(f"select {aggregate} from {table}").fetchall()  # noqa: S608 - ours
    return value


def _dag_to_build(environment: Environment, orders: int, say: Say) -> list[Ratio]:
    # A run fits once a week, which no plain build does.
    say("fitting, as some day before would have")
    fit_models(environment, datetime.now(UTC))
    say("running the production DAG, then plain dbt build of the same selection")
    dag = run_production_dag(environment)
    build = _seconds(lambda: _dbt(environment, "build", "--exclude-resource-type", "unit_test"))
    stages = sum(task.seconds for task in dag.tasks if task.task_id.endswith(_RUNS_DBT))
    plain = "plain dbt build"
    return [
        Ratio(
            "orchestration", f"DAG run, {orders:,} orders", dag.run_seconds, plain, build, aim=1.3
        ),
        Ratio("stages", f"the DAG's dbt builds, {orders:,} orders", stages, plain, build),
    ]


def _dbt(environment: Environment, *arguments: str) -> float:
    """Run dbt and return the seconds it spent on nodes, without its start and its parsing."""
    result = run_dbt(environment, arguments, quiet=True)
    if result.returncode:
        raise OlistError(f"dbt {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")
    return float(_run_results(environment)["elapsed_time"])


def _incremental_models(environment: Environment) -> float:
    """Return the seconds that the incremental models took in dbt's last run, added up."""
    nodes = read_manifest(manifest_path(environment))["nodes"]
    incremental = {
        unique_id
        for unique_id, node in nodes.items()
        if node["config"]["materialized"] == "incremental"
    }
    return sum(
        float(result["execution_time"])
        for result in _run_results(environment)["results"]
        if result["unique_id"] in incremental
    )


def _run_results(environment: Environment) -> dict[str, Any]:
    path = dbt_target_path(environment) / "run_results.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def _scan(landing: Path) -> None:
    with duckdb.connect() as connection:
        for dataset in CATALOG:
            columns = ", ".join(f"max({column})" for column in dataset.header)
            files = landing / dataset.name / "*" / "*.csv.gz"
            connection.execute(
                f"select {columns} from read_csv('{files}', all_varchar = true, header = true)"  # noqa: S608 - names of the catalog
            ).fetchall()


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def _scratch_home() -> Iterator[Path]:
    """Make a home with the checkout's code and data of its own, and make it the home of all."""
    root = repository_root()
    home = root / "data" / "bench"
    with os_errors_explained(home):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for folder in ("dbt", "dags", "environments", "platform/dashboards"):
            (home / folder).parent.mkdir(exist_ok=True)
            (home / folder).symlink_to(root / folder)
    former = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(home)
    try:
        yield home
    finally:
        if former is None:
            del os.environ[HOME_VARIABLE]
        else:
            os.environ[HOME_VARIABLE] = former
        shutil.rmtree(home, ignore_errors=True)
