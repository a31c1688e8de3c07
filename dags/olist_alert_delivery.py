"""The delivery DAG: every alert that is due, told within minutes."""

from airflow.sdk import DAG

from olist_dags.alerting import raise_task_failure, settle_alerts
from olist_dags.dag_environment import current_environment, release_tags
from olist_dags.task_defaults import task_defaults

_environment = current_environment()
_EVERY_FIVE_MINUTES = "*/5 * * * *"

_DOCUMENTATION = """
### Olist alert delivery

`settle_alerts` sends every alert that is due: what a failed task raised, what waited for a retry,
the digest's hour or an escalation. It reads and writes the outbox alone, so no build holds it up.
By hand: `olist alerts deliver`.

It has a schedule where monitoring has one.
"""

with DAG(
    dag_id="olist_alert_delivery",
    description="Tells people every few minutes what is due",
    doc_md=_DOCUMENTATION,
    schedule=_EVERY_FIVE_MINUTES if _environment.monitoring.schedule else None,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(_environment) | {"on_failure_callback": raise_task_failure},
    tags=["olist", "alerts", _environment.name.value, *release_tags()],
) as dag:
    settle_alerts()
