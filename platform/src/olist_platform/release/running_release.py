"""Which release the code that runs here is of, and whether it is the one that is deployed.

An unpacked release knows its bundle by two files: its manifest, and its digest beside it. A
checkout has neither, and is no release.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import olist_platform
from olist_platform.errors import FinalError, os_errors_explained
from olist_platform.release.bundle_manifest import (
    DIGEST_PATH,
    MANIFEST_PATH,
    BundleManifest,
    read_manifest,
    sha256,
    short,
)
from olist_platform.release.deployment_state import Release
from olist_platform.repository import repository_root

_LIBRARY = "platform/src/olist_platform/"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RunningRelease:
    """The release of the code that runs here.

    Attributes:
        digest: Digest of its bundle.
        manifest: What the bundle says of itself.
    """

    digest: str
    manifest: BundleManifest

    def __str__(self) -> str:
        return f"{self.manifest.short_commit} ({self.manifest.subject})"


def running_release(home: Path | None = None) -> RunningRelease | None:
    """Return the release of an unpacked tree; None for a checkout.

    Args:
        home: The tree; where this process looks for environments and dbt unless told.

    Raises:
        OlistError: Its manifest is damaged.
    """
    home = home or repository_root()
    path = home / MANIFEST_PATH
    if not path.is_file():
        return None
    with os_errors_explained(home):
        manifest = read_manifest(path.read_bytes(), str(home))
        digest = (home / DIGEST_PATH).read_text(encoding="ascii").strip()
    return RunningRelease(digest, manifest)


def library_differences(manifest: BundleManifest, library: Path | None = None) -> tuple[str, ...]:
    """Return the files of the installed library that are not the release's.

    Args:
        manifest: The release's.
        library: Folder of the package; the one that this process imported unless told.
    """
    library = library or Path(olist_platform.__file__).parent
    wanted = {
        path.removeprefix(_LIBRARY): file.sha256
        for path, file in manifest.files.items()
        if path.startswith(_LIBRARY)
    }
    here = {
        path.relative_to(library).as_posix(): sha256(path.read_bytes())
        for path in sorted(library.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    return tuple(
        path for path in sorted(wanted.keys() | here.keys()) if wanted.get(path) != here.get(path)
    )


def release_check(
    environment: str,
    running: RunningRelease | None,
    deployed: Release | None,
    differences: Sequence[str] = (),
) -> str:
    """Check that what runs is what is deployed.

    Args:
        environment: The environment.
        running: The release of the code that runs; None for a checkout.
        deployed: The release that the record says runs here; None where none was deployed yet.
        differences: Files of the installed library that are not the running release's.

    Returns:
        What runs, for the log of the run.

    Raises:
        FinalError: Something else runs than is deployed.
    """
    if running is None and deployed is None:
        return "a checkout; nothing is deployed here"
    if deployed is None:
        raise FinalError(
            f"this DAG is of release {running}, and no release is deployed to {environment}",
            f"deploy it: see `olist release status {environment}`",
        )
    if running is None:
        raise FinalError(
            f"this DAG is of a checkout, and {environment} runs release {deployed}",
            "let Airflow run the release's DAGs, as `olist up` and `olist dag run` do; on one"
            " machine they run the checkout's with --checkout",
        )
    if running.digest != deployed.digest:
        raise FinalError(
            f"this DAG is of release {running}, digest {short(running.digest)};"
            f" {environment} runs {deployed}, digest {short(deployed.digest)}",
            "start a new run: Airflow takes the deployed release's DAGs for it",
        )
    if differences:
        shown = ", ".join(differences[:_SHOWN])
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise FinalError(
            f"the library that is installed here is not that of release {running}: {shown}{more}",
            "install it where Airflow's tasks run: the release's platform/ and requirements/",
        )
    return f"release {running}, digest {running.digest}"
