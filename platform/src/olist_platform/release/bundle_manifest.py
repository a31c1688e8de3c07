"""What a release bundle says of itself: its commit, and the checksum of every file in it."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from olist_platform.errors import OlistError

# Folder of a bundle with what a commit does not hold itself, and of its own manifest.
RELEASE_FOLDER = "release"
MANIFEST_PATH = f"{RELEASE_FOLDER}/manifest.json"
# Beside it in an unpacked release: the digest of the bundle, which the bundle cannot hold.
DIGEST_PATH = f"{RELEASE_FOLDER}/digest"
SBOM_PATH = f"{RELEASE_FOLDER}/sbom.cdx.json"
_SHORT = 12
_CHECKSUM = "checksum"
_TAKE_ANOTHER = "take the bundle from the artifact store again, or build it from its commit"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BundledFile(BaseModel):
    """One file of a bundle.

    Attributes:
        sha256: Of its content.
        size: Bytes.
        executable: Whether its owner may run it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    executable: bool = False


class BundleManifest(BaseModel):
    """The table of contents of a bundle; it holds nothing that another machine would say otherwise.

    Attributes:
        format: Version of this form.
        commit: Hash of the git commit.
        committed_at: When the commit was made, UTC; it says which of two releases is the older.
        subject: First line of the commit's message.
        environments: Environments that have a dbt manifest in the bundle.
        files: Every other file by its path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]
    committed_at: datetime
    subject: str
    environments: tuple[str, ...]
    files: dict[str, BundledFile]

    def to_bytes(self) -> bytes:
        """Return the one way to write this manifest, with a checksum of itself."""
        content = self.model_dump(mode="json")
        return canonical_json(content | {_CHECKSUM: sha256(canonical_json(content))})

    @property
    def short_commit(self) -> str:
        """The commit as people write it."""
        return short(self.commit)


def read_manifest(content: bytes, where: str) -> BundleManifest:
    """Return the manifest that bytes hold.

    Args:
        content: JSON.
        where: What to call the bundle in an error.

    Raises:
        OlistError: They hold none of this form.
    """
    try:
        parsed = json.loads(content)
        checksum = parsed.pop(_CHECKSUM, None)
        manifest = BundleManifest.model_validate(parsed)
    except (ValueError, AttributeError) as error:
        raise OlistError(f"{where}: {MANIFEST_PATH} is damaged", _TAKE_ANOTHER) from error
    if checksum != sha256(canonical_json(parsed)) or manifest.to_bytes() != content:
        raise OlistError(f"{where}: {MANIFEST_PATH} is changed", _TAKE_ANOTHER)
    return manifest


def canonical_json(content: object) -> bytes:
    """Return JSON with sorted keys, no blanks and a line's end: equal bytes for equal content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{text}\n".encode()


def sha256(content: bytes) -> str:
    """Return the checksum of a content."""
    return hashlib.sha256(content).hexdigest()


def dbt_manifest_path(environment: str) -> str:
    """Path in a bundle of an environment's dbt manifest."""
    return f"{RELEASE_FOLDER}/dbt/{environment}/manifest.json"


def plan_path(environment: str) -> str:
    """Path in a bundle of the plan of an environment's infrastructure."""
    return f"{RELEASE_FOLDER}/plans/{environment}.json"


def short(checksum: str) -> str:
    """Return as much of a hash as people read."""
    return checksum[:_SHORT]
