"""Airflow's settings as the variables it reads: what holds everywhere, and those of production.

The container's entry point gives them to whatever it starts, so the image, the compose file and
the chart repeat none. `airflow_home` has those of the private Airflow of one machine.
"""

import json

from olist_platform.dag_source import dag_bundle_settings
from olist_platform.environment import Environment, S3Landing
from olist_platform.errors import OlistError
from olist_platform.repository import repository_root
from olist_platform.runtime_secrets import airflow_secrets

EXECUTOR = "LocalExecutor"
AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"

_SECRETS_BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
# dbt runs in one task; the others watch it, and defer while they wait.
_TASKS_AT_ONCE = "16"


def common_settings() -> dict[str, str]:
    """Return the settings of every Airflow of the platform, with those of dbt inside it."""
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(repository_root() / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": EXECUTOR,
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        # Rewrites a growing backup with each status dbt reports, for a worker that vanishes with
        # its disk. Ours keeps what dbt says itself (dags/olist_dags/producer.py).
        "AIRFLOW__COSMOS__ENABLE_WATCHER_RELIABLE_RETRY": "False",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "true",
        "NO_COLOR": "1",
    }


def production_settings(environment: Environment) -> dict[str, str]:
    """Return the settings of the Airflow that operates an environment on AWS.

    Secrets are not among them: Airflow asks Secrets Manager for its own when it needs one.

    Raises:
        OlistError: The environment runs on one machine.
    """
    landing, names = environment.landing, environment.names
    if not isinstance(landing, S3Landing):
        raise OlistError(
            f"environment '{environment.name}' runs on one machine: it has no production Airflow",
            "start it with: make up",
        )
    settings = common_settings() | {
        "OLIST_ENV": environment.name.value,
        "AWS_DEFAULT_REGION": landing.region,
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER,
        "AIRFLOW__CORE__PARALLELISM": _TASKS_AT_ONCE,
        **dag_bundle_settings(environment),
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": names.airflow_logs_url(landing.aws_account_id),
        # The identity of the machine or pod, as for all of AWS.
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "",
        "AIRFLOW__LOGGING__DELETE_LOCAL_LOGS": "True",
        "AIRFLOW__SECRETS__BACKEND": _SECRETS_BACKEND,
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
            {
                "config_prefix": names.secret("airflow/config"),
                "connections_prefix": names.secret("airflow/connections"),
                "variables_prefix": names.secret("airflow/variables"),
                "region_name": landing.region,
            }
        ),
        # Behind the ingress or load balancer that ends TLS.
        "AIRFLOW__FAB__ENABLE_PROXY_FIX": "True",
    }
    if environment.airflow.base_url is not None:
        settings["AIRFLOW__API__BASE_URL"] = environment.airflow.base_url
    own = {f"{secret.variable}_SECRET": secret.key for secret in airflow_secrets(environment)}
    return settings | own
