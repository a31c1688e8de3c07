"""The production DAG: raw to tested marts, publication, docs."""

from airflow.sdk import DAG, chain

from olist_dags.alerting import raise_task_failure, settle_alerts
from olist_dags.cosmos_config import stage_task_group
from olist_dags.dag_environment import current_environment, release_tags
from olist_dags.deadline import dashboards_deadline
from olist_dags.documentation import build_docs
from olist_dags.gates import gate
from olist_dags.model_fitting import fit_models
from olist_dags.preflight import preflight
from olist_dags.publishing import publish_marts
from olist_dags.raw_loading import fill_raw
from olist_dags.refresh_hooks import AFTER_PUBLICATION
from olist_dags.run_plan import run_params
from olist_dags.task_defaults import max_active_tasks, task_defaults
from olist_platform.build_stages import BuildStage
from olist_platform.naming import PRODUCTION_DAG

_environment = current_environment()

_DOCUMENTATION = """
### Olist production

`preflight` -> `load_raw` (embedded warehouse) or `wait_for_snowpipe` (Snowflake) -> `staging` ->
`gate_staging` -> `fit_models`, when the last fit is a week old -> `marts` (intermediate, marts,
monitoring) -> `gate_marts` -> `snapshots` -> `publish_marts`, which hands the marts to their
readers -> `build_docs`, the page of models, columns and lineage, and whatever hangs on the
publication. Each stage is one `dbt build` in its `dbt_producer_watcher`; for each model, seed and
snapshot a task, and a task of its tests, show how it fared.

A test that fails in a stage stops everything behind the stage, and publication: the published
marts keep their previous content. Clear the failed tasks, with what stands behind them, and what
succeeded is not run again; `olist dag resume` does that on one machine.

Started by hand it takes a selection of models, a full refresh and a reference date. A partial run
publishes only what leaves all marts of one state of the data; it says why it does not.
"""

with DAG(
    dag_id=PRODUCTION_DAG,
    description="Builds and tests every model, staging first, marts last, and publishes the marts",
    doc_md=_DOCUMENTATION,
    schedule=_environment.airflow.schedule,
    catchup=False,
    max_active_runs=1,
    max_active_tasks=max_active_tasks(_environment),
    default_args=task_defaults(_environment) | {"on_failure_callback": raise_task_failure},
    params=run_params(),
    deadline=dashboards_deadline(_environment),
    tags=["olist", "production", _environment.name.value, *release_tags()],
) as dag:
    published = publish_marts()
    after = [build_docs(), *(hook() for hook in AFTER_PUBLICATION)]
    chain(
        preflight(),
        fill_raw(_environment),
        stage_task_group(_environment, BuildStage.STAGING),
        gate(BuildStage.STAGING),
        fit_models(),
        stage_task_group(_environment, BuildStage.MARTS),
        gate(BuildStage.MARTS),
        stage_task_group(_environment, BuildStage.SNAPSHOTS),
        published,
        after,
        settle_alerts().as_teardown(),
    )
