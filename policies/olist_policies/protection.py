"""What holds data in prod cannot be deleted by accident, and can be had back."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_platform.naming import EnvironmentName
from olist_policies.rule import resource_rule
from olist_policies.snowflake_types import DATABASE, SCHEMA, TABLE
from olist_policies.stack_view import environment_of

_BUCKET = "aws:s3/bucket:Bucket"
_KEY = "aws:kms/key:Key"
_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type token
_SHORTEST_TIME_TRAVEL_DAYS = 7
_SHORTEST_RECOVERY_DAYS = 30


def _is_prod(resource: ResourceValidationArgs) -> bool:
    return environment_of(resource.urn).name is EnvironmentName.PROD


@resource_rule(
    "prod-stateful-protected",
    _BUCKET,
    _KEY,
    _SECRET,
    DATABASE,
    SCHEMA,
    TABLE,
    reason="A rename in code would drop what no backup of ours holds.",
    mend="set ResourceOptions(protect=True) in prod",
)
def prod_stateful_protected(resource: ResourceValidationArgs) -> Iterator[str]:
    """Pulumi refuses to delete it."""
    if _is_prod(resource) and not resource.opts.protect:
        yield "it is not protected"


@resource_rule(
    "prod-bucket-not-emptied",
    _BUCKET,
    reason="force_destroy deletes every file and version together with the bucket.",
    mend="leave force_destroy off in prod",
)
def prod_bucket_not_emptied(bucket: ResourceValidationArgs) -> Iterator[str]:
    """A bucket of prod with files in it cannot be deleted."""
    if _is_prod(bucket) and bucket.props.get("forceDestroy"):
        yield "force_destroy is on"


@resource_rule(
    "prod-time-travel",
    DATABASE,
    SCHEMA,
    TABLE,
    reason="With less Time Travel a fault found on Monday has eaten Friday's data.",
    mend=f"set data_retention_time_in_days to {_SHORTEST_TIME_TRAVEL_DAYS} or more in prod",
)
def prod_time_travel(resource: ResourceValidationArgs) -> Iterator[str]:
    """The database sets its retention; schemas and tables may only inherit or raise it."""
    days = resource.props.get("dataRetentionTimeInDays")
    inherits = days is None and resource.resource_type != DATABASE
    if _is_prod(resource) and not inherits and (days or 0) < _SHORTEST_TIME_TRAVEL_DAYS:
        yield f"Time Travel reaches back {days or 0:g} days"


@resource_rule(
    "prod-key-recoverable",
    _KEY,
    _SECRET,
    reason="What a deleted key encrypted can never be read again.",
    mend=f"set the deletion or recovery window to {_SHORTEST_RECOVERY_DAYS} days in prod",
)
def prod_key_recoverable(resource: ResourceValidationArgs) -> Iterator[str]:
    """Keys and secrets of prod wait before they are gone; AWS's default is thirty days."""
    window = "deletionWindowInDays" if resource.resource_type == _KEY else "recoveryWindowInDays"
    days = resource.props.get(window, _SHORTEST_RECOVERY_DAYS)
    if _is_prod(resource) and days < _SHORTEST_RECOVERY_DAYS:
        yield f"it is gone {days:g} days after it is deleted"


RULES = (
    prod_stateful_protected,
    prod_bucket_not_emptied,
    prod_time_travel,
    prod_key_recoverable,
)
