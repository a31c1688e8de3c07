"""The bootstrap against a local AWS: nothing, half of it, all of it, and the wrong one."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide, cloud_side
from olist_platform.bootstrap.environment_bootstrap import EnvironmentBootstrap
from olist_platform.bootstrap.pulumi_state import StateBucket, StateKey
from olist_platform.bootstrap.stack_file import PublicKeys, StackFile
from olist_platform.bootstrap.steps import Outcome, Step, carry_out
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_workspace import Workspace
from yaml_files import read_yaml, write_yaml

Client = Callable[[str], Any]

# The account that moto answers for, and the region of dev.yaml.
ACCOUNT, REGION = "123456789012", "sa-east-1"
BUCKET = f"olist-dev-pulumi-state-{ACCOUNT}"
ALIAS = "alias/olist-dev-pulumi-state"


def state_steps(side: CloudSide) -> list[Step]:
    """The steps of Pulumi's state alone: key pairs take their time."""
    account = AwsAccount(side)
    key = StateKey(side, account)
    return [*key.steps(), *StateBucket(side, account, key).steps()]


def outcomes(side: CloudSide, *, apply: bool) -> Counter[Outcome]:
    steps = EnvironmentBootstrap(side).steps()
    return Counter(outcome for _, outcome in carry_out(steps, apply=apply))


def files_of(home: Workspace) -> dict[str, bytes]:
    return {
        str(path.relative_to(home.home)): path.read_bytes()
        for path in sorted(home.home.rglob("*"))
        if path.is_file() and "dbt" not in path.relative_to(home.home).parts
    }


def state_of(client: Client) -> dict[str, Any]:
    """Everything that the bootstrap sets up, as AWS tells it."""
    s3, kms = client("s3"), client("kms")
    [alias] = [a for a in kms.list_aliases()["Aliases"] if a["AliasName"] == ALIAS]
    key = kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
    [encryption] = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert encryption["ApplyServerSideEncryptionByDefault"].pop("KMSMasterKeyID") == key["Arn"]
    return {
        "place": s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"],
        "versioning": s3.get_bucket_versioning(Bucket=BUCKET)["Status"],
        "encryption": encryption,
        "public": s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"],
        "policy": json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"],
        "tags": {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]},
        "rotation": kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"],
    }


WANTED: dict[str, Any] = {
    "place": REGION,
    "versioning": "Enabled",
    "encryption": {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"},
        "BucketKeyEnabled": True,
    },
    "public": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
    "ownership": [{"ObjectOwnership": "BucketOwnerEnforced"}],
    "policy": [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
    "tags": {
        "project": "olist",
        "environment": "dev",
        "owner": "data-platform",
        "cost-centre": "DATA-DEV",
    },
    "rotation": True,
}


def test_a_dry_run_changes_nothing_then_one_run_does_all_and_a_second_nothing(
    side: CloudSide, home: Workspace, client: Client
) -> None:
    before = files_of(home)
    looked = outcomes(side, apply=False)
    assert looked[Outcome.DONE] == 0
    assert looked[Outcome.WOULD_DO] == 17  # the stack file names its secrets provider already
    assert files_of(home) == before
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("kms").list_keys()["Keys"] == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []

    first = outcomes(side, apply=True)
    assert first[Outcome.DONE] == looked[Outcome.WOULD_DO]
    assert first[Outcome.STANDS] == looked[Outcome.STANDS]
    assert state_of(client) == WANTED
    secret = client("secretsmanager").describe_secret(SecretId="olist/dev/snowflake/deployer")
    assert [secret["KmsKeyId"]] == [key["KeyArn"] for key in client("kms").list_keys()["Keys"]]
    made, keys = files_of(home), client("kms").list_keys()["Keys"]

    again = outcomes(side, apply=True)
    assert set(again) == {Outcome.STANDS}
    assert again.total() == first.total()
    assert (files_of(home), client("kms").list_keys()["Keys"]) == (made, keys)
    assert state_of(client) == WANTED
    assert set(outcomes(side, apply=False)) == {Outcome.STANDS}


def break_versioning(client: Client) -> None:
    client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
    )


def break_alias(client: Client) -> None:
    client("kms").delete_alias(AliasName=ALIAS)


def break_encryption(client: Client) -> None:
    client("s3").delete_bucket_encryption(Bucket=BUCKET)


def break_privacy(client: Client) -> None:
    client("s3").delete_public_access_block(Bucket=BUCKET)


def break_policy(client: Client) -> None:
    statement = WANTED["policy"][0] | {"Effect": "Allow"}
    client("s3").put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


