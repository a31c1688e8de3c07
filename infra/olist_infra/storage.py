"""The environment's buckets: landing files, artifacts, and the logs of access to both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from olist_infra.promotion_access import ArtifactPlace, bucket_statements
from olist_infra.secure_bucket import SecureBucket, SecureBucketArgs
from olist_platform.cloud_settings import AwsSettings
from olist_platform.naming import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageArgs:
    """What the buckets are called, and how long they keep things.

    Attributes:
        names: Names of the environment.
        account_id: AWS account.
        kms_key_arn: The environment's key.
        aws: How long what is kept.
        promoted_to: Environments whose deployers read the artifacts.
        protect: Whether Pulumi refuses to delete them.
    """

    names: Names
    account_id: str
    kms_key_arn: pulumi.Input[str]
    aws: AwsSettings
    promoted_to: Sequence[ArtifactPlace]
    protect: bool


class Storage(pulumi.ComponentResource):
    """The buckets.

    Attributes:
        landing: Files as they arrive, and for Snowpipe to read.
        artifacts: Releases and dbt's manifests.
        access_logs: Who read and wrote them.
    """

    def __init__(
        self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:Storage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        log_bucket = args.names.bucket("access-logs", args.account_id)
        self.access_logs = SecureBucket(
            "access-logs",
            SecureBucketArgs(
                bucket=log_bucket,
                kms_key_arn=None,
                expiry_days=args.aws.access_log_days,
                noncurrent_version_days=args.aws.noncurrent_version_days,
                access_log_bucket=None,
                statements=[_logs_are_delivered(log_bucket, args.account_id)],
                protect=args.protect,
            ),
            child,
        )
        self.landing = SecureBucket(
            "landing",
            SecureBucketArgs(
                bucket=args.names.landing_bucket(args.account_id),
                kms_key_arn=args.kms_key_arn,
                archive_days=args.aws.landing_archive_days,
                expiry_days=args.aws.landing_expiry_days,
                noncurrent_version_days=args.aws.noncurrent_version_days,
                access_log_bucket=self.access_logs.name,
                protect=args.protect,
            ),
            child,
        )
        self.artifacts = SecureBucket(
            "artifacts",
            SecureBucketArgs(
                bucket=args.names.artifact_bucket(args.account_id),
                kms_key_arn=args.kms_key_arn,
                noncurrent_version_days=args.aws.noncurrent_version_days,
                access_log_bucket=self.access_logs.name,
                statements=bucket_statements(
                    args.names.artifact_bucket(args.account_id), args.promoted_to
                ),
                protect=args.protect,
            ),
            child,
        )
        self.register_outputs(
            {
                "landing": self.landing.name,
                "artifacts": self.artifacts.name,
                "accessLogs": self.access_logs.name,
            }
        )


def _logs_are_delivered(bucket: str, account_id: str) -> dict[str, Any]:
    return {
        "Sid": "LogsAreDelivered",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
