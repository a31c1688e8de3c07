"""IAM documents as Python values; Pulumi serializes them when their outputs are known."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


def policy_document(statements: Sequence[Mapping[str, Any]]) -> pulumi.Output[str]:
    """Return the JSON of a policy."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    actions: Sequence[str],
    resources: pulumi.Input[Any],
    condition: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a statement that allows actions on resources."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resources,
    }
    return statement | ({"Condition": condition} if condition else {})


def trust_of_snowflake(
    iam_user_arn: pulumi.Input[str], external_id: pulumi.Input[str]
) -> pulumi.Output[str]:
    """Return a trust policy for Snowflake's user, in our name only (the confused deputy)."""
    return policy_document(
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": iam_user_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ]
    )
