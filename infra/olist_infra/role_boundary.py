"""What a role that a deployment makes can do at most, whatever policy it is given.

A deploying job may write these roles' policies and their trust. Without a boundary it could write
itself an administrator; the boundary is a person's to change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from olist_infra.policy_documents import allow, policy_document


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleBoundaryArgs:
    """What the roles are for.

    Attributes:
        name: Name of the policy.
        read_buckets: ARNs of the buckets that Snowflake reads.
        topics: ARNs of the topics that Snowflake publishes to, as text: the topics come later.
        kms_key_arn: The key of both.
    """

    name: str
    read_buckets: Sequence[pulumi.Input[str]]
    topics: Sequence[str]
    kms_key_arn: pulumi.Input[str]


class RoleBoundary(pulumi.ComponentResource):
    """The permissions boundary of the roles that deployments write.

    Attributes:
        arn: Output.
    """

    def __init__(
        self, name: str, args: RoleBoundaryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:RoleBoundary", name, None, opts)
        files = [pulumi.Output.concat(bucket, "/*") for bucket in args.read_buckets]
        policy = aws.iam.Policy(
            name,
            name=args.name,
            description="The most that a role made by a deployment can do",
            policy=policy_document(
                [
                    allow(["s3:GetBucketLocation", "s3:ListBucket"], list(args.read_buckets)),
                    allow(["s3:GetObject", "s3:GetObjectVersion"], files),
                    allow(["sns:Publish"], list(args.topics)),
                    allow(["kms:Decrypt", "kms:GenerateDataKey"], args.kms_key_arn),
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})
