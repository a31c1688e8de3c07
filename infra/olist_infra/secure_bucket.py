"""A bucket as every bucket of the platform is: private, encrypted, versioned, logged and swept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from olist_infra.policy_documents import policy_document

_ABORT_UPLOADS_AFTER_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureBucketArgs:
    """What a bucket differs in.

    Attributes:
        bucket: Its name.
        kms_key_arn: The key its objects are encrypted with, or None for S3's own: the one that a
            target of access logs takes.
        noncurrent_version_days: How long replaced and deleted versions are kept.
        expiry_days: Age at which objects are deleted, or None for never.
        archive_days: Age at which objects move to colder storage, or None for never.
        access_log_bucket: Where its access is logged, or None for the log bucket itself.
        statements: Further statements of its policy.
        protect: Whether Pulumi refuses to delete it.
    """

    bucket: str
    kms_key_arn: pulumi.Input[str] | None
    noncurrent_version_days: int
    expiry_days: int | None = None
    archive_days: int | None = None
    access_log_bucket: pulumi.Input[str] | None
    statements: Sequence[Mapping[str, Any]] = ()
    protect: bool


class SecureBucket(pulumi.ComponentResource):
    """A bucket with everything that keeps it safe.

    Attributes:
        name: Output: the bucket's name, known once nothing about it is missing.
        arn: Output.
    """

    def __init__(
        self, name: str, args: SecureBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:SecureBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            name,
            bucket=args.bucket,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.s3.BucketOwnershipControls(
            name,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child,
        )
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name, bucket=bucket.bucket, rules=[_encryption(args.kms_key_arn)], opts=child
        )
        versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=_lifecycle(args),
            # S3 refuses rules on noncurrent versions of a bucket that has none.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        aws.s3.BucketPolicy(
            name,
            bucket=bucket.bucket,
            policy=policy_document([_tls_only(bucket.arn), *args.statements]),
            # Both change the bucket's access; S3 answers 409 when they come at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        if args.access_log_bucket is not None:
            aws.s3.BucketLogging(
                name,
                bucket=bucket.bucket,
                target_bucket=args.access_log_bucket,
                target_prefix=f"{args.bucket}/",
                opts=child,
            )
        self.name = bucket.bucket
        self.arn = bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def _encryption(
    kms_key_arn: pulumi.Input[str] | None,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgs:
    default = (
        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
    )
    if kms_key_arn is None:
        return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default(sse_algorithm="AES256")
        )
    return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default(
            sse_algorithm="aws:kms", kms_master_key_id=kms_key_arn
        ),
        # One data key a bucket instead of one call to KMS an object.
        bucket_key_enabled=True,
    )


def _lifecycle(args: SecureBucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    rules = [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="sweep",
            status="Enabled",
            filter=everything,
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=_ABORT_UPLOADS_AFTER_DAYS
                )
            ),
            noncurrent_version_expiration=(
                aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.noncurrent_version_days
                )
            ),
        )
    ]
    if args.archive_days is not None:
        rules.append(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="archive",
                status="Enabled",
                filter=everything,
                transitions=[
                    aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                        days=args.archive_days, storage_class="GLACIER_IR"
                    )
                ],
            )
        )
    if args.expiry_days is not None:
        rules.append(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="expire",
                status="Enabled",
                filter=everything,
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                    days=args.expiry_days
                ),
            )
        )
    return rules


def _tls_only(arn: pulumi.Output[str]) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, pulumi.Output.concat(arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