def test_what_is_half_made_or_was_changed_is_mended_and_nothing_else(
    side: CloudSide, client: Client
) -> None:
    steps = state_steps(side)
    list(carry_out(steps, apply=True))
    for damage in (break_versioning, break_alias, break_encryption, break_privacy, break_policy):
        damage(client)
        found = [step for step, outcome in carry_out(steps, apply=False) if outcome != "stands"]
        assert len(found) == 1, damage.__name__
        done = [step for step, outcome in carry_out(steps, apply=True) if outcome == "done"]
        assert done == found
    assert state_of(client) == WANTED
    assert len(client("kms").list_keys()["Keys"]) == 1


def test_statements_and_tags_of_others_are_left_alone(side: CloudSide, client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    other = {
        "Sid": "Auditors",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
    }
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [other]})
    )
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "ticket", "Value": "OPS-1"}]})
    list(carry_out(state_steps(side), apply=True))
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert policy == [other, *WANTED["policy"]]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags == {"ticket": "OPS-1"} | WANTED["tags"]


def test_a_key_that_is_to_be_deleted_is_an_error_not_replaced(
    side: CloudSide, client: Client
) -> None:
    list(carry_out(state_steps(side), apply=True))
    kms = client("kms")
    kms.schedule_key_deletion(KeyId=kms.list_keys()["Keys"][0]["KeyId"])
    with pytest.raises(OlistError, match=f"{ALIAS}: its key is PendingDeletion") as caught:
        list(carry_out(state_steps(side), apply=True))
    assert "cancel its deletion" in caught.value.mend
    assert len(kms.list_keys()["Keys"]) == 1


def test_another_account_is_refused_before_anything_is_looked_at(
    home: Workspace, client: Client
) -> None:
    settings = home.home / "environments" / "dev.yaml"
    settings.write_text(settings.read_text().replace(ACCOUNT, "999999999999"))
    with pytest.raises(OlistError) as caught:
        EnvironmentBootstrap(cloud_side(load_environment(EnvironmentName.DEV)))
    assert caught.value.message == (
        "the AWS credentials are of account 123456789012; environments/dev.yaml says 999999999999 "
        "(key 'landing.aws_account_id')"
    )
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.usefixtures("aws")
def test_without_credentials(side: CloudSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(OlistError, match="no AWS credentials") as caught:
        AwsAccount(side)
    assert caught.value.mend.startswith("log in: aws sso login")


@pytest.mark.usefixtures("home")
def test_an_environment_of_one_machine_has_nothing_to_bootstrap() -> None:
    with pytest.raises(OlistError, match="'local' has no cloud side: there is nothing to boot"):
        cloud_side(load_environment(EnvironmentName.LOCAL))


def test_a_step_that_does_not_hold_is_an_error() -> None:
    made: list[str] = []
    step = Step("bucket x", "private", lambda: False, lambda: made.append("x"))
    with pytest.raises(OlistError, match="bucket x: made, and still not private"):
        list(carry_out([step], apply=True))
    assert made == ["x"]


def test_the_stack_file_keeps_its_comment_and_what_pulumi_wrote(home: Workspace) -> None:
    path = home.home / "environments" / "Pulumi.dev.yaml"
    before = read_yaml(path)
    del before["secretsprovider"]
    path.write_text("# One.\n# Two.\n" + yaml.safe_dump(before | {"other": 7}))
    stack = StackFile(EnvironmentName.DEV)
    stack.set_secrets_provider("awskms://alias/x")
    stack.set_keys("deployer", PublicKeys("AAA", "BBB"))
    stack.set_keys("loader", PublicKeys("CCC"))
    assert path.read_text().startswith("# One.\n# Two.\nsecretsprovider: awskms://alias/x\n")
    before["config"]["olist:serviceUserKeys"] |= {
        "deployer": {"current": "AAA", "following": "BBB"},
        "loader": {"current": "CCC"},
    }
    assert read_yaml(path) == before | {
        "other": 7,
        "secretsprovider": "awskms://alias/x",
    }


def test_secrets_of_another_provider_are_not_cut_off(home: Workspace) -> None:
    path = home.home / "environments" / "Pulumi.dev.yaml"
    content = read_yaml(path)
    content |= {"secretsprovider": "passphrase", "encryptedkey": "v1:abc"}
    write_yaml(path, content)
    with pytest.raises(OlistError, match="secrets are encrypted with passphrase") as caught:
        StackFile(EnvironmentName.DEV).set_secrets_provider("awskms://alias/x")
    assert "pulumi stack change-secrets-provider 'awskms://alias/x'" in caught.value.mend
