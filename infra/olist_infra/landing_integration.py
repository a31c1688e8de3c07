"""How Snowflake reads the landing bucket: a storage integration and the role it assumes.

Each needs the other: the integration names the role, the role trusts the user that Snowflake makes
for the integration. The role's ARN follows from its name, so the integration comes first and one
`pulumi up` does.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_snowflake as snowflake

from olist_infra.policy_documents import allow, policy_document, trust_of_snowflake


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingIntegrationArgs:
    """What is read, and by whom.

    Attributes:
        integration: Name of the storage integration.
        role: Name of the IAM role.
        account_id: AWS account of the role.
        external_id: What Snowflake shows when it assumes the role.
        bucket: Name of the landing bucket.
        bucket_arn: Its ARN.
        kms_key_arn: The key its objects are encrypted with.
        boundary_arn: What the role can do at most.
    """

    integration: str
    role: str
    account_id: str
    external_id: str
    bucket: str
    bucket_arn: pulumi.Input[str]
    kms_key_arn: pulumi.Input[str]
    boundary_arn: pulumi.Input[str]


class LandingIntegration(pulumi.ComponentResource):
    """A read-only way from Snowflake to the landing bucket.

    Attributes:
        name: Output: name of the integration.
        ready: The resource without which nothing can be read; a stage depends on it.
    """

    def __init__(
        self, name: str, args: LandingIntegrationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:ingestion:LandingIntegration", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        integration = snowflake.StorageIntegrationAws(
            name,
            name=args.integration,
            enabled=True,
            storage_provider="S3",
            storage_aws_role_arn=f"arn:aws:iam::{args.account_id}:role/{args.role}",
            storage_aws_external_id=args.external_id,
            storage_allowed_locations=[f"s3://{args.bucket}/"],
            comment="Reads the landing files",
            opts=child,
        )
        role = aws.iam.Role(
            name,
            name=args.role,
            description="Snowflake reads the landing files",
            permissions_boundary=args.boundary_arn,
            assume_role_policy=trust_of_snowflake(
                integration.describe_outputs[0].iam_user_arn, args.external_id
            ),
            opts=child,
        )
        self.ready = aws.iam.RolePolicy(
            name,
            name="read-landing",
            role=role.name,
            policy=policy_document(
                [
                    allow(["s3:ListBucket", "s3:GetBucketLocation"], args.bucket_arn),
                    allow(
                        ["s3:GetObject", "s3:GetObjectVersion"],
                        pulumi.Output.concat(args.bucket_arn, "/*"),
                    ),
                    allow(["kms:Decrypt"], args.kms_key_arn),
                ]
            ),
            opts=child,
        )
        self.name = integration.name
        self.role_arn = role.arn
        self.register_outputs({"name": self.name, "roleArn": self.role_arn})
