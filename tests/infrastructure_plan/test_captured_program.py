"""The runner of Pulumi programs, on programs small enough to know every value of."""

import textwrap
from pathlib import Path

import pytest

from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_program import ENCRYPTED_VALUE, capture_program
from olist_platform.infrastructure_plan.captured_resources import HIDDEN, Secret
from olist_platform.naming import EnvironmentName

PROGRAM = """
import json

import pulumi
import pulumi_aws as aws
import pulumi_snowflake as snowflake

from small_infra.landing import Landing

config = pulumi.Config()
provider = snowflake.Provider(
    "account", preview_features_enabled=["snowflake_pipe_resource"], private_key=config.get("key")
)
landing = Landing("landing")
integration = snowflake.StorageIntegrationAws(
    "integration",
    name="LANDING",
    enabled=True,
    storage_provider="S3",
    storage_aws_role_arn="arn:aws:iam::111111111111:role/reader",
    storage_aws_external_id="an-id",
    storage_allowed_locations=[pulumi.Output.concat("s3://", landing.bucket.bucket)],
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[landing]),
)
role = aws.iam.Role(
    "reader",
    name="reader",
    assume_role_policy=pulumi.Output.json_dumps(
        {
            "user": integration.describe_outputs[0].iam_user_arn,
            "id": integration.describe_outputs[0].external_id,
        }
    ),
    opts=pulumi.ResourceOptions(protect=True),
)
pulumi.export("role", role.arn)
pulumi.export("stack", pulumi.get_stack())
"""

COMPONENT = """
import pulumi
import pulumi_aws as aws


class Landing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("olist:aws:Landing", name)
        self.bucket = aws.s3.Bucket(
            f"{name}-bucket", bucket="files", opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({"bucket": self.bucket.bucket})
"""


def write_program(folder: Path, program: str, component: str = COMPONENT) -> Path:
    infra = folder / "infra"
    (infra / "small_infra").mkdir(parents=True)
    (folder / "environments").mkdir()
    (folder / "environments" / "Pulumi.dev.yaml").write_text(
        "config:\n  small:key: {secure: v1:abc}\n  aws:region: sa-east-1\n"
    )
    (infra / "Pulumi.yaml").write_text(
        "name: small\nruntime: python\nstackConfigDir: ../environments\n"
    )
    (infra / "__main__.py").write_text(textwrap.dedent(program))
    (infra / "small_infra" / "__init__.py").write_text("")
    (infra / "small_infra" / "landing.py").write_text(component)
    return infra


@pytest.fixture(scope="module")
def dev() -> Environment:
    return load_environment(EnvironmentName.DEV)


def test_values_dependencies_and_outputs_are_captured(tmp_path: Path, dev: Environment) -> None:
    captured = capture_program(dev, write_program(tmp_path, PROGRAM))

    assert (captured.project, captured.stack) == ("small", "dev")
    assert captured.outputs == {"role": "arn:aws:iam::111111111111:role/reader", "stack": "dev"}
    assert [(resource.type, resource.name) for resource in captured.resources] == [
        ("aws:iam/role:Role", "reader"),
        ("aws:s3/bucket:Bucket", "landing-bucket"),
        ("olist:aws:Landing", "landing"),
        ("pulumi:providers:snowflake", "account"),
        (INTEGRATION, "integration"),
    ]

    component = captured.named("olist:aws:Landing", "landing")
    assert component.is_component
    assert component.outputs == {"bucket": "files"}
    bucket = captured.named("aws:s3/bucket:Bucket", "landing-bucket")
    assert (bucket.parent, bucket.is_component) == (component.urn, False)
    assert (
        bucket.urn
        == "urn:pulumi:dev::small::olist:aws:Landing$aws:s3/bucket:Bucket::landing-bucket"
    )

    assert bucket.declared_at == "infra/small_infra/landing.py:9"

    integration = captured.named(INTEGRATION, "integration")
    assert integration.inputs["storageAllowedLocations"] == ["s3://files"]
    assert integration.property_dependencies == {"storageAllowedLocations": (bucket.urn,)}
    assert bucket.urn in integration.dependencies
    provider = captured.named("pulumi:providers:snowflake", "account")
    assert integration.provider.startswith(f"{provider.urn}::")

    role = captured.named("aws:iam/role:Role", "reader")
    assert role.protect
    assert not integration.protect
    assert role.inputs["assumeRolePolicy"] == (
        '{"user": "arn:aws:iam::999999999999:user/snowflake", "id": "an-id"}'
    )
    assert role.property_dependencies["assumeRolePolicy"] == (integration.urn,)


