"""IAM: no wildcards, no keys that live for years, no trust in strangers."""

import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.policy_documents import IDENTITY_POLICIES, Statement, statements
from olist_policies.rule import resource_rule

_ROLE = "aws:iam/role:Role"
# Actions that IAM offers for no single resource. Source: AWS Service Authorization Reference.
_ACTIONS_WITHOUT_RESOURCE = {
    "ce:GetCostAndUsage",
    "chatbot:DescribeSlackChannelConfigurations",
    "chatbot:ListTagsForResource",
    "cloudtrail:DescribeTrails",
    "cloudwatch:PutMetricData",
    "ec2:DescribeRegions",
    "ecr:GetAuthorizationToken",
    "kms:ListAliases",
    "kms:ListKeys",
    "logs:DescribeLogGroups",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "sns:GetSubscriptionAttributes",
    "sns:ListTopics",
    "sns:Unsubscribe",
    "sts:GetCallerIdentity",
    "tag:GetResources",
}
# Everything, everything of a service, or everything of a kind in an account (`role/*`, `key/*`).
_EVERYWHERE = re.compile(r"\*|arn:(?:[^:]*:){4}\*(?:/\*)?|arn:(?:[^:]*:){3}[^:]+:[\w-]+[:/]\*")
_ADMIN_POLICIES = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


@resource_rule(
    "iam-no-wildcard-action",
    *IDENTITY_POLICIES,
    reason="`*` or `service:*` also allows what the service gains next year.",
    mend="list the actions that are called",
)
def no_wildcard_action(policy: ResourceValidationArgs) -> Iterator[str]:
    """No Allow of an identity policy names all actions of a service, or all but some."""
    for statement in _allowed(policy.props["policy"]):
        for action in statement.actions:
            if action == "*" or action.endswith(":*"):
                yield f"allows {action}"
        if statement.except_actions:
            yield f"allows everything but {', '.join(statement.actions)}"


@resource_rule(
    "iam-no-wildcard-resource",
    *IDENTITY_POLICIES,
    reason="An Allow on every resource reaches the other environment of the same account.",
    mend="name the ARNs, or narrow the statement by a condition on tags or on the organization",
)
def no_wildcard_resource(policy: ResourceValidationArgs) -> Iterator[str]:
    """No unconditional Allow on all resources, except for actions that take no other."""
    for statement in _allowed(policy.props["policy"]):
        everywhere = statement.except_resources or any(
            _EVERYWHERE.fullmatch(resource) for resource in statement.resources
        )
        needed = set(statement.actions) <= _ACTIONS_WITHOUT_RESOURCE
        if everywhere and not needed and not statement.conditions:
            yield f"allows {', '.join(statement.actions)} on every resource"


@resource_rule(
    "iam-trust-narrow",
    _ROLE,
    reason="Whoever a role trusts can become it: another account needs an external id against "
    "the confused deputy, a workload identity its exact subject.",
    mend="name the principal; add sts:ExternalId for another account, `aud` and an exact `sub` "
    "for an identity provider",
)
def trust_narrow(role: ResourceValidationArgs) -> Iterator[str]:
    """Trust policies name who, and how they prove it."""
    for statement in _allowed(role.props["assumeRolePolicy"]):
        if statement.is_for_anyone or statement.except_principals:
            yield "everyone may assume the role"
        for principal in statement.principals.get("AWS", ()):
            if not statement.condition("sts:ExternalId", "StringEquals"):
                yield f"{principal} may assume the role without an external id"
        if statement.principals.get("Federated"):
            yield from _loose_federation(statement)


def _loose_federation(statement: Statement) -> Iterator[str]:
    for claim in ("aud", "sub"):
        values = [
            value
            for (operator, key), found in statement.conditions.items()
            for value in found
            if key.endswith(f":{claim}") and operator in {"stringequals", "stringlike"}
        ]
        if not values:
            yield f"the identity provider's `{claim}` is not checked"
        for value in values:
            if "*" in value:
                yield f"the identity provider's `{claim}` may be {value}"


@resource_rule(
    "iam-no-long-lived-keys",
    "aws:iam/user:User",
    "aws:iam/accessKey:AccessKey",
    reason="An access key of a user is valid until somebody remembers it.",
    mend="use a role: GitHub Actions by OIDC, Snowflake by its storage integration",
)
def no_long_lived_keys(resource: ResourceValidationArgs) -> Iterator[str]:
    """No IAM users and no access keys."""
    yield f"{resource.resource_type.rsplit(':', 1)[1]} is a credential that never expires"


@resource_rule(
    "iam-no-admin-policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    _ROLE,
    reason="An administrator's policy on a deployed role makes every other rule void.",
    mend="write a policy with the actions that are called",
)
def no_admin_policy(resource: ResourceValidationArgs) -> Iterator[str]:
    """No role carries one of AWS's administrator policies."""
    attached = [resource.props.get("policyArn"), *(resource.props.get("managedPolicyArns") or ())]
    for arn in attached:
        if isinstance(arn, str) and arn.rsplit("/", 1)[-1] in _ADMIN_POLICIES:
            yield f"attaches {arn.rsplit('/', 1)[-1]}"


def _allowed(document: str) -> Iterator[Statement]:
    return (statement for statement in statements(document) if statement.allows)


RULES = (
    no_wildcard_action,
    no_wildcard_resource,
    trust_narrow,
    no_long_lived_keys,
    no_admin_policy,
)
