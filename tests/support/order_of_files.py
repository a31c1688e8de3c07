"""Which files of tests are run first: the longest, so that no worker waits for another at the end.

A worker of xdist takes whole files. By itself xdist hands out those with the most tests first
(`LoadScopeScheduling.schedule`), and the few tests that take minutes come last; with
`--no-loadscope-reorder`, which the Makefile gives, it keeps the order of collection, made here.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

# Files that take more than half a minute. The first three build what they need alone, so that no
# two workers begin by waiting for one prepared workspace.
LONGEST_FIRST = (
    "dags/test_dag_run.py",
    "dags/test_recovery.py",
    "two_engines/test_two_engines.py",
    "release/test_promotion_end_to_end.py",
    "release/test_killed_deployers.py",
    "release/test_snowflake_side.py",
    "dbt_project/test_incremental_equals_full_refresh.py",
    "dbt_project/test_monitoring.py",
    "deployment/test_production_airflow.py",
    "dbt_project/test_sampling.py",
    "dbt_project/test_sample_figures.py",
    "dbt_project/test_injected_faults.py",
    "dbt_project/test_customer_models.py",
    "dbt_project/test_snapshots.py",
    "dbt_project/test_column_lineage.py",
    "dbt_project/test_geolocation_snapshots.py",
    "dbt_project/test_anomaly_faults.py",
    "dags/test_airflow_services.py",
    "dags/test_release_of_dags.py",
    "dashboards/test_web_pages.py",
    "publication/test_publish_command.py",
    "workflows/test_slim_build.py",
    "dbt_project/test_tiny_warehouse.py",
    "dbt_project/test_run_costs.py",
    "dbt_project/test_docs_site.py",
)


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests of the longest files, in the order above, and then the others.

    Raises:
        pytest.UsageError: A file that is listed is not there.
    """
    if gone := [name for name in LONGEST_FIRST if not (TESTS / name).is_file()]:
        raise pytest.UsageError(f"{__file__} lists files that are gone: {', '.join(gone)}")
    rank = {TESTS / name: position for position, name in enumerate(LONGEST_FIRST)}
    return sorted(items, key=lambda item: rank.get(item.path, len(rank)))
