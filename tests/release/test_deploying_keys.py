"""Private keys come from Secrets Manager where the caller has none, and never from elsewhere."""

import os
import shutil
from pathlib import Path

import boto3
import pytest

from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.release.deploying_keys import take_deploying_keys
from olist_workspace import ROOT

REGION, ACCOUNT = "sa-east-1", "123456789012"
VARIABLES = ("SNOWFLAKE_PRIVATE_KEY", "OLIST_SNOWFLAKE_PRIVATE_KEY")


@pytest.fixture
def dev(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    shutil.copytree(ROOT / "environments", tmp_path / "environments")
    path = tmp_path / "environments" / "dev.yaml"
    path.write_text(path.read_text().replace("111111111111", ACCOUNT))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    for name in VARIABLES:
        # Set and then deleted: whatever the test sets is undone.
        monkeypatch.setenv(name, "")
    return load_environment(EnvironmentName.DEV, path.parent)


def test_missing_keys_are_taken_and_given_ones_are_kept(
    dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.Session().client("secretsmanager", region_name=REGION)
    with pytest.raises(OlistError, match="no private key of SVC__OLIST_DEV__DEPLOYER") as error:
        take_deploying_keys(dev)
    assert "olist keys store dev" in error.value.mend
    client.create_secret(Name="olist/dev/snowflake/deployer", SecretString="of the deployer")
    take_deploying_keys(dev, transforms=False)
    assert [os.environ[name] for name in VARIABLES] == ["of the deployer", ""]
    monkeypatch.setenv(VARIABLES[0], "given")
    client.create_secret(Name="olist/dev/snowflake/transformer", SecretString="of dbt")
    take_deploying_keys(dev)
    assert [os.environ[name] for name in VARIABLES] == ["given", "of dbt"]


def test_an_environment_on_one_machine_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    take_deploying_keys(load_environment(EnvironmentName.LOCAL))
