"""Bundles in an artifact store, each under its digest."""

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle, checked_bundle
from olist_platform.release.bundle_manifest import short


def bundle_key(digest: str) -> str:
    """Where a bundle lies in an artifact store."""
    return f"releases/{digest}.tar"


def stored_bundle(store: ArtifactStore, digest: str) -> Bundle:
    """Return a bundle of an artifact store, every byte checked.

    Raises:
        OlistError: It is not there, or it is damaged.
    """
    key = bundle_key(digest)
    stored = store.read(key)
    if stored is None:
        raise OlistError(
            f"{store.url} has no release {short(digest)}",
            "olist release status shows which releases it has; olist release build makes one",
        )
    return checked_bundle(stored.content, f"{store.url}/{key}", digest)


def keep_bundle(store: ArtifactStore, bundle: Bundle) -> None:
    """Put a bundle into an artifact store, if it is not there.

    Raises:
        OlistError: What is there under its digest is damaged; the files are named.
    """
    if not store.create(bundle_key(bundle.digest), bundle.archive):
        stored_bundle(store, bundle.digest)
