"""How releases reach an environment: its artifact store, and what a deployment there does."""

from typing import Annotated, Literal

from pydantic import Field

from olist_platform.naming import EnvironmentName
from olist_platform.settings_model import Folder, Settings


class FolderArtifacts(Settings):
    """Releases and the deployment record in a folder of this machine."""

    kind: Literal["folder"]
    folder: Folder


class S3Artifacts(Settings):
    """Releases and the deployment record in the artifact bucket of the landing's account."""

    kind: Literal["s3"]


class ReleaseSettings(Settings):
    """How releases reach the environment.

    Attributes:
        artifacts: Where its bundles and its deployment record are.
        promotes_from: Only what is green there may come here; None where a release comes first.
        pulumi: Whether a deployment runs `pulumi up`.
        lease_seconds: A deployer that has shown no sign of life for so long counts as gone.
        smallest_row_share: A mart with less than this share of the rows its readers have now fails
            the smoke tests, 0 to 1.
    """

    artifacts: Annotated[FolderArtifacts | S3Artifacts, Field(discriminator="kind")]
    promotes_from: EnvironmentName | None
    pulumi: bool
    lease_seconds: Annotated[int, Field(ge=10)]
    smallest_row_share: Annotated[float, Field(ge=0, le=1)]
