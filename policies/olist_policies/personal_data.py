"""Personal data of the source catalog: every column of it masked, and no mask a sieve."""

import re
from collections.abc import Iterator

from pulumi_policy import PolicyResource, ResourceValidationArgs

from olist_platform.source_catalog import CATALOG, PiiClass
from olist_policies.rule import resource_rule, stack_rule
from olist_policies.snowflake_identifiers import parts
from olist_policies.snowflake_types import MASKING_POLICY, TABLE, TAG, TAG_ASSOCIATION
from olist_policies.stack_view import StackView

_ROLE_TEST = re.compile(
    r"(?:IS_ROLE_IN_SESSION|IS_DATABASE_ROLE_IN_SESSION)\s*\(\s*'([^']+)'\s*\)"
    r"|CURRENT_ROLE\s*\(\s*\)\s*(?:=|IN)\s*\(?\s*'([^']+)'",
    re.IGNORECASE,
)


@stack_rule(
    "pii-column-masked",
    reason="An unmasked column shows who the customers are to everyone who may read the table.",
    mend="tag the column with the tag of its PII class, which carries a masking policy",
)
def pii_column_masked(stack: StackView) -> Iterator[tuple[str, str]]:
    """Every personal column of a raw table carries a tag that has a masking policy."""
    masked = _masked_columns(stack)
    personal = {
        dataset.name.upper(): [
            column.name.upper() for column in dataset.columns if column.pii is not PiiClass.NONE
        ]
        for dataset in CATALOG
    }
    for table in stack.of_type(TABLE):
        name = _qualified(table)
        for column in personal.get(name[-1].upper(), []):
            if (*name, column) not in masked:
                yield table.urn, f"column {column} is not masked"


def _masked_columns(stack: StackView) -> set[tuple[str, ...]]:
    policies = {_qualified(policy) for policy in stack.of_type(MASKING_POLICY)}
    masking_tags = {
        _qualified(tag)
        for tag in stack.of_type(TAG)
        if any(parts(policy) in policies for policy in tag.props.get("maskingPolicies") or ())
    }
    return {
        parts(column)
        for association in stack.of_type(TAG_ASSOCIATION)
        if association.props["objectType"] == "COLUMN"
        and parts(association.props["tagId"]) in masking_tags
        for column in association.props["objectIdentifiers"]
    }


def _qualified(resource: PolicyResource) -> tuple[str, ...]:
    return tuple(
        part for key in ("database", "schema", "name") for part in parts(resource.props[key])
    )


@resource_rule(
    "mask-reveals-to-one-role",
    MASKING_POLICY,
    reason="A mask that nobody or everybody sees through is none, and each further role is "
    "another way for personal data to leave.",
    mend="return the value for the one unmasked role of the access model, something else otherwise",
)
def mask_reveals_to_one_role(policy: ResourceValidationArgs) -> Iterator[str]:
    """Exactly one role is tested for, and what others get is not the value."""
    body = policy.props["body"]
    roles = {name for found in _ROLE_TEST.findall(body) for name in found if name}
    if len(roles) != 1:
        yield f"it reveals the value to {', '.join(sorted(roles)) or 'everyone'}"
    argument = policy.props["arguments"][0]["name"]
    if re.search(rf"\belse\s+\"?{re.escape(argument)}\"?\s+end\b", body, re.IGNORECASE):
        yield "it returns the value to every other role"


RULES = (pii_column_masked, mask_reveals_to_one_role)