INTEGRATION = "snowflake:index/storageIntegrationAws:StorageIntegrationAws"


def test_secrets_are_marked_and_hidden(tmp_path: Path, dev: Environment) -> None:
    captured = capture_program(dev, write_program(tmp_path, PROGRAM))
    provider = captured.named("pulumi:providers:snowflake", "account")
    assert provider.inputs["privateKey"] == Secret(ENCRYPTED_VALUE)
    assert provider.shown_inputs["privateKey"] == HIDDEN
    assert provider.plain_inputs["privateKey"] == ENCRYPTED_VALUE
    assert ENCRYPTED_VALUE not in repr(captured)


def test_two_captures_are_equal_and_programs_do_not_mix(tmp_path: Path, dev: Environment) -> None:
    one = write_program(tmp_path / "one", PROGRAM)
    other = write_program(
        tmp_path / "other", PROGRAM, COMPONENT.replace('bucket="files"', 'bucket="others"')
    )
    first = capture_program(dev, one)
    second = capture_program(dev, other)
    assert capture_program(dev, one) == first
    bucket = second.named("aws:s3/bucket:Bucket", "landing-bucket")
    assert bucket.inputs == {"bucket": "others"}


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise KeyError('landing')", "infra/__main__.py:1: KeyError: 'landing'"),
        ("import pulumi_aws as aws\naws.s3.Bucket('a')\naws.s3.Bucket('a')", "two resources"),
        (
            "import pulumi\npulumi.Output.from_input(1).apply(lambda value: value / 0)",
            "ZeroDivisionError",
        ),
        (
            """
            import pulumi_aws as aws
            bucket = aws.s3.Bucket('a')
            aws.iam.Role('b', assume_role_policy=f'{bucket.arn}')
            """,
            "infra/__main__.py:4: ",
        ),
        ("import pulumi_aws as aws\naws.ec2.get_ami(owners=['self'])", "aws:ec2/getAmi:getAmi"),
    ],
)
def test_a_failing_program_is_one_error_with_its_cause(
    tmp_path: Path, dev: Environment, program: str, message: str
) -> None:
    folder = write_program(tmp_path, program)
    with pytest.raises(OlistError) as raised:
        capture_program(dev, folder)
    assert message in raised.value.message
    assert raised.value.mend
    # The next capture in this process is not harmed.
    (folder / "__main__.py").write_text(PROGRAM)
    assert len(capture_program(dev, folder).resources) == 5


def test_a_program_that_waits_for_itself_ends(
    tmp_path: Path, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("olist_platform.infrastructure_plan.captured_program._TIMEOUT_SECONDS", 0.5)
    program = """
    import asyncio
    import pulumi
    import pulumi_aws as aws

    aws.s3.Bucket("a", bucket=pulumi.Output.from_input(asyncio.get_event_loop().create_future()))
    """
    with pytest.raises(OlistError, match=r"did not end for 'dev'"):
        capture_program(dev, write_program(tmp_path, program))


def test_an_environment_without_a_cloud_is_the_users_error(tmp_path: Path) -> None:
    local = load_environment(EnvironmentName.LOCAL)
    with pytest.raises(OlistError, match="'local' has no cloud side"):
        capture_program(local, write_program(tmp_path, PROGRAM))


def test_missing_files_are_named(tmp_path: Path, dev: Environment) -> None:
    infra = write_program(tmp_path, PROGRAM)
    (tmp_path / "environments" / "Pulumi.dev.yaml").unlink()
    with pytest.raises(OlistError, match=r"Pulumi\.dev\.yaml: it does not exist") as caught:
        capture_program(dev, infra)
    assert "`olist bootstrap dev --apply`" in caught.value.mend
    (infra / "Pulumi.yaml").unlink()
    with pytest.raises(OlistError, match=r"Pulumi\.yaml: it does not exist"):
        capture_program(dev, infra)
