"""The production DAG: raw to tested marts, publication, docs."""

from airflow.sdk import DAG, chain

from olist_dags.cosmos_config import dbt_task_group
from olist_dags.dag_environment import current_environment
from olist_dags.documentation import build_docs
from olist_dags.publishing import publish_marts
from olist_dags.raw_loading import load_raw
from olist_dags.task_defaults import max_active_tasks, task_defaults
from olist_platform.environment import DuckDBWarehouse

_environment = current_environment()

_DOCUMENTATION = """
### Olist production

`load_raw` (embedded warehouse only; Snowpipe loads on Snowflake) -> `dbt`: one `dbt build` in
`dbt_producer_watcher`, and for each model, seed and snapshot a task and a task of its tests that
show how it fared -> `publish_marts`, which hands the marts to their readers -> `build_docs`, the
page of models, columns and lineage.

A failing test stops everything downstream of its model, and publication: the published
marts keep their previous content. Clear the failed task to build its model again; clear the whole
run to build everything again.
"""

with DAG(
    dag_id="olist_production",
    description="Builds and tests every model, staging first, marts last, and publishes the marts",
    doc_md=_DOCUMENTATION,
    schedule=_environment.airflow.schedule,
    catchup=False,
    max_active_runs=1,
    max_active_tasks=max_active_tasks(_environment),
    default_args=task_defaults(_environment),
    tags=["olist", "production", _environment.name.value],
) as dag:
    dbt = dbt_task_group(_environment)
    chain(dbt, publish_marts(), build_docs())
    if isinstance(_environment.warehouse, DuckDBWarehouse):
        chain(load_raw(), dbt)
