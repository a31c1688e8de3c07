"""Places for secrets: the values are put in by hand or by the rotation, and are in no state."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_RECOVERY_WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsArgs:
    """Which secrets.

    Attributes:
        prefix: What all their names begin with; it is no part of their logical names.
        purposes: Name of each secret, and what it holds.
        kms_key_arn: The key they are encrypted with.
        rotation_days: Age at which they are to be replaced; a tag that the rotation goes by.
        protect: Whether Pulumi refuses to delete them.
    """

    prefix: str
    purposes: Mapping[str, str]
    kms_key_arn: pulumi.Input[str]
    rotation_days: int
    protect: bool


class Secrets(pulumi.ComponentResource):
    """Secrets without values.

    Attributes:
        arns: Output of each one's ARN, by its name.
    """

    def __init__(
        self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:Secrets", name, None, opts)
        self.arns = {
            secret: aws.secretsmanager.Secret(
                secret.removeprefix(args.prefix).replace("/", "-").replace("_", "-"),
                name=secret,
                description=purpose,
                kms_key_id=args.kms_key_arn,
                recovery_window_in_days=_RECOVERY_WINDOW_DAYS,
                tags={"rotate-after-days": str(args.rotation_days)},
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            ).arn
            for secret, purpose in args.purposes.items()
        }
        self.register_outputs({"secrets": list(args.purposes)})
