"""Where releases and the deployment record are kept: S3, or a folder of this machine.

Every write says what it expects to be there, and is refused where something else is: of two who
write at once, one wins and the other is told.
"""

from typing import Protocol

from olist_platform.environment import Environment, S3Landing
from olist_platform.release.folder_artifacts import FolderArtifactStore
from olist_platform.release.release_settings import FolderArtifacts
from olist_platform.release.stored_artifact import StoredArtifact
from olist_platform.repository import repository_root


class ArtifactStore(Protocol):
    """Small files by key with `/`; every method raises OlistError where the store fails."""

    @property
    def url(self) -> str:
        """The place, as a user names it."""

    def read(self, key: str) -> StoredArtifact | None:
        """Return what is stored under a key, or None."""

    def create(self, key: str, content: bytes) -> bool:
        """Store under a key that has nothing yet, or this very content.

        Returns:
            False, and nothing changes, where the key has another content.
        """

    def replace(self, key: str, content: bytes, version: str) -> bool:
        """Store in place of one version; False, and no change, where another is there by now."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, sorted."""


def artifact_store(environment: Environment) -> ArtifactStore:
    """Return an environment's artifact store; nothing is created or contacted."""
    settings = environment.releases.artifacts
    if isinstance(settings, FolderArtifacts):
        return FolderArtifactStore(repository_root() / settings.folder / environment.name)
    # boto3 takes most of a second to import; a folder needs none of it.
    from olist_platform.release.s3_artifacts import S3ArtifactStore  # noqa: PLC0415

    landing = environment.landing
    assert isinstance(landing, S3Landing)  # noqa: S101 - the environment's own check
    return S3ArtifactStore(
        environment.names.artifact_bucket(landing.aws_account_id),
        region=landing.region,
        endpoint_url=landing.endpoint_url,
    )
