"""Flags of the Snowflake provider, whose absence a preview does not notice."""

import json
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule

# Source: the docstrings of pulumi-snowflake 2.22.0; the names are the provider's.
PREVIEW_FEATURES = {
    "snowflake:index/alert:Alert": "snowflake_alert_resource",
    "snowflake:index/emailNotificationIntegration:EmailNotificationIntegration": (
        "snowflake_email_notification_integration_resource"
    ),
    "snowflake:index/networkPolicyAttachment:NetworkPolicyAttachment": (
        "snowflake_network_policy_attachment_resource"
    ),
    "snowflake:index/notificationIntegration:NotificationIntegration": (
        "snowflake_notification_integration_resource"
    ),
    "snowflake:index/objectParameter:ObjectParameter": "snowflake_object_parameter_resource",
    "snowflake:index/pipe:Pipe": "snowflake_pipe_resource",
    "snowflake:index/table:Table": "snowflake_table_resource",
}


@resource_rule(
    "snowflake-preview-feature-enabled",
    *PREVIEW_FEATURES,
    reason="A preview resource without its provider flag passes `pulumi preview` and fails in "
    "the middle of `pulumi up`.",
    mend="add the flag to preview_features_enabled of the resource's explicit provider",
)
def preview_feature_enabled(resource: ResourceValidationArgs) -> Iterator[str]:
    """The resource's own provider carries its flag; stack config reaches the default one only."""
    flag = PREVIEW_FEATURES[resource.resource_type]
    if resource.provider is None:
        yield f"it has no explicit provider to carry the flag {flag}"
        return
    # The engine hands a provider's lists on as JSON texts.
    enabled = resource.provider.props.get("previewFeaturesEnabled") or "[]"
    if flag not in (json.loads(enabled) if isinstance(enabled, str) else list(enabled)):
        yield f"{flag} is missing"


RULES = (preview_feature_enabled,)
