"""The DAG bundle by which Airflow runs the DAGs of the deployed release, whole runs on one release.

    [dag_processor]
    dag_bundle_config_list = [{"name": "olist",
        "classpath": "olist_platform.release.dag_bundle.ReleaseDagBundle",
        "kwargs": {"environment": "prod"}}]

A version of the bundle is the digest of a release. A run keeps the version it began with, so a
deployment in the middle of a run changes nothing for its tasks, but that it publishes nothing.
Tasks that somebody clears run on the deployed release.
"""

from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion

from olist_platform.environment import load_environment, parse_environment_name
from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import artifact_store
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.stored_bundles import stored_bundle


class ReleaseDagBundle(BaseDagBundle):
    """The DAGs of an environment's releases."""

    supports_versioning = True

    def __init__(self, *, environment: str, **kwargs: Any) -> None:
        """Name the environment; nothing is read yet.

        Args:
            environment: Its name.
            kwargs: Airflow's own.
        """
        super().__init__(**kwargs)
        self._environment = load_environment(parse_environment_name(environment))
        self._tree: ReleaseTree | None = None

    def initialize(self) -> None:
        """Unpack the release of this version, or the deployed one where none is given.

        Raises:
            OlistError: Nothing is deployed, or the bundle is missing or damaged.
        """
        self._unpack(self.version or self._deployed())
        super().initialize()

    @property
    def path(self) -> Path:
        """Folder of the release's DAGs."""
        if self._tree is None:
            raise OlistError(f"DAG bundle '{self.name}' is asked for DAGs before it has any")
        return self._tree.folder / "dags"

    def get_current_version(self) -> BundleVersion | None:
        """Return the digest of the release whose DAGs these are."""
        unpacked = self._tree.digest if self._tree else self._deployed()
        return BundleVersion(self.version or unpacked)

    def refresh(self) -> None:
        """Take the DAGs of the release that is deployed by now; one of a fixed version stays.

        Raises:
            OlistError: The bundle is missing or damaged.
        """
        digest = self.version or self._deployed()
        if self._tree is None or self._tree.digest != digest:
            self._unpack(digest)

    def _deployed(self) -> str:
        current = environment_record(self._environment).state().current
        if current is None:
            name = self._environment.name
            raise OlistError(
                f"no release is deployed to {name}, so there are no DAGs to run",
                f"olist release deploy {name} <bundle>",
            )
        return current.release.digest

    def _unpack(self, digest: str) -> None:
        bundle = stored_bundle(artifact_store(self._environment), digest)
        tree = ReleaseTree(self._environment.name, bundle)
        # Several workers may come at once.
        with self.lock():
            tree.unpack()
        self._tree = tree
