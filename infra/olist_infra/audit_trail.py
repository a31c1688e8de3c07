"""Who did what: CloudTrail, with every read and write of the files that hold data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from olist_infra.secure_bucket import SecureBucket, SecureBucketArgs


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrailArgs:
    """What is recorded, and where.

    Attributes:
        name: Name of the trail.
        bucket: Name of its bucket.
        account_id: AWS account.
        region: AWS region.
        kms_key_arn: The key that records are encrypted with.
        watched: ARNs of the buckets whose files are watched.
        access_log_bucket: Where access to the trail's own bucket is logged.
        keep_days: How long records are kept.
        noncurrent_version_days: How long replaced versions are kept.
        protect: Whether Pulumi refuses to delete the bucket.
    """

    name: str
    bucket: str
    account_id: str
    region: str
    kms_key_arn: pulumi.Input[str]
    watched: Sequence[pulumi.Input[str]]
    access_log_bucket: pulumi.Input[str]
    keep_days: int
    noncurrent_version_days: int
    protect: bool


class AuditTrail(pulumi.ComponentResource):
    """A trail that shows when it was tampered with, and its bucket."""

    def __init__(
        self, name: str, args: AuditTrailArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:AuditTrail", name, None, opts)
        bucket = SecureBucket(
            name,
            SecureBucketArgs(
                bucket=args.bucket,
                kms_key_arn=args.kms_key_arn,
                expiry_days=args.keep_days,
                noncurrent_version_days=args.noncurrent_version_days,
                access_log_bucket=args.access_log_bucket,
                statements=_trail_writes(args),
                protect=args.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        aws.cloudtrail.Trail(
            name,
            name=args.name,
            s3_bucket_name=bucket.name,
            kms_key_id=args.kms_key_arn,
            enable_logging=True,
            enable_log_file_validation=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            advanced_event_selectors=_selectors(args),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket]),
        )
        self.bucket = bucket.name
        self.bucket_arn = bucket.arn
        self.register_outputs({"bucket": self.bucket})


def _trail_writes(args: AuditTrailArgs) -> list[dict[str, Any]]:
    trail = f"arn:aws:cloudtrail:{args.region}:{args.account_id}:trail/{args.name}"
    common = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    ours = {"StringEquals": {"aws:SourceArn": trail}}
    arn = f"arn:aws:s3:::{args.bucket}"
    return [
        common
        | {
            "Sid": "TrailChecks",
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": ours,
        },
        common
        | {
            "Sid": "TrailWrites",
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{args.account_id}/*",
            "Condition": ours,
        },
    ]


def _selectors(args: AuditTrailArgs) -> list[aws.cloudtrail.TrailAdvancedEventSelectorArgs]:
    selector = aws.cloudtrail.TrailAdvancedEventSelectorArgs
    field = aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs
    return [
        selector(
            name="Management",
            field_selectors=[field(field="eventCategory", equals=["Management"])],
        ),
        selector(
            name="Files that hold data",
            field_selectors=[
                field(field="eventCategory", equals=["Data"]),
                field(field="resources.type", equals=["AWS::S3::Object"]),
                field(
                    field="resources.ARN",
                    starts_withs=[pulumi.Output.concat(arn, "/") for arn in args.watched],
                ),
            ],
        ),
    ]
