"""Every rule of the pack, by theme."""

from olist_policies import encryption, iam, s3_security
from olist_policies.rule import Rule

PACK_NAME = "olist"

RULES: tuple[Rule, ...] = (
    *s3_security.RULES,
    *encryption.RULES,
    *iam.RULES,
)
POLICIES = [rule.policy for rule in RULES]
