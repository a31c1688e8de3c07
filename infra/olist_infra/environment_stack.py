"""An environment: every component, and what each hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from olist_infra.access_control import AccessControl, AccessControlArgs
from olist_infra.alert_topic import AlertTopic, AlertTopicArgs
from olist_infra.audit_trail import AuditTrail, AuditTrailArgs
from olist_infra.cost_tags import CostTags, CostTagsArgs
from olist_infra.database import Database, DatabaseArgs
from olist_infra.encryption_key import EncryptionKey, EncryptionKeyArgs
from olist_infra.github_identities import GitHubIdentities, GitHubIdentitiesArgs
from olist_infra.landing_integration import LandingIntegration, LandingIntegrationArgs
from olist_infra.personal_data import PersonalData, PersonalDataArgs
from olist_infra.pipe_errors import PipeErrors, PipeErrorsArgs
from olist_infra.promotion_access import key_statements, promotion_source, promotion_targets
from olist_infra.providers import make_providers, with_providers
from olist_infra.raw_tables import RawTables, RawTablesArgs
from olist_infra.resource_monitors import ResourceMonitors, ResourceMonitorsArgs
from olist_infra.role_boundary import RoleBoundary, RoleBoundaryArgs
from olist_infra.secrets import Secrets, SecretsArgs
from olist_infra.service_users import ServiceUsers, ServiceUsersArgs
from olist_infra.snowpipe import Snowpipe, SnowpipeArgs
from olist_infra.spending_alerts import SpendingAlerts, SpendingAlertsArgs
from olist_infra.stack_config import StackConfig
from olist_infra.storage import Storage, StorageArgs
from olist_infra.warehouses import Warehouses, WarehousesArgs
from olist_platform.access_model import FUNCTIONAL_ROLES, PII_UNMASKED
from olist_platform.environment import Environment, S3Landing, SnowflakeWarehouse
from olist_platform.errors import OlistError
from olist_platform.naming import GOVERNANCE_SCHEMA, Layer
from olist_platform.runtime_secrets import (
    airflow_secrets,
    platform_secrets,
    reader_connections,
)
from olist_platform.source_catalog import CATALOG


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStackArgs:
    """Everything an environment is made by.

    Attributes:
        environment: Its settings.
        config: The stack's own config.
    """

    environment: Environment
    config: StackConfig


class EnvironmentStack(pulumi.ComponentResource):
    """A whole environment.

    Attributes:
        exports: What dbt, Airflow and GitHub Actions need to know of it.
    """

    def __init__(
        self, name: str, args: EnvironmentStackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:environment:EnvironmentStack", name, None, opts)
        environment = args.environment
        cloud, landing, warehouse = (
            environment.cloud,
            environment.landing,
            environment.warehouse,
        )
        if (
            cloud is None
            or not isinstance(landing, S3Landing)
            or not isinstance(warehouse, SnowflakeWarehouse)
        ):
            raise OlistError(
                f"environment '{environment.name}' has no cloud side to deploy",
                "name the stack after an environment on Snowflake, such as dev or prod",
            )
        names = environment.names
        account_id, region = landing.aws_account_id, landing.region
        providers = make_providers(names, cloud, landing, warehouse)
        on_aws = with_providers(self, providers.aws)
        on_snowflake = with_providers(self, providers.objects)
        on_both = with_providers(self, providers.aws, providers.objects)
        as_administrator = with_providers(self, providers.administration)

        targets = promotion_targets(environment)

        key = EncryptionKey(
            "encryption-key",
            EncryptionKeyArgs(
                name=names.aws("data"),
                account_id=account_id,
                region=region,
                trail_name=names.aws("audit"),
                further_statements=key_statements(names.artifact_bucket(account_id), targets),
                protect=cloud.protect,
            ),
            on_aws,
        )
        storage = Storage(
            "storage",
            StorageArgs(
                names=names,
                account_id=account_id,
                kms_key_arn=key.arn,
                aws=cloud.aws,
                promoted_to=targets,
                protect=cloud.protect,
            ),
            on_aws,
        )
        audit = AuditTrail(
            "audit",
            AuditTrailArgs(
                name=names.aws("audit"),
                bucket=names.bucket("audit", account_id),
                account_id=account_id,
                region=region,
                kms_key_arn=key.arn,
                watched=[storage.landing.arn, storage.artifacts.arn],
                access_log_bucket=storage.access_logs.name,
                keep_days=cloud.aws.audit_log_days,
                noncurrent_version_days=cloud.aws.noncurrent_version_days,
                protect=cloud.protect,
            ),
            on_aws,
        )
        boundary = RoleBoundary(
            "role-boundary",
            RoleBoundaryArgs(
                name=names.aws("role-boundary"),
                read_buckets=[storage.landing.arn],
                topics=[f"arn:aws:sns:{region}:{account_id}:{names.aws('alerts')}"],
                kms_key_arn=key.arn,
            ),
            on_aws,
        )
        alerts = AlertTopic(
            "alerts",
            AlertTopicArgs(
                name=names.aws("alerts"),
                chatbot_role=names.aws("chatbot"),
                account_id=account_id,
                kms_key_arn=key.arn,
                emails=cloud.alert_emails,
                slack=cloud.aws.slack,
                boundary_arn=boundary.arn,
            ),
            on_aws,
        )
        SpendingAlerts(
            "spending",
            SpendingAlertsArgs(
                name=names.aws("monthly"),
                monthly_usd=cloud.aws.monthly_budget_usd,
                topic_arn=alerts.arn,
                topic_ready=alerts.ready,
            ),
            on_aws,
        )
        secrets = Secrets(
            "secrets",
            SecretsArgs(
                prefix=names.secret(""),
                purposes=self._secret_purposes(environment),
                kms_key_arn=key.arn,
                rotation_days=cloud.key_rotation_days,
                protect=cloud.protect,
            ),
            on_aws,
        )
        database = Database(
            "database",
            DatabaseArgs(
                name=names.database,
                retention_days=cloud.snowflake.data_retention_days,
                protect=cloud.protect,
            ),
            on_snowflake,
        )
        monitors = ResourceMonitors(
            "resource-monitors",
            ResourceMonitorsArgs(
                names=names,
                monthly_credits={
                    workload: settings.monthly_credits
                    for workload, settings in cloud.snowflake.warehouses.items()
                },
                account_monthly_credits=(
                    cloud.snowflake.account_monthly_credits
                    if cloud.snowflake.owns_account_objects
                    else None
                ),
            ),
            as_administrator,
        )
        warehouses = Warehouses(
            "warehouses",
            WarehousesArgs(
                names=names,
                settings=cloud.snowflake.warehouses,
                monitors=monitors.of_workload,
            ),
            as_administrator,
        )
        raw_schema = database.schemas[Layer.RAW]
        governance_schema = database.schemas[GOVERNANCE_SCHEMA]
        tables = RawTables(
            "raw-tables",
            RawTablesArgs(
                names=names,
                database=database.name,
                schema=raw_schema,
                datasets=CATALOG,
                protect=cloud.protect,
            ),
            on_snowflake,
        )
        integration = LandingIntegration(
            "landing-integration",
            LandingIntegrationArgs(
                integration=names.storage_integration,
                role=names.aws("snowflake-landing"),
                account_id=account_id,
                external_id=args.config.storage_external_id,
                bucket=names.landing_bucket(account_id),
                bucket_arn=storage.landing.arn,
                kms_key_arn=key.arn,
                boundary_arn=boundary.arn,
            ),
            on_both,
        )
        errors = PipeErrors(
            "pipe-errors",
            PipeErrorsArgs(
                integration=names.error_notification_integration,
                role=names.aws("snowflake-pipe-errors"),
                account_id=account_id,
                topic_arn=alerts.arn,
                kms_key_arn=key.arn,
                boundary_arn=boundary.arn,
            ),
            on_both,
        )
        snowpipe = Snowpipe(
            "snowpipe",
            SnowpipeArgs(
                names=names,
                database=database.name,
                schema=raw_schema,
                bucket=names.landing_bucket(account_id),
                bucket_name=storage.landing.name,
                integration=integration.name,
                error_integration=errors.integration,
                datasets=CATALOG,
                tables=tables.by_dataset,
                readable=[integration.ready, errors.ready],
            ),
            on_both,
        )
        access = AccessControl(
            "access-control",
            AccessControlArgs(
                names=names,
                roles=FUNCTIONAL_ROLES,
                database=database.name,
                schemas=database.schemas,
                warehouses=warehouses.of_workload,
                objects=[tables, snowpipe],
                administration=providers.administration,
            ),
            on_snowflake,
        )
        users = ServiceUsers(
            "service-users",
            ServiceUsersArgs(
                names=names,
                roles=[role for role in FUNCTIONAL_ROLES if role.service],
                role_names=access.functional_roles,
                config=args.config,
                database=database.name,
                schemas=database.schemas,
                governance_schema=governance_schema,
                warehouses=warehouses.of_workload,
                allowed_networks=cloud.snowflake.allowed_networks,
            ),
            on_snowflake,
        )
        PersonalData(
            "personal-data",
            PersonalDataArgs(
                database=database.name,
                schema=governance_schema,
                datasets=CATALOG,
                tables=tables.by_dataset,
                unmasked_role=access.account_access_roles[PII_UNMASKED.name],
                protect=cloud.protect,
            ),
            on_snowflake,
        )
        CostTags(
            "cost-tags",
            CostTagsArgs(
                database=database.name,
                schema=governance_schema,
                warehouses=list(warehouses.of_workload.values()),
                values=cloud.tags.of_environment(names.environment),
            ),
            on_snowflake,
        )
        github = GitHubIdentities(
            "github",
            GitHubIdentitiesArgs(
                names=names,
                account_id=account_id,
                region=region,
                github=cloud.github,
                owns_account_objects=cloud.aws.owns_account_objects,
                kms_key_arn=key.arn,
                buckets=[
                    storage.landing.arn,
                    storage.artifacts.arn,
                    storage.access_logs.arn,
                    audit.bucket_arn,
                ],
                artifact_bucket=storage.artifacts.arn,
                topics=[alerts.arn],
                chat_channel=names.aws("alerts"),
                managed_roles=[
                    names.aws("snowflake-landing"),
                    names.aws("snowflake-pipe-errors"),
                    names.aws("chatbot"),
                ],
                role_boundary=boundary.arn,
                secrets=names.secret("").rstrip("/"),
                reader_connections=reader_connections(environment),
                promotion_source=promotion_source(environment),
                trail=names.aws("audit"),
                budget=names.aws("monthly"),
            ),
            on_aws,
        )
        self.exports: Mapping[str, Any] = {
            "snowflakeAccount": warehouse.account,
            "database": database.name,
            "schemas": dict(database.schemas),
            "warehouses": dict(warehouses.of_workload),
            "functionalRoles": access.functional_roles,
            "serviceUsers": users.by_role,
            "landingBucket": storage.landing.name,
            "artifactBucket": storage.artifacts.name,
            "secrets": secrets.arns,
            "alertTopic": alerts.arn,
            "deployRole": github.deploy_role_arn,
            "driftRole": github.drift_role_arn,
            "pullRequestRole": github.pull_request_role_arn,
        }
        self.register_outputs(dict(self.exports))

    def _secret_purposes(self, environment: Environment) -> dict[str, str]:
        names = environment.names
        keys = {
            names.private_key_secret(role.name): f"Private key of {names.service_user(role.name)}"
            for role in FUNCTIONAL_ROLES
            if role.service
        }
        needed = (*airflow_secrets(environment), *platform_secrets(environment))
        return keys | {secret.name: secret.purpose for secret in needed}
