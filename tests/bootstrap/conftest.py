"""A home whose environments may be written, and a local AWS that is empty for every test."""

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_aws import empty, local_aws, made_up_credentials
from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide, cloud_side
from olist_platform.bootstrap.key_ring import KeyRing
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT, Workspace

# The account that moto answers for.
ACCOUNT = "123456789012"
REGION = "sa-east-1"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with local_aws() as address:
        yield address


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    empty(server)
    for name, value in made_up_credentials(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    home = tmp_path / "home"
    shutil.copytree(ROOT / "environments", home / "environments")
    (home / "dbt").symlink_to(ROOT / "dbt")
    settings = home / "environments" / "dev.yaml"
    settings.write_text(settings.read_text().replace("111111111111", ACCOUNT))
    monkeypatch.setenv("OLIST_HOME", str(home))
    return Workspace(home)


@pytest.fixture
def side(home: Workspace) -> CloudSide:
    assert home.home.is_dir()
    return cloud_side(load_environment(EnvironmentName.DEV))


@pytest.fixture
def ring(side: CloudSide, aws: str) -> KeyRing:
    assert aws.startswith("http://127.0.0.1:")
    return KeyRing(side, AwsAccount(side))


@pytest.fixture
def client(aws: str) -> Callable[[str], Any]:
    session: Any = boto3.Session(region_name=REGION)
    return functools.cache(lambda service: session.client(service, endpoint_url=aws))
