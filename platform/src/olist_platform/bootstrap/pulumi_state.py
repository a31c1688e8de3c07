"""Where Pulumi keeps an environment's state: a KMS key, its alias, and a bucket."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from olist_platform.aws_errors import aws_errors_explained, error_code
from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide
from olist_platform.bootstrap.steps import Step
from olist_platform.errors import OlistError
from olist_platform.naming import PULUMI_STATE

_FIRST_REGION = "us-east-1"
_NOT_THERE = {
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NotFoundException",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
_PUBLIC_ACCESS_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class StateKey:
    """The key of the state's files and of the secrets in them.

    It is found by its alias or, where a run ended between the two, by its tag.
    """

    def __init__(self, side: CloudSide, account: AwsAccount) -> None:
        self._kms = account.client("kms")
        self._name = side.names.aws(PULUMI_STATE)
        self._alias = f"alias/{self._name}"
        self._tags = side.tags | {"purpose": self._name}

    def steps(self) -> tuple[Step, ...]:
        """Return what makes the key."""
        subject, alias = f"KMS key {self._name}", f"KMS alias {self._alias}"
        return (
            _step("KMS", subject, "there", lambda: self._find() is not None, self._make),
            _step("KMS", alias, "of that key", self._has_alias, self._make_alias),
            _step("KMS", subject, "rotated yearly", self._rotates, self._rotate),
        )

    def arn(self) -> str | None:
        """Return the key's ARN, or None where there is no key yet."""
        found = self._find()
        return found["Arn"] if found else None

    def _find(self) -> dict[str, Any] | None:
        aliased = self._described(self._alias)
        if aliased is not None:
            return aliased
        pages = self._kms.get_paginator("list_keys").paginate()
        for key_id in sorted(key["KeyId"] for page in pages for key in page["Keys"]):
            metadata = self._described(key_id)
            if metadata is not None and metadata["KeyManager"] == "CUSTOMER":
                tags = self._kms.list_resource_tags(KeyId=key_id)["Tags"]
                if {"TagKey": "purpose", "TagValue": self._name} in tags:
                    return metadata
        return None

    def _described(self, key: str) -> dict[str, Any] | None:
        """Describe an enabled key; one that is to be deleted counts as none."""
        try:
            metadata: dict[str, Any] = self._kms.describe_key(KeyId=key)["KeyMetadata"]
        except ClientError as error:
            if error_code(error) in _NOT_THERE:
                return None
            raise
        if metadata["KeyState"] == "Enabled":
            return metadata
        if key == self._alias:
            raise OlistError(
                f"{self._alias}: its key is {metadata['KeyState']}",
                "without it no secret of the state can be read: cancel its deletion and enable it",
            )
        return None

    def _make(self) -> None:
        # The default policy lets IAM say who may use it; the deploying roles' policies do.
        self._kms.create_key(
            Description=f"Pulumi's state of {self._name}",
            Tags=[{"TagKey": key, "TagValue": value} for key, value in self._tags.items()],
        )

    def _has_alias(self) -> bool:
        return self._described(self._alias) is not None

    def _make_alias(self) -> None:
        self._kms.create_alias(AliasName=self._alias, TargetKeyId=self._key_id())

    def _rotates(self) -> bool:
        key = self._find()
        return key is not None and bool(
            self._kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
        )

    def _rotate(self) -> None:
        self._kms.enable_key_rotation(KeyId=self._key_id())

    def _key_id(self) -> str:
        found = self._find()
        if found is None:
            raise OlistError(f"KMS key {self._name}: it has gone", "run the same command again")
        return str(found["KeyId"])


