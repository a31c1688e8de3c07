"""The monitoring DAG: every check once an hour, their alerts, and the delivery of all alerts."""

from airflow.sdk import DAG, chain

from olist_dags.alerting import raise_task_failure, settle_alerts
from olist_dags.dag_environment import current_environment, release_tags
from olist_dags.monitoring import reconcile_run_costs, run_checks
from olist_dags.task_defaults import task_defaults
from olist_platform.environment import SnowflakeWarehouse

_environment = current_environment()

_DOCUMENTATION = """
### Olist monitoring

On Snowflake `reconcile_run_costs` first replaces estimated credits by what is attributed by now.
`run_checks` looks at freshness, volume, distributions, quality, tests, durations, cost, the hour of
the dashboards and the outbox; it raises and resolves alerts and appends every figure to the history
-> `settle_alerts` delivers every alert that is due. A finding is an alert, never a failed task.

It reads copies that builds leave behind (on Snowflake the tables themselves), so it neither waits
for a production run nor holds one up. By hand: `olist monitor`; on one screen: `olist status`.
"""

with DAG(
    dag_id="olist_monitoring",
    description="Checks what the platform left behind every hour, and tells people",
    doc_md=_DOCUMENTATION,
    schedule=_environment.monitoring.schedule,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(_environment) | {"on_failure_callback": raise_task_failure},
    tags=["olist", "monitoring", _environment.name.value, *release_tags()],
) as dag:
    checks = run_checks()
    if isinstance(_environment.warehouse, SnowflakeWarehouse):
        chain(reconcile_run_costs(), checks)
    chain(checks, settle_alerts().as_teardown())
