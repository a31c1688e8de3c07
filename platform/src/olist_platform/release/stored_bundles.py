"""Bundles in an artifact store, each under its digest."""

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle, checked_bundle
from olist_platform.release.bundle_manifest import short

_WHOLE = 64


def bundle_key(digest: str) -> str:
    """Where a bundle lies in an artifact store."""
    return f"releases/{digest}.tar"


def full_digest(store: ArtifactStore, beginning: str) -> str:
    """Return the digest of the one stored bundle that begins so, as people read it of a screen.

    What no bundle begins with is returned as it is: whoever looks for it says so.

    Raises:
        OlistError: Several begin so.
    """
    if len(beginning) == _WHOLE:
        return beginning
    prefix, _, suffix = bundle_key("|").partition("|")
    found = [key[len(prefix) :].removesuffix(suffix) for key in store.keys(prefix + beginning)]
    if len(found) > 1:
        raise OlistError(
            f"{len(found)} releases of {store.url} begin with {beginning}",
            f"write more of it: {', '.join(short(digest) for digest in found)}",
        )
    return found[0] if found else beginning


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
