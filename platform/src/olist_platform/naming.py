"""Every database, schema, warehouse, role, bucket, pipe and DAG name, most of one environment name.

Infra creates these names, dbt profiles and DAGs use them, tests compare them.
"""

from dataclasses import dataclass
from enum import StrEnum

from olist_platform.source_catalog import Dataset


class EnvironmentName(StrEnum):
    """The closed set of environments; adding one is a member here and its files."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


class Layer(StrEnum):
    """A schema of the warehouse, in the order data flows through them.

    `serving` is what consumers read: the marts of the last build that passed all its tests. On
    Snowflake it is the default schema of those who read; on DuckDB it is a file of its own.
    """

    RAW = "raw"
    STAGING = "staging"
    INTERMEDIATE = "intermediate"
    MARTS = "marts"
    SERVING = "serving"
    SNAPSHOTS = "snapshots"
    MONITORING = "monitoring"


class Workload(StrEnum):
    """What a Snowflake warehouse is paid for."""

    LOAD = "load"
    TRANSFORM = "transform"
    REPORT = "report"


# Schema of tags, policies and network rules: what governs the data, not a layer of it.
GOVERNANCE_SCHEMA = "governance"
# Purpose of the bucket and of the key that hold Pulumi's state.
PULUMI_STATE = "pulumi-state"
# The DAGs that others ask for by id; each lies in the file of its id.
PRODUCTION_DAG = "olist_production"
DEVELOPMENT_DAG = "olist_development"


def snowflake_identifier(*parts: str) -> str:
    """Return a qualified name as Snowflake prints it: dbt never quotes, so names are upper case."""
    return ".".join(f'"{part.upper()}"' for part in parts)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one environment's objects; Snowflake's are upper case, DuckDB's lower."""

    environment: EnvironmentName

    @property
    def database(self) -> str:
        """Snowflake database."""
        return f"OLIST_{self.environment.upper()}"

    @property
    def duckdb_database(self) -> str:
        """DuckDB database; also the stem of its file."""
        return self.database.lower()

    def schema(self, layer: Layer) -> str:
        """Schema of a layer; lower case works on both engines because dbt never quotes it."""
        return layer.value

    def raw_table(self, dataset: Dataset) -> str:
        """Raw table of a dataset, without database and schema."""
        return dataset.name

    @property
    def load_history_table(self) -> str:
        """Table of the raw schema that records every file loaded."""
        return "load_history"

    @property
    def publication_table(self) -> str:
        """Table of the serving schema that says what was published and when."""
        return "publication"

    @property
    def check_results_table(self) -> str:
        """Table of the monitoring schema that keeps what every check found."""
        return "check_results"

    def warehouse(self, workload: Workload) -> str:
        """Snowflake warehouse of a workload."""
        return f"{self.database}_{workload.upper()}_WH"

    @property
    def deploy_warehouse(self) -> str:
        """Snowflake warehouse of the deployer's own statements; the bootstrap makes it."""
        return f"{self.database}_DEPLOY_WH"

    def layer_warehouse(self, layer: Layer) -> str:
        """Snowflake warehouse that fills a layer.

        Monitoring has the readers' one: what watches the transformations neither waits for them
        nor adds to their bill.
        """
        others = {Layer.RAW: Workload.LOAD, Layer.MONITORING: Workload.REPORT}
        return self.warehouse(others.get(layer, Workload.TRANSFORM))

    def resource_monitor(self, workload: Workload | None = None) -> str:
        """Resource monitor of a workload's warehouse, or of the account."""
        return f"{self.database}_{workload.upper() if workload else 'ACCOUNT'}_MONITOR"

    def functional_role(self, role: str) -> str:
        """Snowflake role of a job; the environment keeps roles of one account apart."""
        return f"FR__{self.database}__{role.upper()}"

    def database_access_role(self, role: str) -> str:
        """Database role of privileges within the database, which is its namespace."""
        return f"AR__{role.upper()}"

    def account_access_role(self, role: str) -> str:
        """Account role of privileges that no database role can hold."""
        return f"AR__{self.database}__{role.upper()}"

    def service_user(self, role: str) -> str:
        """Snowflake service user that holds a functional role."""
        return f"SVC__{self.database}__{role.upper()}"

    @property
    def network_policy(self) -> str:
        """Network policy of the service users."""
        return f"{self.database}_SERVICES"

    @property
    def deployer_network_policy(self) -> str:
        """Network policy of the deployer, which the bootstrap makes: it comes before the others."""
        return f"{self.database}_DEPLOYER"

    def bucket(self, purpose: str, aws_account_id: str) -> str:
        """S3 bucket; bucket names are global, so the account is part."""
        return f"{self.aws(purpose)}-{aws_account_id}"

    def landing_bucket(self, aws_account_id: str) -> str:
        """S3 bucket of the landing files."""
        return self.bucket("landing", aws_account_id)

    def artifact_bucket(self, aws_account_id: str) -> str:
        """S3 bucket of releases and of dbt's manifests."""
        return self.bucket("artifacts", aws_account_id)

    def airflow_logs_url(self, aws_account_id: str) -> str:
        """Where Airflow's task logs go: they are artifacts of its runs."""
        return f"s3://{self.artifact_bucket(aws_account_id)}/airflow-logs"

    def state_bucket(self, aws_account_id: str) -> str:
        """S3 bucket of Pulumi's state; the bootstrap makes it, and its key's alias."""
        return self.bucket(PULUMI_STATE, aws_account_id)

    def state_backend_url(self, aws_account_id: str, region: str) -> str:
        """Where `pulumi login` finds the environment's state."""
        return f"s3://{self.state_bucket(aws_account_id)}?region={region}"

    @property
    def pulumi_stack(self) -> str:
        """Pulumi's name of the stack; a backend without accounts calls its one `organization`."""
        return f"organization/olist/{self.environment}"

    def state_secrets_provider(self, region: str) -> str:
        """What Pulumi encrypts secrets in the state with, as its stack file names it."""
        return f"awskms://alias/{self.aws(PULUMI_STATE)}?region={region}"

    def aws(self, purpose: str) -> str:
        """AWS role, key, topic, trail or budget of a purpose."""
        return f"olist-{self.environment}-{purpose}"

    def secret(self, purpose: str) -> str:
        """Secrets Manager secret of a purpose."""
        return f"olist/{self.environment}/{purpose}"

    def private_key_secret(self, role: str) -> str:
        """Secrets Manager secret with the private key of a functional role's service user."""
        return self.secret(f"snowflake/{role}")

    @property
    def storage_integration(self) -> str:
        """Snowflake storage integration that reads the landing bucket."""
        return f"{self.database}_LANDING"

    @property
    def error_notification_integration(self) -> str:
        """Snowflake notification integration by which pipes tell of files that did not load."""
        return f"{self.database}_PIPE_ERRORS"

    @property
    def landing_stage(self) -> str:
        """External stage over the landing bucket, in the raw schema."""
        return "LANDING"

    @property
    def file_format(self) -> str:
        """File format of the landing files, in the raw schema."""
        return "LANDING_CSV"

    def pipe(self, dataset: Dataset) -> str:
        """Snowpipe of a dataset, in the raw schema."""
        return f"{dataset.name.upper()}_PIPE"
