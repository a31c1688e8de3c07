"""What an environment on Snowflake and AWS may be: sizes, limits, prices, networks, people.

`infra/` stands it up by these, `policies/` judges by them and `olist plan` reckons with them.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, model_validator

from olist_platform.naming import Workload
from olist_platform.settings_model import Settings

# How long the credentials of a job hold: AWS gives an hour, unless the role allows more and the job
# asks for it. A deployment writes its record to its very end; time limits of workflows are within.
DEPLOY_ROLE_SECONDS = 3 * 3600
DRIFT_ROLE_SECONDS = 3600

_Days = Annotated[int, Field(ge=1)]
_Seconds = Annotated[int, Field(ge=1)]
_Credits = Annotated[int, Field(ge=1)]
_Clusters = Annotated[int, Field(ge=1, le=10)]
_Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class WarehouseSize(StrEnum):
    """Sizes of a Snowflake warehouse; each has twice the credits an hour of the one before."""

    XSMALL = "XSMALL"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    XLARGE = "XLARGE"


class ScalingPolicy(StrEnum):
    """When a further cluster starts: at once, or when six minutes of work wait."""

    STANDARD = "STANDARD"
    ECONOMY = "ECONOMY"


class WarehouseSettings(Settings):
    """The warehouse of one workload.

    Attributes:
        size: Size of each of its clusters.
        auto_suspend_seconds: Idle time after which it stops to cost.
        min_clusters: Clusters that run whenever it runs.
        max_clusters: Clusters that may run side by side.
        scaling_policy: When a further cluster starts.
        statement_timeout_seconds: A statement running longer is cancelled.
        queue_timeout_seconds: A statement waiting longer for a cluster is cancelled.
        monthly_credits: Quota of its resource monitor.
    """

    size: WarehouseSize
    auto_suspend_seconds: _Seconds
    min_clusters: _Clusters
    max_clusters: _Clusters
    scaling_policy: ScalingPolicy
    statement_timeout_seconds: _Seconds
    queue_timeout_seconds: _Seconds
    monthly_credits: _Credits

    @model_validator(mode="after")
    def _clusters_are_a_range(self) -> "WarehouseSettings":
        if self.min_clusters > self.max_clusters:
            raise ValueError("min_clusters is more than max_clusters")
        return self


class SnowflakeSettings(Settings):
    """The Snowflake side.

    Attributes:
        edition: Masking, tag propagation and several clusters need Enterprise.
        credit_price_usd: Price of a credit of that edition in the account's region.
        owns_account_objects: Whether this environment sets what an account has once (its resource
            monitor); true for exactly one environment of an account.
        data_retention_days: How far Time Travel reaches back.
        account_monthly_credits: Quota of all warehouses of the account together.
        warehouses: The warehouse of each workload.
        allowed_networks: From where service users may log in, IPv4 in CIDR notation.
    """

    edition: Literal["enterprise", "business_critical"]
    credit_price_usd: Annotated[float, Field(gt=0)]
    owns_account_objects: bool
    data_retention_days: Annotated[int, Field(ge=0, le=90)]
    account_monthly_credits: _Credits
    warehouses: dict[Workload, WarehouseSettings]
    allowed_networks: Annotated[tuple[IPvAnyNetwork, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_workload_has_its_warehouse(self) -> "SnowflakeSettings":
        for workload in Workload:
            if workload not in self.warehouses:
                raise ValueError(f"key 'warehouses.{workload}' is missing")
        if any(network.version != 4 for network in self.allowed_networks):  # noqa: PLR2004
            raise ValueError("key 'allowed_networks': Snowflake's IPV4 rules take no IPv6 network")
        return self


class SlackTarget(Settings):
    """Where AWS Chatbot posts; a person connects the workspace once in its console."""

    workspace_id: Annotated[str, Field(pattern=r"^T[A-Z0-9]+$")]
    channel_id: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]


class AwsSettings(Settings):
    """The AWS side.

    Attributes:
        owns_account_objects: Whether this environment makes what an account has once (GitHub's
            identity provider); true for exactly one environment of an account.
        monthly_budget_usd: What AWS itself may cost.
        landing_archive_days: Age at which landing files move to colder storage.
        landing_expiry_days: Age at which they are deleted; Snowflake then holds the only copy.
        noncurrent_version_days: How long replaced and deleted versions are kept.
        access_log_days: How long logs of S3 access are kept.
        audit_log_days: How long the audit trail is kept.
        slack: Where budget and pipe alerts are posted besides e-mail, or null.
    """

    owns_account_objects: bool
    monthly_budget_usd: Annotated[float, Field(gt=0)]
    landing_archive_days: Annotated[int, Field(ge=30)]
    landing_expiry_days: _Days
    noncurrent_version_days: _Days
    access_log_days: _Days
    audit_log_days: _Days
    slack: SlackTarget | None

    @model_validator(mode="after")
    def _archived_before_deleted(self) -> "AwsSettings":
        if self.landing_archive_days >= self.landing_expiry_days:
            raise ValueError("landing_archive_days is not less than landing_expiry_days")
        return self


class GitHubSettings(Settings):
    """Who may deploy: a workflow of this repository that runs in this GitHub environment.

    Attributes:
        repository: `<owner>/<name>`.
        environment: GitHub environment of the deploying job; its own rules say which branches
            and whose approval.
    """

    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class TagSettings(Settings):
    """Whom cost reports and auditors ask; on every resource that takes tags."""

    owner: Annotated[str, Field(min_length=1)]
    cost_centre: Annotated[str, Field(pattern=r"^[A-Z0-9-]+$")]

    def of_environment(self, environment: str) -> dict[str, str]:
        """Tags of every AWS resource of an environment."""
        return {
            "project": "olist",
            "environment": environment,
            "owner": self.owner,
            "cost-centre": self.cost_centre,
        }


class CloudSettings(Settings):
    """The cloud side of an environment.

    Attributes:
        protect: Whether Pulumi refuses to delete what holds data.
        monthly_budget_usd: What AWS and Snowflake may cost together.
        key_rotation_days: Age at which a service user's key pair is to be replaced.
        alert_emails: Who is told of spending and of files that did not load.
        tags: Owner and cost centre.
        snowflake: The Snowflake side.
        aws: The AWS side.
        github: Who deploys.
    """

    protect: bool
    monthly_budget_usd: Annotated[float, Field(gt=0)]
    key_rotation_days: _Days
    alert_emails: Annotated[tuple[_Email, ...], Field(min_length=1)]
    tags: TagSettings
    snowflake: SnowflakeSettings
    aws: AwsSettings
    github: GitHubSettings

    @model_validator(mode="after")
    def _each_address_is_told_once(self) -> "CloudSettings":
        twice = {one for one in self.alert_emails if self.alert_emails.count(one) > 1}
        if twice:
            raise ValueError(f"key 'alert_emails' names {', '.join(sorted(twice))} twice")
        return self
