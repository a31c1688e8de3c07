"""Buckets: closed to the world, owned by the account, versioned, watched and swept."""

from collections.abc import Iterator

from pulumi_policy import PolicyResource, ResourceValidationArgs

from olist_policies.policy_documents import Statement, statements
from olist_policies.rule import resource_rule, stack_rule
from olist_policies.stack_view import StackView, plain

BUCKET = "aws:s3/bucket:Bucket"
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS = {"public-read", "public-read-write", "authenticated-read", "website"}


def access_log_targets(stack: StackView) -> set[str]:
    """URNs of the buckets that other buckets write their access logs to."""
    return {
        bucket.urn
        for bucket in stack.of_type(BUCKET)
        if stack.companions(bucket, "aws:s3/bucketLogging:BucketLogging", "targetBucket")
    }


@stack_rule(
    "s3-public-access-blocked",
    reason="A bucket without all four public access blocks is one wrong ACL away from the public.",
    mend="give the bucket a BucketPublicAccessBlock with all four switches true",
)
def public_access_blocked(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket has its block, and all of it."""
    for bucket in stack.of_type(BUCKET):
        blocks = stack.companions(
            bucket, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "bucket"
        )
        if not blocks:
            yield bucket.urn, "the bucket has no public access block"
        for block in blocks:
            for switch in _BLOCKS:
                if block.props.get(switch) is not True:
                    yield block.urn, f"{switch} is not true"


@stack_rule(
    "s3-tls-only",
    reason="Without a denial of plain HTTP, files and credentials can be read on the wire.",
    mend="deny s3:* to everyone where aws:SecureTransport is false, on the bucket and its objects",
)
def tls_only(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket has a policy that refuses plain HTTP."""
    for bucket in stack.of_type(BUCKET):
        documents = [
            policy.props["policy"]
            for policy in stack.companions(bucket, "aws:s3/bucketPolicy:BucketPolicy", "bucket")
        ]
        if not any(_denies_http(part) for text in documents for part in statements(text)):
            yield bucket.urn, "no bucket policy denies requests without TLS"


def _denies_http(statement: Statement) -> bool:
    return (
        not statement.allows
        and statement.is_for_anyone
        and not statement.except_actions
        and bool({"s3:*", "*"} & set(statement.actions))
        and any(resource.endswith("/*") for resource in statement.resources)
        and any(not resource.endswith("/*") for resource in statement.resources)
        and statement.condition("aws:SecureTransport", "Bool") == ("false",)
    )


@stack_rule(
    "s3-ownership-enforced",
    reason="With object ACLs, whoever uploads a file owns it and can hide it from the account.",
    mend="give the bucket BucketOwnershipControls with object_ownership BucketOwnerEnforced",
)
def ownership_enforced(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket's owner owns its objects."""
    for bucket in stack.of_type(BUCKET):
        controls = stack.companions(
            bucket, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "bucket"
        )
        if not any(
            control.props["rule"].get("objectOwnership") == "BucketOwnerEnforced"
            for control in controls
        ):
            yield bucket.urn, "object ownership is not BucketOwnerEnforced"


@stack_rule(
    "s3-versioned",
    reason="Without versions an overwritten or deleted file is gone, and raw data has no copy.",
    mend="give the bucket a BucketVersioning with status Enabled",
)
def versioned(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket keeps versions; the one that only receives access logs may do without."""
    log_targets = access_log_targets(stack)
    for bucket in stack.of_type(BUCKET):
        versionings = stack.companions(bucket, "aws:s3/bucketVersioning:BucketVersioning", "bucket")
        enabled = any(
            versioning.props["versioningConfiguration"].get("status") == "Enabled"
            for versioning in versionings
        )
        if not enabled and bucket.urn not in log_targets:
            yield bucket.urn, "versioning is not enabled"


@stack_rule(
    "s3-access-logged",
    reason="Without access logs nobody can tell who read personal data.",
    mend="give the bucket a BucketLogging whose target is the log bucket of the environment",
)
def access_logged(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket but the log bucket writes access logs, to another bucket."""
    log_targets = access_log_targets(stack)
    for bucket in stack.of_type(BUCKET):
        if bucket.urn in log_targets:
            continue
        if not stack.companions(bucket, "aws:s3/bucketLogging:BucketLogging", "bucket"):
            yield bucket.urn, "access is not logged"


@stack_rule(
    "s3-lifecycle-bounded",
    reason="Old versions and broken uploads are paid for every month until somebody looks.",
    mend="give the bucket an enabled lifecycle rule that expires noncurrent versions or objects, "
    "and one that aborts incomplete multipart uploads",
)
def lifecycle_bounded(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket sweeps what nobody uses."""
    for bucket in stack.of_type(BUCKET):
        rules = [
            plain(rule)
            for lifecycle in stack.companions(
                bucket, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "bucket"
            )
            for rule in lifecycle.props.get("rules", ())
            if rule["status"] == "Enabled"
        ]
        if not any("noncurrentVersionExpiration" in rule or "expiration" in rule for rule in rules):
            yield bucket.urn, "no lifecycle rule ever deletes anything"
        if not any("abortIncompleteMultipartUpload" in rule for rule in rules):
            yield bucket.urn, "incomplete multipart uploads are kept for ever"


@resource_rule(
    "s3-no-public-grant",
    "aws:s3/bucketAcl:BucketAcl",
    "aws:s3/bucketPolicy:BucketPolicy",
    BUCKET,
    reason="A public ACL, or an Allow for every principal, publishes the files.",
    mend="remove the ACL; name the principals in the bucket policy",
)
def no_public_grant(resource: ResourceValidationArgs) -> Iterator[str]:
    """No ACL and no policy opens a bucket."""
    if resource.props.get("acl") in _PUBLIC_ACLS:
        yield f"acl is {resource.props['acl']}"
    if resource.resource_type.endswith(":BucketPolicy"):
        for statement in statements(resource.props["policy"]):
            if statement.allows and (statement.is_for_anyone or statement.except_principals):
                yield f"everyone may {', '.join(statement.actions)}"


@stack_rule(
    "s3-one-notification",
    reason="S3 keeps one notification configuration a bucket; a second resource overwrites the "
    "first, and Snowpipe falls silent.",
    mend="put every queue and topic of the bucket into its one BucketNotification",
)
def one_notification(stack: StackView) -> Iterator[tuple[str, str]]:
    """No bucket has two notification resources."""
    for bucket in stack.of_type(BUCKET):
        found: list[PolicyResource] = stack.companions(
            bucket, "aws:s3/bucketNotification:BucketNotification", "bucket"
        )
        for extra in found[1:]:
            yield extra.urn, f"{found[0].name} already configures the same bucket"


RULES = (
    public_access_blocked,
    tls_only,
    ownership_enforced,
    versioned,
    access_logged,
    lifecycle_bounded,
    no_public_grant,
    one_notification,
)
