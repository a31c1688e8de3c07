"""Every rule of the pack, by theme."""

from olist_policies import (
    access_model_grants,
    budget,
    encryption,
    iam,
    personal_data,
    preview_features,
    protection,
    s3_security,
    snowflake_cost,
    snowflake_roles,
    snowflake_users,
    tags_and_names,
)
from olist_policies.rule import Rule

PACK_NAME = "olist"

RULES: tuple[Rule, ...] = (
    *s3_security.RULES,
    *encryption.RULES,
    *iam.RULES,
    *tags_and_names.RULES,
    *snowflake_cost.RULES,
    *budget.RULES,
    *snowflake_roles.RULES,
    *access_model_grants.RULES,
    *snowflake_users.RULES,
    *personal_data.RULES,
    *preview_features.RULES,
    *protection.RULES,
)
POLICIES = [rule.policy for rule in RULES]
