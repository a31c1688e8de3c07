"""Bundles made of a few small files, for what does not depend on a real commit."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import olist_platform
from olist_platform.environment import Environment
from olist_platform.release.artifact_store import artifact_store
from olist_platform.release.bundle import Bundle, SourceFile, write_bundle
from olist_platform.release.bundle_manifest import BundleManifest
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.deployment_state import Kind, Result
from olist_platform.release.deployment_steps import release_of
from olist_platform.release.stored_bundles import keep_bundle
from olist_workspace import ROOT

FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def small_bundle(number: int, files: Mapping[str, bytes] | None = None) -> Bundle:
    """The bundle of a made-up commit, each a day younger than the one before."""
    contents = {
        "dags/olist_production.py": f"RELEASE = {number}\n".encode(),
        "dbt/dbt_project.yml": b"name: olist\n",
        "release/dbt/dev/manifest.json": b'{"nodes":{}}\n',
        "release/dbt/prod/manifest.json": b'{"nodes":{}}\n',
    } | dict(files or {})
    return write_bundle(
        {path: SourceFile(content) for path, content in contents.items()},
        BundleManifest(
            commit=hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest(),
            committed_at=FIRST_MOMENT + timedelta(days=number),
            subject=f"Release {number}",
            environments=("dev", "prod"),
            files={},
        ),
    )


def bundle_with_library(number: int, files: Mapping[str, bytes] | None = None) -> Bundle:
    """A bundle of this library, these environments and what the DAGs share."""
    base = small_bundle(number, files)
    own = {path: SourceFile(base.read(path)) for path in base.manifest.files}
    roots = (
        Path(olist_platform.__file__).parent,
        ROOT / "environments",
        ROOT / "dbt" / "models",
        ROOT / "dags" / "olist_dags",
    )
    checkout = {
        path.relative_to(ROOT).as_posix(): SourceFile(path.read_bytes())
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return write_bundle(checkout | own, base.manifest)


def note_deployed(environment: Environment, bundle: Bundle) -> None:
    """Make a bundle the one that the environment's record says runs there; nothing else is done."""
    keep_bundle(artifact_store(environment), bundle)
    deployment = environment_record(environment).begin(Kind.DEPLOY, release_of(bundle), "ana")
    deployment.switch()
    deployment.finish(Result.DEPLOYED)
