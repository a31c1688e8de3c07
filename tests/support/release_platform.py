"""Dev and prod of a small platform, with a first release on both, for the promotion end to end."""

import shutil
import subprocess
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from deploying_process import start_deployer
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName, Names
from olist_platform.release import bundle_build
from olist_platform.release.artifact_store import artifact_store
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployer import Deployer
from olist_platform.release.deployment_state import Event, Kind, Result
from olist_platform.release.stored_bundles import keep_bundle
from release_repository import ACCOUNT, REGION, ReleaseRepository
from warm_dbt import run_warm_olist

DEV, PROD = EnvironmentName.DEV, EnvironmentName.PROD


def bundle_by_forks(repository: ReleaseRepository) -> Bundle:
    """The bundle of the repository's commit, for tests of what is done with it.

    `olist release build` starts two programs for each environment, which takes longer than to
    deploy it.
    """

    def run(
        command: list[str], *, env: dict[str, str], cwd: Path, **_: object
    ) -> subprocess.CompletedProcess[str]:
        _python, _m, _module, *arguments = command
        return run_warm_olist(arguments, env, cwd)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle_build, "subprocess", SimpleNamespace(run=run))
        return bundle_build.build_bundle("HEAD", repository.home)


class Platform:
    """Dev and prod of a small platform, put back to a state that was kept before every test."""

    def __init__(self, repository: ReleaseRepository, aws: str, kept: Path) -> None:
        self.repository = repository
        self._client = boto3.Session().client("s3", endpoint_url=aws, region_name=REGION)
        self._kept = kept
        self._objects: dict[str, dict[tuple[str, str], bytes]] = {}

    def deployer(self, name: EnvironmentName, by: str = "ana") -> Deployer:
        return Deployer(load_environment(name), lambda *_: None, by)

    def deploy(self, bundle: Bundle) -> Event:
        return self.deployer(DEV).deploy(bundle)

    def promote(self, digest: str | None = None, *approvals: str) -> Event:
        return self.deployer(PROD).promote(digest, approvals)

    def start(
        self,
        name: EnvironmentName,
        command: str,
        bundle: Bundle | None = None,
        *,
        dies_at_write: int | None = None,
        cold: bool = False,
    ) -> BaseProcess:
        """Let a process of its own deploy; see `start_deployer`."""
        if bundle is not None:
            keep_bundle(artifact_store(load_environment(name)), bundle)
        return start_deployer(
            self.repository.environment_variables(),
            name,
            command,
            bundle.digest if bundle else None,
            dies_at_write=dies_at_write,
            cold=cold,
        )

    def runs(self, name: EnvironmentName) -> str | None:
        current = self.deployer(name).record.state().current
        return current.release.digest if current else None

    def history(self, name: EnvironmentName) -> list[tuple[Kind, Result]]:
        return [(event.kind, event.result) for event in self.deployer(name).record.history()]

    def states(self, name: EnvironmentName) -> list[tuple[Any, ...]]:
        return self.repository.read_marts(name, "select * from mart_states order by state")

    def write_object(self, name: EnvironmentName, key: str, content: bytes) -> None:
        bucket = Names(name).artifact_bucket(ACCOUNT)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def delete_object(self, name: EnvironmentName, key: str) -> None:
        self._client.delete_object(Bucket=Names(name).artifact_bucket(ACCOUNT), Key=key)

    def has(self, state: str) -> bool:
        return state in self._objects

    def keep(self, state: str) -> None:
        self._objects[state] = dict(self._stored())
        for folder in self._folders():
            # With hard links as they are: what readers have is a file of a build.
            (self._kept / state).mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", folder, self._kept / state / folder.name], check=True)

    def put_back(self, state: str) -> None:
        self._empty_buckets()
        for (bucket, key), content in self._objects[state].items():
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        for folder in self._folders():
            shutil.rmtree(folder)
            subprocess.run(["cp", "-a", self._kept / state / folder.name, folder], check=True)

    def give_buckets_back(self) -> None:
        """Let another platform have buckets of the same names."""
        self._empty_buckets()
        for name in (DEV, PROD):
            self._client.delete_bucket(Bucket=Names(name).artifact_bucket(ACCOUNT))

    def _empty_buckets(self) -> None:
        for bucket, key in dict(self._stored()):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _folders(self) -> tuple[Path, Path]:
        return self.repository.home / "data", self.repository.stand_in

    def _stored(self) -> Iterator[tuple[tuple[str, str], bytes]]:
        for name in (DEV, PROD):
            bucket = Names(name).artifact_bucket(ACCOUNT)
            for entry in self._client.list_objects_v2(Bucket=bucket).get("Contents", []):
                body = self._client.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
                yield (bucket, entry["Key"]), body.read()