class StateBucket:
    """The bucket of the state: versioned, encrypted, private, over TLS only."""

    def __init__(self, side: CloudSide, account: AwsAccount, key: StateKey) -> None:
        self._s3 = account.client("s3")
        self._region = side.landing.region
        self._owner = side.landing.aws_account_id
        self._key = key
        self._name = side.names.state_bucket(self._owner)
        self._tags = side.tags
        self._arn = f"arn:aws:s3:::{self._name}"

    def steps(self) -> tuple[Step, ...]:
        """Return what makes the bucket."""
        parts: Sequence[tuple[str, Callable[[], bool], Callable[[], None]]] = (
            ("there", self._exists, self._make),
            ("private", self._is_private, self._make_private),
            ("without ACLs", self._owner_enforced, self._enforce_owner),
            ("versioned", self._is_versioned, self._make_versioned),
            ("encrypted with that key", self._is_encrypted, self._encrypt),
            ("open over TLS only", self._is_tls_only, self._make_tls_only),
            ("tagged", self._is_tagged, self._tag),
        )
        subject = f"bucket {self._name}"
        return tuple(_step("S3", subject, wanted, stands, make) for wanted, stands, make in parts)

    def _exists(self) -> bool:
        try:
            self._s3.head_bucket(Bucket=self._name, ExpectedBucketOwner=self._owner)
        except ClientError as error:
            if error_code(error) in _NOT_THERE:
                return False
            raise
        return True

    def _make(self) -> None:
        # The oldest region is the one that may not be named.
        place = (
            {}
            if self._region == _FIRST_REGION
            else {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        )
        self._s3.create_bucket(Bucket=self._name, **place)

    def _is_private(self) -> bool:
        found = self._get("get_public_access_block", "PublicAccessBlockConfiguration")
        return bool(found == _PUBLIC_ACCESS_BLOCKED)

    def _make_private(self) -> None:
        self._s3.put_public_access_block(
            Bucket=self._name, PublicAccessBlockConfiguration=_PUBLIC_ACCESS_BLOCKED
        )

    def _owner_enforced(self) -> bool:
        found = self._get("get_bucket_ownership_controls", "OwnershipControls")
        return bool(found and found["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}])

    def _enforce_owner(self) -> None:
        self._s3.put_bucket_ownership_controls(
            Bucket=self._name,
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        )

    def _is_versioned(self) -> bool:
        return bool(self._get("get_bucket_versioning", "Status") == "Enabled")

    def _make_versioned(self) -> None:
        self._s3.put_bucket_versioning(
            Bucket=self._name, VersioningConfiguration={"Status": "Enabled"}
        )

    def _is_encrypted(self) -> bool:
        found = self._get("get_bucket_encryption", "ServerSideEncryptionConfiguration")
        arn = self._key.arn()
        if not found or not arn:
            return False
        [rule] = found["Rules"]
        return bool(
            rule["ApplyServerSideEncryptionByDefault"]
            == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
            and rule.get("BucketKeyEnabled")
        )

    def _encrypt(self) -> None:
        self._s3.put_bucket_encryption(
            Bucket=self._name,
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": self._key.arn(),
                        },
                        "BucketKeyEnabled": True,
                    }
                ]
            },
        )

    def _statements(self) -> list[dict[str, Any]]:
        policy = self._get("get_bucket_policy", "Policy")
        return list(json.loads(policy)["Statement"]) if policy else []

    @property
    def _tls_only(self) -> dict[str, Any]:
        return {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self._arn, f"{self._arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }

    def _is_tls_only(self) -> bool:
        return self._tls_only in self._statements()

    def _make_tls_only(self) -> None:
        others = [one for one in self._statements() if one.get("Sid") != self._tls_only["Sid"]]
        policy = {"Version": "2012-10-17", "Statement": [*others, self._tls_only]}
        self._s3.put_bucket_policy(Bucket=self._name, Policy=json.dumps(policy))

    def _current_tags(self) -> dict[str, str]:
        found = self._get("get_bucket_tagging", "TagSet") or []
        return {tag["Key"]: tag["Value"] for tag in found}

    def _is_tagged(self) -> bool:
        return self._tags.items() <= self._current_tags().items()

    def _tag(self) -> None:
        tags = self._current_tags() | self._tags
        self._s3.put_bucket_tagging(
            Bucket=self._name,
            Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]},
        )

    def _get(self, operation: str, part: str) -> Any:
        """Ask for a part of the bucket's configuration; None where there is none, or no bucket."""
        try:
            return getattr(self._s3, operation)(Bucket=self._name).get(part)
        except ClientError as error:
            if error_code(error) in _NOT_THERE:
                return None
            raise


def _step(
    service: str, subject: str, wanted: str, stands: Callable[[], bool], make: Callable[[], None]
) -> Step:
    """Return a step whose refusals by AWS are a user's errors."""

    def explained_stands() -> bool:
        with aws_errors_explained(subject, service=service):
            return stands()

    def explained_make() -> None:
        with aws_errors_explained(subject, service=service):
            make()

    return Step(subject, wanted, explained_stands, explained_make)
