"""The development DAG: a sampled build of every model in a place of its own, by hand."""

from airflow.sdk import DAG, chain

from olist_dags.cosmos_config import whole_task_group
from olist_dags.dag_environment import current_environment
from olist_dags.development_build import (
    development_params,
    load_sample_source,
    prepare_development_dbt,
)
from olist_dags.task_defaults import max_active_tasks, task_defaults
from olist_platform.build_stages import BuildStage
from olist_platform.environment import DuckDBWarehouse
from olist_platform.naming import DEVELOPMENT_DAG

_environment = current_environment()

_DOCUMENTATION = """
### Olist development

Builds and tests every model on a sample of the people, in a schema (Snowflake) or a DuckDB file of
its own, and stops at the first fault. No snapshots, no docs, no publication, no retries, no alerts:
whoever started it looks at it. A pull request has `olist dag run development --schema pr_12`.
"""

with DAG(
    dag_id=DEVELOPMENT_DAG,
    description="Builds and tests a sample in a schema of its own, and stops at the first fault",
    doc_md=_DOCUMENTATION,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    max_active_tasks=max_active_tasks(_environment),
    default_args=task_defaults(_environment) | {"retries": 0},
    params=development_params(),
    tags=["olist", "development", _environment.name.value],
) as dag:
    build = whole_task_group(
        _environment,
        exclude=BuildStage.MARTS.later_stages,
        flags=["--fail-fast"],
        prepare=prepare_development_dbt,
    )
    if isinstance(_environment.warehouse, DuckDBWarehouse):
        chain(load_sample_source(), build)
