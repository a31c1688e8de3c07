"""Whose DAGs an Airflow runs: those of the deployed release, or on one machine a checkout's.

Where a release is deployed, its DAGs run, with its library. A developer who wants to try the
checkout says so (`--checkout`, or OLIST_DAGS=checkout), on one machine only.
"""

import json
import os
from dataclasses import dataclass, field

from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.release.artifact_store import artifact_store
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.deployment_state import Release
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.stored_bundles import stored_bundle
from olist_platform.repository import HOME_VARIABLE, repository_root

CHOICE_VARIABLE = "OLIST_DAGS"
CHECKOUT = "checkout"
# A task that is cleared once its fault is mended and deployed would else fail by the same fault.
_CLEARED_ON_LATEST = {"AIRFLOW__CORE__RERUN_WITH_LATEST_VERSION": "True"}
_BUNDLES_VARIABLE = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
# How soon after a deployment new runs have its DAGs.
_SECONDS_BETWEEN_LOOKS = 60


@dataclass(frozen=True, slots=True)
class DagSource:
    """Whose DAGs run.

    Attributes:
        release: The release they are of; None for a checkout's.
        variables: What an Airflow is told besides its settings, so that it runs them.
    """

    release: Release | None
    variables: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"release {self.release}" if self.release else "this checkout"


def dag_source(environment: Environment, *, checkout: bool = False) -> DagSource:
    """Return whose DAGs an Airflow on this machine runs; a release's are unpacked.

    Args:
        environment: Its environment.
        checkout: Whether the checkout's are asked for, whatever is deployed.

    Raises:
        OlistError: The checkout is asked for where a production Airflow runs, the record is out of
            reach, or the bundle is missing or damaged.
    """
    if checkout or checkout_is_chosen(environment):
        if not isinstance(environment.warehouse, DuckDBWarehouse):
            raise OlistError(
                f"{environment.name} runs its deployed release and nothing else",
                f"try the checkout on one machine: --env {EnvironmentName.LOCAL}",
            )
        return DagSource(None, {CHOICE_VARIABLE: CHECKOUT})
    deployed = environment_record(environment).state().current
    if deployed is None:
        return DagSource(None)
    release = deployed.release
    tree = ReleaseTree(environment.name, stored_bundle(artifact_store(environment), release.digest))
    tree.unpack()
    return DagSource(
        release,
        {
            **dag_bundle_settings(environment),
            "AIRFLOW__CORE__DAGS_FOLDER": str(tree.folder / "dags"),
            # Trees and record are found from here; the DAGs set it to their own release's folder.
            **tree.variables(),
            HOME_VARIABLE: str(repository_root()),
        },
    )


def checkout_is_chosen(environment: Environment) -> bool:
    """Whether this process was told to run a checkout's DAGs, where that may be told."""
    on_one_machine = isinstance(environment.warehouse, DuckDBWarehouse)
    return on_one_machine and os.environ.get(CHOICE_VARIABLE) == CHECKOUT


def dag_bundles(environment: Environment) -> list[dict[str, object]]:
    """Return Airflow's list of DAG bundles: the releases of the environment, and nothing else."""
    return [
        {
            "name": "olist",
            "classpath": "olist_platform.release.dag_bundle.ReleaseDagBundle",
            "kwargs": {
                "environment": environment.name.value,
                "refresh_interval": _SECONDS_BETWEEN_LOOKS,
            },
        }
    ]


def dag_bundle_settings(environment: Environment) -> dict[str, str]:
    """Return the settings by which Airflow runs the deployed release's DAGs."""
    return {_BUNDLES_VARIABLE: json.dumps(dag_bundles(environment))} | _CLEARED_ON_LATEST
