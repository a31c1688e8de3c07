"""The settings of one environment, read from `environments/<name>.yaml` and from nowhere else.

Every key is required, unknown keys are refused and nothing has a fallback: what is missing is an
error that names the file and the key.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from olist_platform.alerts.alert_settings import AlertSettings
from olist_platform.cloud_settings import CloudSettings, WarehouseSettings
from olist_platform.dashboards.dashboard_settings import DashboardSettings
from olist_platform.errors import OlistError
from olist_platform.monitoring.monitoring_settings import MonitoringSettings
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_platform.production_settings import ProductionSettings
from olist_platform.release.release_settings import ReleaseSettings, S3Artifacts
from olist_platform.repository import repository_root
from olist_platform.settings_model import CronExpression, Folder, SecretReference
from olist_platform.settings_model import Settings as _Settings
from olist_platform.yaml_file import read_yaml_mapping


class DuckDBWarehouse(_Settings):
    """The embedded warehouse: one file on this machine."""

    engine: Literal["duckdb"]
    folder: Folder
    threads: Annotated[int, Field(ge=1, le=64)]
    memory_limit_gib: Annotated[float, Field(gt=0)]


class SnowflakeWarehouse(_Settings):
    """A Snowflake account reached by the transformer's service user with a key pair."""

    engine: Literal["snowflake"]
    organization_name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    account_name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    threads: Annotated[int, Field(ge=1, le=64)]
    private_key: SecretReference

    @property
    def account(self) -> str:
        """Account identifier as the Snowflake connector wants it."""
        return f"{self.organization_name}-{self.account_name}"


class FolderLanding(_Settings):
    """Landing files in a folder of this machine."""

    kind: Literal["folder"]
    folder: Folder


class S3Landing(_Settings):
    """Landing files in the S3 bucket that the naming module names.

    Attributes:
        aws_account_id: Twelve digits; part of the bucket's name.
        region: AWS region of the bucket.
        endpoint_url: Another S3 endpoint, or null for AWS itself.
    """

    kind: Literal["s3"]
    aws_account_id: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    endpoint_url: str | None


class DbtSettings(_Settings):
    """How dbt runs here.

    Attributes:
        quarantine_max_share: Largest share of a dataset's rows that may be quarantined, 0 to 1.
        sample_share: Share of the people that staging and everything after it holds, above 0 to 1.
    """

    quarantine_max_share: Annotated[float, Field(ge=0, le=1)]
    sample_share: Annotated[float, Field(gt=0, le=1)]


class AirflowSettings(_Settings):
    """How the production DAG runs here.

    Attributes:
        schedule: Cron expression in UTC, or null for runs by hand only.
        retries: Further tries of a failed task.
        retry_delay_seconds: Delay before the first of them; it doubles each time.
        task_timeout_minutes: A task running longer is failed.
        base_url: Address at which people reach Airflow's web page; null where it differs by start.
    """

    schedule: CronExpression | None
    retries: Annotated[int, Field(ge=0, le=10)]
    retry_delay_seconds: Annotated[int, Field(ge=1)]
    task_timeout_minutes: Annotated[int, Field(ge=1)]
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] | None


