"""The environment's KMS key: files, messages, secrets and the audit trail are encrypted with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from olist_infra.policy_documents import policy_document

_DELETION_WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKeyArgs:
    """What the key is called and who may use it.

    Attributes:
        name: Name of the alias, without its prefix.
        account_id: AWS account.
        trail_name: CloudTrail trail that encrypts with it.
        region: AWS region.
        further_statements: Further statements of its policy.
        protect: Whether Pulumi refuses to delete it.
    """

    name: str
    account_id: str
    trail_name: str
    region: str
    further_statements: Sequence[Mapping[str, Any]]
    protect: bool


class EncryptionKey(pulumi.ComponentResource):
    """A rotating key, its alias, and leave for the AWS services that encrypt on our behalf."""

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:EncryptionKey", name, None, opts)
        self._key = aws.kms.Key(
            name,
            description=f"Data of {args.name}",
            enable_key_rotation=True,
            deletion_window_in_days=_DELETION_WINDOW_DAYS,
            policy=policy_document([*_statements(args), *args.further_statements]),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.kms.Alias(
            name,
            name=f"alias/{args.name}",
            target_key_id=self._key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = self._key.arn
        self.register_outputs({"arn": self.arn})


def _statements(args: EncryptionKeyArgs) -> list[dict[str, Any]]:
    trail = f"arn:aws:cloudtrail:{args.region}:{args.account_id}:trail/{args.trail_name}"
    return [
        {
            # Without it nobody could ever change the key; IAM then says who may use it.
            "Sid": "AccountAdministers",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{args.account_id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            # Publishers of an encrypted topic, on behalf of this account only.
            "Sid": "ServicesPublish",
            "Effect": "Allow",
            "Principal": {"Service": "budgets.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": args.account_id}},
        },
        {
            "Sid": "TrailEncrypts",
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
        },
    ]
