"""Bundles made of a few small files, for what does not depend on a real commit."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from olist_platform.release.bundle import Bundle, SourceFile, write_bundle
from olist_platform.release.bundle_manifest import BundleManifest

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
