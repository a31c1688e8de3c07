"""What the chart has to be told of an environment: facts of its file, in the chart's own words.

Sizes are not among them; they are the chart's own matter, in `platform/deploy/chart/`.
"""

from typing import Any
from urllib.parse import urlsplit

from olist_platform.airflow_settings import production_settings
from olist_platform.bootstrap.cloud_side import cloud_side
from olist_platform.cloud_settings import GitHubSettings
from olist_platform.dag_source import dag_bundles
from olist_platform.environment import Environment

# Parts of the chart that read logs, secrets or the landing; each has a service account.
_ACT_ON_AWS = (
    "apiServer",
    "dagProcessor",
    "databaseCleanup",
    "migrateDatabaseJob",
    "scheduler",
    "triggerer",
)


def image_repository(github: GitHubSettings) -> str:
    """Return where the image of the repository is kept, without a tag."""
    return f"ghcr.io/{github.repository.lower()}"


def helm_values(environment: Environment) -> dict[str, Any]:
    """Return the values of an environment, to be laid over those in the repository.

    Raises:
        OlistError: The environment runs on one machine.
    """
    # It says so where there is no production Airflow.
    production_settings(environment)
    side = cloud_side(environment)
    account = side.landing.aws_account_id
    role = f"arn:aws:iam::{account}:role/{side.names.aws('airflow')}"
    values: dict[str, Any] = {
        "images": {"airflow": {"repository": image_repository(side.cloud.github)}},
        "labels": {key: str(value) for key, value in side.tags.items()},
        "env": [{"name": "OLIST_ENV", "value": environment.name.value}],
    }
    for part in _ACT_ON_AWS:
        values[part] = {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": role}}}
    # The chart writes a list of its own into airflow.cfg; it is to say what the image says.
    values["dagProcessor"]["dagBundleConfigList"] = dag_bundles(environment)
    if environment.airflow.base_url is not None:
        host = urlsplit(environment.airflow.base_url).hostname
        values["ingress"] = {"apiServer": {"hosts": [{"name": host}]}}
    return values
