"""Who may read an environment's releases from the account of the environment they are promoted to.

Principals are the other account with a condition on the role: a policy that names a role which does
not stand yet is refused by AWS, and dev stands before prod.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from olist_infra.policy_documents import allow
from olist_platform.environment import Environment, S3Landing, load_environment
from olist_platform.naming import EnvironmentName


@dataclass(frozen=True, slots=True)
class ArtifactPlace:
    """Where an environment's releases are.

    Attributes:
        account_id: AWS account.
        region: AWS region.
        bucket: Name of the artifact bucket.
        deploy_role: ARN of the role that deploys the environment.
    """

    account_id: str
    region: str
    bucket: str
    deploy_role: str

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket."""
        return f"arn:aws:s3:::{self.bucket}"


def promotion_source(environment: Environment) -> ArtifactPlace | None:
    """Return where the releases are that are promoted to an environment; None if nowhere."""
    source = environment.releases.promotes_from
    return _place(load_environment(source)) if source else None


def promotion_targets(environment: Environment) -> tuple[ArtifactPlace, ...]:
    """Return the environments that an environment's releases are promoted to."""
    others = (load_environment(name) for name in EnvironmentName if name is not environment.name)
    places = (_place(other) for other in others if other.releases.promotes_from is environment.name)
    return tuple(place for place in places if place is not None)


def reading_statements(source: ArtifactPlace) -> list[dict[str, Any]]:
    """Return what the role of an environment may do with the releases of the one before."""
    keys = f"arn:aws:kms:{source.region}:{source.account_id}:key/*"
    return [
        allow(["s3:GetObject", "s3:ListBucket"], [source.bucket_arn, f"{source.bucket_arn}/*"]),
        allow(["kms:Decrypt"], keys, {"StringEquals": _of_bucket(source.bucket_arn)}),
    ]


def bucket_statements(bucket: str, targets: Sequence[ArtifactPlace]) -> list[dict[str, Any]]:
    """Return the statements of an artifact bucket's policy that let other accounts read it."""
    arn = f"arn:aws:s3:::{bucket}"
    return [
        _for_role(target, ["s3:GetObject", "s3:ListBucket"], [arn, f"{arn}/*"], {})
        for target in targets
    ]


def key_statements(bucket: str, targets: Sequence[ArtifactPlace]) -> list[dict[str, Any]]:
    """Return the statements of the key's policy that let them decrypt what they read."""
    context = _of_bucket(f"arn:aws:s3:::{bucket}")
    return [
        _for_role(target, ["kms:Decrypt"], "*", {"StringEquals": context}) for target in targets
    ]


def _place(environment: Environment) -> ArtifactPlace | None:
    landing, names = environment.landing, environment.names
    if not isinstance(landing, S3Landing):
        return None
    account = landing.aws_account_id
    return ArtifactPlace(
        account_id=account,
        region=landing.region,
        bucket=names.artifact_bucket(account),
        deploy_role=f"arn:aws:iam::{account}:role/{names.aws('deploy')}",
    )


def _for_role(
    target: ArtifactPlace,
    actions: Sequence[str],
    resources: pulumi.Input[Any],
    condition: dict[str, Any],
) -> dict[str, Any]:
    of_role = {"ArnEquals": {"aws:PrincipalArn": target.deploy_role}}
    return {
        "Sid": "PromotionReads",
        "Principal": {"AWS": f"arn:aws:iam::{target.account_id}:root"},
    } | allow(actions, resources, of_role | condition)


def _of_bucket(bucket_arn: str) -> dict[str, str]:
    """With a bucket key, S3's encryption context is the bucket."""
    return {"kms:EncryptionContext:aws:s3:arn": bucket_arn}
