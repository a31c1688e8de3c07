"""The explicit providers: account, region and default tags of AWS, roles and flags of Snowflake."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_snowflake as snowflake

from olist_platform.access_model import DEPLOYER_ROLE
from olist_platform.cloud_settings import CloudSettings
from olist_platform.environment import S3Landing, SnowflakeWarehouse
from olist_platform.naming import Names

# Resources of this program that the provider calls preview. A missing flag passes `pulumi preview`
# and fails in `pulumi up`.
PREVIEW_FEATURES = (
    "snowflake_notification_integration_resource",
    "snowflake_pipe_resource",
    "snowflake_table_resource",
)
# Only this role may make resource monitors, assign them, and grant roles of SNOWFLAKE.
_ADMINISTRATOR = "ACCOUNTADMIN"


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of an environment.

    Attributes:
        aws: With the environment's tags on everything.
        objects: Snowflake as the deployer's own role, which owns what it makes.
        administration: Snowflake as the account's administrator.
    """

    aws: aws.Provider
    objects: snowflake.Provider
    administration: snowflake.Provider


def make_providers(
    names: Names, cloud: CloudSettings, landing: S3Landing, warehouse: SnowflakeWarehouse
) -> Providers:
    """Make the providers; credentials come from the environment variables of the deploying job.

    Snowflake's private key is SNOWFLAKE_PRIVATE_KEY, which the provider reads itself, so that it
    is in no state.
    """

    def snowflake_provider(name: str, role: str) -> snowflake.Provider:
        return snowflake.Provider(
            name,
            organization_name=warehouse.organization_name,
            account_name=warehouse.account_name,
            user=names.service_user(DEPLOYER_ROLE),
            authenticator="SNOWFLAKE_JWT",
            role=role,
            warehouse=names.deploy_warehouse,
            preview_features_enabled=list(PREVIEW_FEATURES),
        )

    return Providers(
        aws=aws.Provider(
            "aws",
            region=landing.region,
            # Credentials of another account stop the deployment instead of building in it.
            allowed_account_ids=[landing.aws_account_id],
            default_tags=aws.ProviderDefaultTagsArgs(
                tags=cloud.tags.of_environment(names.environment)
            ),
        ),
        objects=snowflake_provider("snowflake-objects", names.functional_role(DEPLOYER_ROLE)),
        administration=snowflake_provider("snowflake-administration", _ADMINISTRATOR),
    )


def with_providers(
    parent: pulumi.Resource, *providers: pulumi.ProviderResource
) -> pulumi.ResourceOptions:
    """Options of a component whose children use these providers."""
    return pulumi.ResourceOptions(parent=parent, providers=list(providers))
