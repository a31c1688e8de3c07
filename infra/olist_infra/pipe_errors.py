"""How pipes tell of files that did not load: a notification integration over the alert topic."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_snowflake as snowflake

from olist_infra.policy_documents import allow, policy_document, trust_of_snowflake


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeErrorsArgs:
    """Who publishes what.

    Attributes:
        integration: Name of the notification integration.
        role: Name of the IAM role.
        account_id: AWS account of the role.
        topic_arn: The topic.
        kms_key_arn: The key of the topic.
        boundary_arn: What the role can do at most.
    """

    integration: str
    role: str
    account_id: str
    topic_arn: pulumi.Input[str]
    kms_key_arn: pulumi.Input[str]
    boundary_arn: pulumi.Input[str]


class PipeErrors(pulumi.ComponentResource):
    """Error notifications of pipes.

    Attributes:
        integration: Output: name of the notification integration.
        ready: The resource without which Snowflake cannot publish.
    """

    def __init__(
        self, name: str, args: PipeErrorsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:ingestion:PipeErrors", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # As with the landing's role: the ARN follows from the name, so nothing waits in a circle.
        integration = snowflake.NotificationIntegration(
            name,
            name=args.integration,
            notification_provider="AWS_SNS",
            enabled=True,
            aws_sns_topic_arn=args.topic_arn,
            aws_sns_role_arn=f"arn:aws:iam::{args.account_id}:role/{args.role}",
            comment="Files that pipes did not load",
            opts=child,
        )
        role = aws.iam.Role(
            name,
            name=args.role,
            description="Snowflake tells of files that did not load",
            permissions_boundary=args.boundary_arn,
            assume_role_policy=trust_of_snowflake(
                integration.aws_sns_iam_user_arn, integration.aws_sns_external_id
            ),
            opts=child,
        )
        self.ready = aws.iam.RolePolicy(
            name,
            name="publish-errors",
            role=role.name,
            policy=policy_document(
                [
                    allow(["sns:Publish"], args.topic_arn),
                    allow(["kms:Decrypt", "kms:GenerateDataKey"], args.kms_key_arn),
                ]
            ),
            opts=child,
        )
        self.integration = integration.name
        self.register_outputs({"integration": self.integration})