class Environment(_Settings):
    """One environment's whole configuration; `cloud` is there exactly when Snowflake is."""

    name: EnvironmentName
    description: str
    warehouse: Annotated[DuckDBWarehouse | SnowflakeWarehouse, Field(discriminator="engine")]
    landing: Annotated[FolderLanding | S3Landing, Field(discriminator="kind")]
    dbt: DbtSettings
    airflow: AirflowSettings
    production: ProductionSettings
    releases: ReleaseSettings
    alerts: AlertSettings
    monitoring: MonitoringSettings
    dashboards: DashboardSettings
    cloud: CloudSettings | None = None

    @model_validator(mode="after")
    def _snowflake_reads_s3(self) -> "Environment":
        if self.warehouse.engine == "snowflake" and self.landing.kind != "s3":
            raise ValueError("landing.kind: Snowpipe reads S3 only, so it must be 's3'")
        return self

    @model_validator(mode="after")
    def _artifacts_are_in_the_landings_account(self) -> "Environment":
        if isinstance(self.releases.artifacts, S3Artifacts) and self.landing.kind != "s3":
            raise ValueError(
                "releases.artifacts: the artifact bucket is in the landing's account,"
                " so landing.kind must be 's3'"
            )
        return self

    @model_validator(mode="after")
    def _nothing_is_promoted_from_itself(self) -> "Environment":
        if self.releases.promotes_from is self.name:
            raise ValueError("releases.promotes_from: it names this environment itself")
        return self

    @model_validator(mode="after")
    def _snowflake_has_a_cloud(self) -> "Environment":
        on_snowflake = self.warehouse.engine == "snowflake"
        if on_snowflake and self.cloud is None:
            raise ValueError("key 'cloud' is missing: it says what Snowflake and AWS may cost")
        if not on_snowflake and self.cloud is not None:
            raise ValueError("key 'cloud' is unknown: there is no cloud side to DuckDB")
        return self

    @model_validator(mode="after")
    def _there_is_one_budget(self) -> "Environment":
        notional = self.monitoring.notional_budget_brl
        if (notional is None) == (self.warehouse.engine == "duckdb"):
            raise ValueError(
                "monitoring.notional_budget_brl: DuckDB needs an amount, Snowflake null"
            )
        return self

    @model_validator(mode="after")
    def _the_report_has_readers(self) -> "Environment":
        report = self.dashboards.executive_report
        if report and report.to not in self.alerts.recipients:
            raise ValueError(
                f"dashboards.executive_report.to: alerts.recipients has no '{report.to}';"
                f" it has: {', '.join(self.alerts.recipients)}"
            )
        return self

    @model_validator(mode="after")
    def _power_bi_reads_snowflake(self) -> "Environment":
        if self.dashboards.power_bi and self.warehouse.engine != "snowflake":
            raise ValueError("dashboards.power_bi: it reads Snowflake alone, write null")
        return self

    @property
    def names(self) -> Names:
        """The names of this environment's objects."""
        return Names(self.name)

    @property
    def snowflake_warehouses(self) -> dict[str, WarehouseSettings]:
        """The settings of each Snowflake warehouse, by its name; none on DuckDB."""
        if self.cloud is None:
            return {}
        settings = self.cloud.snowflake.warehouses
        return {self.names.warehouse(workload): settings[workload] for workload in Workload}

    @property
    def duckdb_path(self) -> Path:
        """Absolute path of the DuckDB file.

        Raises:
            OlistError: The environment's warehouse is not DuckDB.
        """
        if not isinstance(self.warehouse, DuckDBWarehouse):
            raise OlistError(
                f"environment '{self.name}' runs on {self.warehouse.engine}, not on DuckDB",
                "use '--env local' for commands on the embedded warehouse",
            )
        folder = repository_root() / self.warehouse.folder
        return folder / f"{self.names.duckdb_database}.duckdb"

    @property
    def serving_path(self) -> Path:
        """Absolute path of the DuckDB file that consumers read, a copy of the marts that passed.

        Raises:
            OlistError: The environment's warehouse is not DuckDB.
        """
        working = self.duckdb_path
        return working.parent / self.names.schema(Layer.SERVING) / working.name

    @property
    def landing_url(self) -> str:
        """The landing's place: an absolute folder, or `s3://<bucket>`."""
        match self.landing:
            case FolderLanding(folder=folder):
                return str(repository_root() / folder)
            case S3Landing(aws_account_id=account):
                return f"s3://{self.names.landing_bucket(account)}"


def environments_folder() -> Path:
    """Folder of the environment files."""
    return repository_root() / "environments"


def parse_environment_name(text: str) -> EnvironmentName:
    """Return the member that a user's text names.

    Raises:
        OlistError: There is no such environment.
    """
    try:
        return EnvironmentName(text)
    except ValueError:
        known = ", ".join(EnvironmentName)
        raise OlistError(f"unknown environment '{text}'", f"use one of: {known}") from None


def load_environment(name: EnvironmentName, folder: Path | None = None) -> Environment:
    """Read and check one environment's file.

    Args:
        name: The environment.
        folder: Where its file lies; the checkout's `environments/` unless told.

    Raises:
        OlistError: The file is missing, is not YAML, or a key is missing, unknown or wrong.
    """
    path = (folder or environments_folder()) / f"{name}.yaml"
    content = read_yaml_mapping(path, "see environments/README.md")
    try:
        environment = Environment.model_validate(content)
    except ValidationError as error:
        raise OlistError(
            f"{path}: " + "; ".join(_explain(detail) for detail in error.errors()),
            "see environments/README.md for the keys and their meaning",
        ) from error
    if environment.name is not name:
        raise OlistError(
            f"{path}: key 'name' says '{environment.name}', the file's name says '{name}'",
            "make them agree",
        )
    return environment


def _explain(detail: ErrorDetails) -> str:
    """Say in one clause which key is wrong and how."""
    unions = {"warehouse", "landing"}
    location = [str(part) for part in detail["loc"]]
    # Pydantic puts the variant's name of a union after its key; a user's file has no such level.
    key = ".".join(
        part for index, part in enumerate(location) if index != 1 or location[0] not in unions
    )
    if detail["type"] == "missing":
        return f"key '{key}' is missing"
    if detail["type"] == "extra_forbidden":
        return f"key '{key}' is unknown"
    return f"key '{key}': {detail['msg']}" if key else str(detail["msg"])
