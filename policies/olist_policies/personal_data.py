"""Personal data of the source catalog: every column of it masked, and no mask a sieve."""

import re
from collections.abc import Iterator

from pulumi_policy import PolicyResource, ResourceValidationArgs

from olist_platform.access_model import PII_UNMASKED
from olist_platform.source_catalog import CATALOG, PiiClass
from olist_policies.rule import resource_rule, stack_rule
from olist_policies.snowflake_identifiers import parts
from olist_policies.snowflake_types import MASKING_POLICY, TABLE, TAG, TAG_ASSOCIATION
from olist_policies.stack_view import StackView, environment_of

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
    mend="return the value where the access model's role for unmasked data is in the session, "
    "and something else otherwise",
)
def mask_reveals_to_one_role(policy: ResourceValidationArgs) -> Iterator[str]:
    """Only the access model's one role is tested for, and others do not get the value."""
    body = policy.props["body"]
    roles = {name for found in _ROLE_TEST.findall(body) for name in found if name}
    if roles != {environment_of(policy.urn).names.account_access_role(PII_UNMASKED.name)}:
        yield f"it reveals the value to {', '.join(sorted(roles)) or 'everyone'}"
    argument = re.escape(policy.props["arguments"][0]["name"])
    if re.search(rf"\belse\s+\"?{argument}\"?\s+end\b", body, re.IGNORECASE):
        yield "it returns the value to every other role"
    branches = re.findall(rf"\bthen\s+\"?{argument}\"?(?=\s)", body, re.IGNORECASE)
    if len(branches) > 1:
        yield f"it returns the value in {len(branches)} branches"


@resource_rule(
    "pii-tag-propagates",
    TAG,
    reason="dbt makes tables from tagged columns; a tag that stays behind leaves them unmasked.",
    mend="set propagate to ON_DEPENDENCY_AND_DATA_MOVEMENT, and on_conflict for columns that come "
    "of two classes",
)
def pii_tag_propagates(tag: ResourceValidationArgs) -> Iterator[str]:
    """A tag that carries a masking policy follows the data."""
    if not tag.props.get("maskingPolicies"):
        return
    if tag.props.get("propagate") != "ON_DEPENDENCY_AND_DATA_MOVEMENT":
        yield f"propagate is {tag.props.get('propagate') or 'not set'}"
    elif not tag.props.get("onConflict"):
        yield "where classes meet, the tag's value is a conflict and the column is unmasked"


RULES = (pii_column_masked, mask_reveals_to_one_role, pii_tag_propagates)
