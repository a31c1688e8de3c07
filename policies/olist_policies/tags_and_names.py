"""Names that say what and where, and tags that say whose."""

import json
import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule
from olist_policies.snowflake_types import TABLE
from olist_policies.stack_view import environment_of

_UPPER = re.compile(r"^[A-Z][A-Z0-9_]*$")
_KEBAB = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_COMPONENT_TOKEN = re.compile(r"^olist:[a-z]+:[A-Z][A-Za-z0-9]+$")
# Resources that relate or set, and so have no name of their own.
_NAMELESS = (
    "accountAuthenticationPolicyAttachment",
    "accountParameter",
    "execute",
    "grant",
    "objectParameter",
    "tagAssociation",
    "userAuthenticationPolicyAttachment",
)
# Objects of the account, which both environments would share if names did not tell them apart.
_ACCOUNT_OBJECTS = tuple(
    f"snowflake:index/{name[0].lower()}{name[1:]}:{name}"
    for name in (
        "AccountRole",
        "Database",
        "EmailNotificationIntegration",
        "NetworkPolicy",
        "NotificationIntegration",
        "ResourceMonitor",
        "ServiceUser",
        "StorageIntegrationAws",
        "Warehouse",
    )
)
# AWS resources that take tags. Source: the `tags` inputs of pulumi-aws 7.51.
_TAGGABLE = (
    "aws:budgets/budget:Budget",
    "aws:cloudtrail/trail:Trail",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "aws:iam/policy:Policy",
    "aws:iam/role:Role",
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
)


@resource_rule(
    "snowflake-name-explicit",
    "snowflake:index/",
    reason="Without a name Pulumi appends a random suffix, and a lower-case one must be quoted "
    "in every query for ever.",
    mend="set name from the naming module, upper case: letters, digits and underscores",
)
def snowflake_name_explicit(resource: ResourceValidationArgs) -> Iterator[str]:
    """Every object, and every column of a table, has an upper-case name."""
    if resource.resource_type.removeprefix("snowflake:index/").startswith(_NAMELESS):
        return
    name = resource.props.get("name")
    if not name:
        yield "it has no name"
    elif not _UPPER.match(name):
        yield f"its name is {name}"
    if resource.resource_type == TABLE:
        for column in resource.props["columns"]:
            if not _UPPER.match(column["name"].lstrip("_")):
                yield f"its column is named {column['name']}"


@resource_rule(
    "account-object-named-after-environment",
    *_ACCOUNT_OBJECTS,
    reason="Environments may share an account; an object without its environment in the name "
    "belongs to both.",
    mend="take the name from olist_platform.naming, which puts the environment in",
)
def account_object_named_after_environment(resource: ResourceValidationArgs) -> Iterator[str]:
    """The name of the environment's database is a part of it."""
    database = environment_of(resource.urn).names.database
    name = resource.props.get("name") or ""
    if database not in name:
        yield f"{name or 'it'} does not contain {database}"


@resource_rule(
    "bucket-named-after-environment",
    "aws:s3/bucket:Bucket",
    reason="Bucket names are global; one that does not say whose it is gets deleted by somebody.",
    mend="take the name from olist_platform.naming: olist-<environment>-<purpose>-<account>",
)
def bucket_named_after_environment(bucket: ResourceValidationArgs) -> Iterator[str]:
    """Project and environment begin it, the account ends it."""
    environment = environment_of(bucket.urn)
    account = getattr(environment.landing, "aws_account_id", "")
    name = bucket.props.get("bucket") or ""
    if not (name.startswith(f"olist-{environment.name}-") and name.endswith(f"-{account}")):
        yield f"its name is {name or 'not set'}"


@resource_rule(
    "aws-tagged",
    *_TAGGABLE,
    reason="An untagged resource is in no report of costs and nobody's to delete.",
    mend="pass the environment's tags to the resource or to its provider's default_tags",
)
def aws_tagged(resource: ResourceValidationArgs) -> Iterator[str]:
    """Project, environment and owner, from the resource or its provider's default tags."""
    tags = dict(resource.props.get("tags") or {})
    if resource.provider is not None:
        defaults = resource.provider.props.get("defaultTags") or {}
        defaults = json.loads(defaults) if isinstance(defaults, str) else defaults
        tags = {**(defaults.get("tags") or {}), **tags}
    stack = environment_of(resource.urn).name
    missing = [key for key in ("project", "environment", "owner") if not tags.get(key)]
    if missing:
        yield f"it has no tag {', '.join(missing)}"
    elif tags["environment"] != stack:
        yield f"its tag environment is {tags['environment']}"


@resource_rule(
    "component-type-well-formed",
    "olist:",
    reason="Type tokens and logical names are part of every URN: a later rename replaces what is "
    "under them.",
    mend="name the type olist:<module>:<Type> and the resource in kebab-case",
)
def component_type_well_formed(component: ResourceValidationArgs) -> Iterator[str]:
    """Components have three-part tokens and kebab-case names."""
    if not _COMPONENT_TOKEN.match(component.resource_type):
        yield f"its type is {component.resource_type}"
    if not _KEBAB.match(component.name):
        yield f"its logical name is {component.name}"


RULES = (
    snowflake_name_explicit,
    account_object_named_after_environment,
    bucket_named_after_environment,
    aws_tagged,
    component_type_well_formed,
)
