"""Who deploys: GitHub Actions, without a key, by the identity of its job.

One role deploys the environment, from jobs of its GitHub environment only. Another looks for drift
every night, and a third reads, for previews of pull requests, and sees no file that holds data.
None may change itself: a person does that, with their own rights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from olist_infra.policy_documents import allow, policy_document
from olist_infra.promotion_access import ArtifactPlace, reading_statements
from olist_platform.access_model import DEPLOYER_ROLE, TRANSFORMER
from olist_platform.cloud_settings import DEPLOY_ROLE_SECONDS, DRIFT_ROLE_SECONDS, GitHubSettings
from olist_platform.naming import PULUMI_STATE, Names

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"

_READ_BUCKET = (
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
)
_WRITE_BUCKET = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)
_READ_ROLE = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
)
_READ_BOUNDARY = ("iam:GetPolicy", "iam:GetPolicyVersion")
_WRITE_ROLE = (
    "iam:DeleteRole",
    "iam:PassRole",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
# Of a role within the boundary only: else a job could write itself an administrator.
_WRITE_ROLE_POLICY = ("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy")
_READ_TOPIC = (
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
)
_WRITE_TOPIC = (
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:UntagResource",
)
_READ_SECRET = ("secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy")
_WRITE_SECRET = (
    "secretsmanager:CreateSecret",
    "secretsmanager:DeleteSecret",
    "secretsmanager:TagResource",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecret",
)
_READ_TRAIL = (
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrail",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:ListTags",
)
_WRITE_TRAIL = (
    "cloudtrail:AddTags",
    "cloudtrail:CreateTrail",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:RemoveTags",
    "cloudtrail:StartLogging",
    "cloudtrail:UpdateTrail",
)
_READ_BUDGET = ("budgets:ListTagsForResource", "budgets:ViewBudget")
_WRITE_BUDGET = ("budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource")
_READ_KEY = (
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
)
_WRITE_KEY = (
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_WRITE_CHAT = (
    "chatbot:DeleteSlackChannelConfiguration",
    "chatbot:TagResource",
    "chatbot:UntagResource",
    "chatbot:UpdateSlackChannelConfiguration",
)
# AWS allows these on every resource or not at all (Service Authorization Reference).
_READ_EVERYWHERE = (
    "chatbot:DescribeSlackChannelConfigurations",
    "chatbot:ListTagsForResource",
    "cloudtrail:DescribeTrails",
    "kms:ListAliases",
    "sns:GetSubscriptionAttributes",
)
_WRITE_EVERYWHERE = ("sns:Unsubscribe",)
_USE_KEY = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubIdentitiesArgs:
    """Which jobs may do what.

    Attributes:
        names: Names of the environment.
        account_id: AWS account.
        region: AWS region.
        github: Repository and GitHub environment.
        owns_account_objects: Whether this environment makes the account's identity provider.
        kms_key_arn: The environment's key.
        buckets: ARNs of the environment's buckets.
        artifact_bucket: ARN of the one that releases are put into.
        topics: ARNs of the environment's topics.
        chat_channel: Name of AWS Chatbot's configuration of the channel that alerts are posted to.
        managed_roles: Names of the roles that a deployment makes besides these.
        role_boundary: ARN of what those can do at most.
        promotion_source: Where releases are promoted from, or None.
        secrets: Path under which the environment's secrets are.
        reader_connections: Secrets by which a deployment tells readers of new marts.
        trail: Name of the audit trail.
        budget: Name of the budget.
    """

    names: Names
    account_id: str
    region: str
    github: GitHubSettings
    owns_account_objects: bool
    kms_key_arn: pulumi.Input[str]
    buckets: Sequence[pulumi.Input[str]]
    artifact_bucket: pulumi.Input[str]
    topics: Sequence[pulumi.Input[str]]
    chat_channel: str
    managed_roles: Sequence[str]
    role_boundary: pulumi.Input[str]
    promotion_source: ArtifactPlace | None
    secrets: str
    reader_connections: Sequence[str]
    trail: str
    budget: str


class GitHubIdentities(pulumi.ComponentResource):
    """The identity provider and the two roles.

    Attributes:
        deploy_role_arn: Output.
        drift_role_arn: Output.
        pull_request_role_arn: Output.
    """

    def __init__(
        self, name: str, args: GitHubIdentitiesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:github:GitHubIdentities", name, None, opts)
        self._args = args
        self._provider_arn = self._identity_provider()
        repository = args.github.repository
        self.deploy_role_arn = self._role(
            "deploy",
            "GitHub Actions deploys this environment",
            subject=f"repo:{repository}:environment:{args.github.environment}",
            seconds=DEPLOY_ROLE_SECONDS,
            statements=[
                *self._reads(),
                *self._writes(),
                *self._takes(
                    *self._keys_of(DEPLOYER_ROLE, TRANSFORMER.name), *args.reader_connections
                ),
                *(reading_statements(args.promotion_source) if args.promotion_source else []),
            ],
        )
        self.drift_role_arn = self._role(
            "drift",
            "GitHub Actions looks every night whether this environment has drifted",
            subject=f"repo:{repository}:environment:{args.names.environment}-drift",
            seconds=DRIFT_ROLE_SECONDS,
            statements=[*self._reads(), *self._takes(*self._keys_of(DEPLOYER_ROLE))],
        )
        self.pull_request_role_arn = self._role(
            "pull-request",
            "GitHub Actions previews pull requests; it changes nothing and reads no data",
            subject=f"repo:{repository}:pull_request",
            statements=self._reads(),
        )
        self.register_outputs(
            {
                "deployRoleArn": self.deploy_role_arn,
                "driftRoleArn": self.drift_role_arn,
                "pullRequestRoleArn": self.pull_request_role_arn,
            }
        )

    def _identity_provider(self) -> pulumi.Input[str]:
        if not self._args.owns_account_objects:
            return f"arn:aws:iam::{self._args.account_id}:oidc-provider/{_ISSUER}"
        return aws.iam.OpenIdConnectProvider(
            "github",
            url=f"https://{_ISSUER}",
            client_id_lists=[_AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        ).arn

    def _role(
        self,
        purpose: str,
        description: str,
        *,
        subject: str,
        statements: Sequence[dict[str, Any]],
        seconds: int | None = None,
    ) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"github-{purpose}",
            name=self._args.names.aws(purpose),
            description=description,
            max_session_duration=seconds,
            assume_role_policy=policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Federated": self._provider_arn},
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Condition": {
                            "StringEquals": {
                                f"{_ISSUER}:aud": _AUDIENCE,
                                f"{_ISSUER}:sub": subject,
                            }
                        },
                    }
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.iam.RolePolicy(
            f"github-{purpose}",
            name=purpose,
            role=role.name,
            policy=policy_document(statements),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role.arn

    def _reads(self) -> list[dict[str, Any]]:
        args = self._args
        state = f"arn:aws:s3:::{args.names.state_bucket(args.account_id)}"
        return [
            allow(_READ_BUCKET, list(args.buckets)),
            allow(["s3:GetObject"], pulumi.Output.concat(args.artifact_bucket, "/*")),
            allow(["s3:GetObject", "s3:ListBucket"], [state, f"{state}/*"]),
            allow(_READ_ROLE, [*self._roles(args.managed_roles), *self._roles(self._own_roles())]),
            allow(_READ_BOUNDARY, args.role_boundary),
            allow(
                ["iam:GetOpenIDConnectProvider"],
                f"arn:aws:iam::{args.account_id}:oidc-provider/{_ISSUER}",
            ),
            allow(_READ_TOPIC, list(args.topics)),
            allow(_READ_SECRET, self._secrets()),
            allow(_READ_TRAIL, self._trail()),
            allow(_READ_BUDGET, self._budget()),
            allow(_READ_KEY, args.kms_key_arn),
            allow(_READ_EVERYWHERE, "*"),
            allow(_USE_KEY, self._keys(), self._by_alias(PULUMI_STATE)),
            allow(["kms:Decrypt"], args.kms_key_arn, self._through_artifacts()),
        ]

    def _writes(self) -> list[dict[str, Any]]:
        args = self._args
        state = f"arn:aws:s3:::{args.names.state_bucket(args.account_id)}"
        artifacts = pulumi.Output.concat(args.artifact_bucket, "/*")
        aliases = f"arn:aws:kms:{args.region}:{args.account_id}:alias/olist-*"
        return [
            allow(_WRITE_BUCKET, list(args.buckets)),
            allow(["s3:DeleteObject", "s3:PutObject"], [artifacts, f"{state}/*"]),
            allow(_WRITE_ROLE, self._roles(args.managed_roles)),
            allow(_WRITE_ROLE_POLICY, self._roles(args.managed_roles), self._within_boundary()),
            allow(_WRITE_TOPIC, list(args.topics)),
            allow(_WRITE_SECRET, self._secrets()),
            allow(_WRITE_TRAIL, self._trail()),
            allow(_WRITE_BUDGET, self._budget()),
            allow(_WRITE_KEY, [args.kms_key_arn, aliases]),
            allow(_WRITE_CHAT, self._chat_channel()),
            allow(_WRITE_EVERYWHERE, "*"),
            allow(["kms:GenerateDataKey"], args.kms_key_arn, self._through_artifacts()),
        ]

    def _keys_of(self, *roles: str) -> list[str]:
        """Return the secrets of the private keys of Snowflake users."""
        return [self._args.names.private_key_secret(role) for role in roles]

    def _takes(self, *secrets: str) -> list[dict[str, Any]]:
        """Read secrets that jobs log in elsewhere with, so that GitHub holds none."""
        args = self._args
        local = f"arn:aws:secretsmanager:{args.region}:{args.account_id}:secret:"
        # AWS puts six characters of its own behind the name.
        named = [f"{local}{secret}-??????" for secret in secrets]
        through = {
            "StringEquals": {"kms:ViaService": f"secretsmanager.{args.region}.amazonaws.com"}
        }
        return [
            allow(["secretsmanager:GetSecretValue"], named),
            allow(["kms:Decrypt"], args.kms_key_arn, through),
        ]

    def _within_boundary(self) -> dict[str, Any]:
        return {"StringEquals": {"iam:PermissionsBoundary": self._args.role_boundary}}

    def _own_roles(self) -> list[str]:
        return [self._args.names.aws(role) for role in ("deploy", "drift", "pull-request")]

    def _roles(self, names: Sequence[str]) -> list[str]:
        return [f"arn:aws:iam::{self._args.account_id}:role/{name}" for name in names]

    def _secrets(self) -> str:
        local = f"{self._args.region}:{self._args.account_id}"
        return f"arn:aws:secretsmanager:{local}:secret:{self._args.secrets}/*"

    def _trail(self) -> str:
        local = f"{self._args.region}:{self._args.account_id}"
        return f"arn:aws:cloudtrail:{local}:trail/{self._args.trail}"

    def _budget(self) -> str:
        return f"arn:aws:budgets::{self._args.account_id}:budget/{self._args.budget}"

    def _chat_channel(self) -> str:
        local = f"arn:aws:chatbot::{self._args.account_id}:chat-configuration"
        return f"{local}/slack-channel/{self._args.chat_channel}"

    def _keys(self) -> str:
        return f"arn:aws:kms:{self._args.region}:{self._args.account_id}:key/*"

    def _by_alias(self, purpose: str) -> dict[str, Any]:
        alias = f"alias/{self._args.names.aws(purpose)}"
        return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}

    def _through_artifacts(self) -> dict[str, Any]:
        """Only for files of the artifact bucket; with a bucket key, S3's context is the bucket."""
        return {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": self._args.artifact_bucket}}
