"""Encryption at rest with the account's own keys, and the keys themselves."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule, stack_rule
from olist_policies.s3_security import BUCKET, access_log_targets
from olist_policies.stack_view import StackView, plain

_ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
# AWS's own keys: anybody with access to the service can use them, and nobody can revoke them.
_AWS_MANAGED = "alias/aws/"


@stack_rule(
    "s3-encrypted-with-own-key",
    reason="Only a key of the account's own lets a reader's access be revoked and seen in the "
    "audit trail. A target of access logs takes SSE-S3 only.",
    mend="set aws:kms with the environment's key and bucket_key_enabled on the bucket; "
    "AES256 on a target of access logs",
)
def s3_encrypted_with_own_key(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every bucket is encrypted, all but the log targets with a key of the account."""
    log_targets = access_log_targets(stack)
    for bucket in stack.of_type(BUCKET):
        rules = [
            plain(rule).get("applyServerSideEncryptionByDefault", {})
            for encryption in stack.companions(bucket, _ENCRYPTION, "bucket")
            for rule in encryption.props["rules"]
        ]
        wanted = "AES256" if bucket.urn in log_targets else "aws:kms"
        if {rule.get("sseAlgorithm") for rule in rules} != {wanted}:
            yield bucket.urn, f"default encryption is not {wanted}"
        elif wanted == "aws:kms" and not all(rule.get("kmsMasterKeyId") for rule in rules):
            yield bucket.urn, "default encryption names no key, so AWS's own is used"


@resource_rule(
    "kms-key-rotates",
    "aws:kms/key:Key",
    reason="A key that never rotates decrypts everything ever written once it leaks.",
    mend="set enable_key_rotation=True",
)
def kms_key_rotates(key: ResourceValidationArgs) -> Iterator[str]:
    """Symmetric keys rotate; AWS cannot rotate others."""
    symmetric = key.props.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    if symmetric and key.props.get("enableKeyRotation") is not True:
        yield "enable_key_rotation is not true"


@resource_rule(
    "messages-encrypted",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
    reason="Alerts and file names in topics and queues tell about customers and incidents.",
    mend="set kms_master_key_id to the environment's key",
)
def messages_encrypted(resource: ResourceValidationArgs) -> Iterator[str]:
    """Topics and queues use a key of the account."""
    if not _is_own_key(resource.props.get("kmsMasterKeyId")):
        yield "it is not encrypted with a key of the account"


@resource_rule(
    "secrets-encrypted-with-own-key",
    "aws:secretsmanager/secret:Secret",
    reason="With AWS's default key, any principal that may read secrets may read this one.",
    mend="set kms_key_id to the environment's key",
)
def secrets_encrypted_with_own_key(secret: ResourceValidationArgs) -> Iterator[str]:
    """Secrets use a key of the account."""
    if not _is_own_key(secret.props.get("kmsKeyId")):
        yield "kms_key_id does not name a key of the account"


@resource_rule(
    "audit-trail-tamper-evident",
    "aws:cloudtrail/trail:Trail",
    reason="A trail that can be edited, or switched off for a region, proves nothing.",
    mend="set kms_key_id, enable_log_file_validation=True, is_multi_region_trail=True "
    "and leave enable_logging true",
)
def audit_trail_tamper_evident(trail: ResourceValidationArgs) -> Iterator[str]:
    """Trails are encrypted, validated, of all regions and running."""
    if not trail.props.get("kmsKeyId"):
        yield "the trail is not encrypted with a key of the account"
    if trail.props.get("enableLogFileValidation") is not True:
        yield "log files are not validated"
    if trail.props.get("isMultiRegionTrail") is not True:
        yield "only one region is recorded"
    if trail.props.get("enableLogging") is False:
        yield "the trail is switched off"


def _is_own_key(key: str | None) -> bool:
    """Whether a property names a key of the account's own."""
    return bool(key) and _AWS_MANAGED not in str(key)


RULES = (
    s3_encrypted_with_own_key,
    kms_key_rotates,
    messages_encrypted,
    secrets_encrypted_with_own_key,
    audit_trail_tamper_evident,
)
