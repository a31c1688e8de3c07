"""Artifact stores: a folder, and a bucket of a local AWS; a platform with two releases."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import boto3
import pytest

from local_aws import local_aws, made_up_credentials
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle
from olist_platform.release.folder_artifacts import FolderArtifactStore
from olist_platform.release.s3_artifacts import S3ArtifactStore
from release_platform import Platform, bundle_by_forks
from release_repository import SECOND, ReleaseRepository, make_repository, variant
from warm_dbt import warm_dbt

REGION = "us-east-1"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a local AWS, with credentials that reach nothing else."""
    with pytest.MonkeyPatch.context() as patch, local_aws() as address:
        for name, value in made_up_credentials(tmp_path_factory.mktemp("aws")).items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield address


@pytest.fixture(scope="session")
def make_bucket(aws: str) -> Callable[[], str]:
    client = boto3.Session().client("s3", endpoint_url=aws, region_name=REGION)
    numbers = count()

    def make() -> str:
        name = f"artifacts-{next(numbers)}"
        client.create_bucket(Bucket=name)
        return name

    return make


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "folder":
        return FolderArtifactStore(tmp_path / "artifacts")
    bucket = request.getfixturevalue("make_bucket")()
    return S3ArtifactStore(bucket, region=REGION, endpoint_url=request.getfixturevalue("aws"))


@pytest.fixture(scope="module")
def build_first() -> Callable[[ReleaseRepository], Bundle]:
    """How the first release's bundle is built; a file of tests may have it built in another way."""
    return bundle_by_forks


@pytest.fixture(scope="module")
def prepared(
    aws: str,
    build_first: Callable[[ReleaseRepository], Bundle],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Platform, Bundle]]:
    folder = tmp_path_factory.mktemp("releases")
    (folder / "kept").mkdir()
    repository = make_repository(folder / "home", folder / "pulumi", aws)
    platform = Platform(repository, aws, folder / "kept")
    with pytest.MonkeyPatch.context() as patch, warm_dbt():
        for name, value in repository.environment_variables().items():
            patch.setenv(name, value)
        first = build_first(repository)
        platform.deploy(first)
        platform.promote()
        platform.keep("first")
        yield platform, first
    platform.give_buckets_back()


@pytest.fixture
def platform(prepared: tuple[Platform, Bundle]) -> Platform:
    """The first release on dev and prod."""
    prepared[0].put_back("first")
    return prepared[0]


@pytest.fixture
def ahead(prepared: tuple[Platform, Bundle], second: Bundle) -> Platform:
    """The same with the second release on dev."""
    platform = prepared[0]
    if not platform.has("second on dev"):
        platform.put_back("first")
        platform.deploy(second)
        platform.keep("second on dev")
    platform.put_back("second on dev")
    return platform


@pytest.fixture(scope="module")
def first(prepared: tuple[Platform, Bundle]) -> Bundle:
    return prepared[1]


@pytest.fixture(scope="module")
def second(first: Bundle) -> Bundle:
    return variant(first, 2, SECOND)


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for GitHub's CLI that answers with a file and keeps its arguments."""
    (tmp_path / "gh").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/calls\ncat {tmp_path}/answer\n'
        f"cat {tmp_path}/error >&2 && exit 1\nexit 0\n"
    )
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "answer").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path
