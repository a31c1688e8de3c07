"""Stack files, program and documents name the state as the naming module does."""

import pytest

from olist_platform.access_model import SERVICE_ROLES
from olist_platform.bootstrap.cloud_side import CloudSide, cloud_side
from olist_platform.environment import load_environment
from olist_platform.naming import PULUMI_STATE, EnvironmentName
from olist_workspace import ROOT
from yaml_files import read_yaml

CLOUD = (EnvironmentName.DEV, EnvironmentName.PROD)


def committed(name: EnvironmentName) -> CloudSide:
    return cloud_side(load_environment(name, ROOT / "environments"))


@pytest.mark.parametrize("name", CLOUD)
def test_the_stack_file_names_the_key_and_the_users_of_the_model(name: EnvironmentName) -> None:
    side = committed(name)
    content = read_yaml(ROOT / "environments" / f"Pulumi.{name}.yaml")
    region = side.landing.region
    assert content["secretsprovider"] == side.names.state_secrets_provider(region)
    keys = set(content["config"]["olist:serviceUserKeys"])
    assert keys - {"deployer"} == {role.name for role in SERVICE_ROLES}


@pytest.mark.parametrize("name", CLOUD)
def test_backend_key_and_bucket_have_one_name(name: EnvironmentName) -> None:
    side = committed(name)
    names, account, region = side.names, side.landing.aws_account_id, side.landing.region
    purpose = f"olist-{name}-pulumi-state"
    assert names.aws(PULUMI_STATE) == purpose
    assert names.state_bucket(account) == f"{purpose}-{account}"
    assert names.state_backend_url(account, region) == f"s3://{purpose}-{account}?region={region}"
    assert names.state_secrets_provider(region) == f"awskms://alias/{purpose}?region={region}"


def test_the_documents_name_backend_and_provider_as_the_model_does() -> None:
    side = committed(EnvironmentName.DEV)
    account, region = side.landing.aws_account_id, side.landing.region
    page = (ROOT / "platform/docs/operations/first-stand-up.md").read_text("utf-8")
    assert f"pulumi login '{side.names.state_backend_url(account, region)}'" in page
    assert f"--secrets-provider '{side.names.state_secrets_provider(region)}'" in page
    readme = (ROOT / "infra" / "README.md").read_text("utf-8")
    assert f"`{side.names.state_backend_url('<account>', '<region>')}`" in readme
    assert f"`{side.names.state_secrets_provider('<region>')}`" in readme


def test_no_backend_is_shared_by_the_environments() -> None:
    project = read_yaml(ROOT / "infra" / "Pulumi.yaml")
    assert "backend" not in project
    assert project["name"] == "olist", "the stack is organization/olist/<environment>"
