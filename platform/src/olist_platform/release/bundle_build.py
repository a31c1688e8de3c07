"""Building the bundle of a commit: its files, and what its own code makes of them."""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import EnvironmentName
from olist_platform.release.bundle import Bundle, SourceFile, write_bundle
from olist_platform.release.bundle_manifest import (
    SBOM_PATH,
    BundleManifest,
    canonical_json,
    dbt_manifest_path,
    plan_path,
)
from olist_platform.release.dbt_manifest import stable_manifest
from olist_platform.release.git_tree import Commit, files_of, read_commit
from olist_platform.release.software_bill import software_bill
from olist_platform.repository import HOME_VARIABLE, repository_root

# What is deployed, or deploys.
CONTENT = (
    "dags",
    "dbt",
    "environments",
    "infra",
    "platform/dashboards",
    "platform/powerbi",
    "platform/pyproject.toml",
    "platform/src",
    "policies",
    "requirements",
)
_LIBRARY = Path("platform") / "src"
_LOCK_FOLDER = "requirements/"
# Parsing needs the variable and never its value.
_NO_SECRET = "not-needed-to-parse"  # noqa: S105 - says that there is none
_AT_ONCE = 2
_LINES_SHOWN = 15


def build_bundle(reference: str = "HEAD", repository: Path | None = None) -> Bundle:
    """Return the bundle of a commit; the working tree's changes are no part of it.

    The same commit gives the same bytes on any machine that has its locked tools.

    Args:
        reference: A commit, branch or tag.
        repository: The clone; the checkout unless told.

    Raises:
        OlistError: There is no such commit, the tools here are of other locks, or dbt's project or
            the Pulumi program of the commit fails.
    """
    repository = repository or repository_root()
    commit = read_commit(repository, reference)
    files = files_of(repository, commit.sha, CONTENT)
    locks = {
        path: file.content.decode()
        for path, file in files.items()
        if path.startswith(_LOCK_FOLDER) and path.endswith(".txt")
    }
    _require_its_tools(locks, repository, commit)
    names = [name for name in EnvironmentName if f"environments/{name}.yaml" in files]
    with tempfile.TemporaryDirectory(prefix="olist-release-") as folder:
        tree = _Tree(Path(folder), commit, files)
        with ThreadPoolExecutor(_AT_ONCE) as executor:
            manifests = {name: executor.submit(tree.dbt_manifest, name) for name in names}
            plans = {name: executor.submit(tree.plan, name) for name in names if tree.plans(name)}
        made = {dbt_manifest_path(name): future.result() for name, future in manifests.items()}
        made |= {plan_path(name): future.result() for name, future in plans.items()}
    made[SBOM_PATH] = software_bill(locks, commit)
    return write_bundle(
        files | {path: SourceFile(content) for path, content in made.items()},
        BundleManifest(
            commit=commit.sha,
            committed_at=commit.committed_at,
            subject=commit.subject,
            environments=tuple(names),
            files={},
        ),
        f"the bundle of {commit.sha}",
    )


def _require_its_tools(locks: dict[str, str], repository: Path, commit: Commit) -> None:
    """Check that what runs here is of the commit's locks: its versions show in what it writes.

    Raises:
        OlistError: The checkout's locks are others.
    """
    with os_errors_explained(repository):
        here = {
            f"{_LOCK_FOLDER}{path.name}": path.read_text(encoding="utf-8")
            for path in sorted((repository / _LOCK_FOLDER).glob("*.txt"))
        }
    other = sorted(path for path in here.keys() | locks.keys() if here.get(path) != locks.get(path))
    if other:
        raise OlistError(
            f"the tools here are not those of {commit.sha[:12]}: {', '.join(other)} differ",
            f"git switch --detach {commit.sha[:12]} && make setup, then build again",
        )


class _Tree:
    """A commit's files in a folder of their own, and its own commands on them."""

    def __init__(self, folder: Path, commit: Commit, files: dict[str, SourceFile]) -> None:
        self._folder = folder.resolve()
        self._commit = commit
        for path, file in files.items():
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)

    def plans(self, name: EnvironmentName) -> bool:
        """Whether an environment has a cloud side to plan."""
        path = self._folder / "environments" / f"{name}.yaml"
        return "cloud" in (yaml.safe_load(path.read_text(encoding="utf-8")) or {})

    def dbt_manifest(self, name: EnvironmentName) -> bytes:
        """Return the manifest of an environment, as every machine would write it."""
        self._olist("dbt", "--env", name, "--", "parse", "--quiet")
        written = self._folder / "data" / name / "dbt" / "manifest.json"
        moment = f"{self._commit.committed_at:%Y-%m-%dT%H:%M:%S.%fZ}"
        manifest: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return canonical_json(stable_manifest(manifest, moment))

    def plan(self, name: EnvironmentName) -> bytes:
        """Return the plan of an environment's infrastructure; one that breaks a rule says so."""
        printed = self._olist("plan", name, "--json", accept=(0, 1))
        return canonical_json(json.loads(printed))

    def _olist(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run the commit's own `olist`, with no secret in reach.

        Raises:
            OlistError: It fails.
        """
        result = subprocess.run(  # noqa: S603 - this interpreter, on a tree of this repository
            [sys.executable, "-m", "olist_platform.cli.main", *arguments],
            env=os.environ
            | {
                "PYTHONPATH": str(self._folder / _LIBRARY),
                HOME_VARIABLE: str(self._folder),
                "OLIST_SNOWFLAKE_PRIVATE_KEY": _NO_SECRET,
                "NO_COLOR": "1",
                # What holds sets prints them in one order.
                "PYTHONHASHSEED": "0",
            },
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode not in accept or (1 in accept and not result.stdout.strip()):
            said = (result.stdout + result.stderr).strip().splitlines()[-_LINES_SHOWN:]
            raise OlistError(
                f"at {self._commit.sha[:12]}: olist {' '.join(arguments)} fails:\n  "
                + "\n  ".join(said),
                "mend it in a commit, and build that one",
            )
        return result.stdout
