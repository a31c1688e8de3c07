"""The secrets that a running environment needs: what each is, where it is kept, who reads it.

Infra makes their places in AWS Secrets Manager, without values. Airflow asks there for its own;
those that the environment's file names are variables, which the container's entry point fills.
"""

from dataclasses import dataclass

from olist_platform.access_model import TRANSFORMER
from olist_platform.environment import Environment, SnowflakeWarehouse
from olist_platform.settings_model import SecretReference


@dataclass(frozen=True, slots=True)
class RuntimeSecret:
    """A secret.

    Attributes:
        variable: Variable that holds its value in a process; one that is set goes before the
            secret.
        name: Its name in Secrets Manager.
        purpose: What it holds, and where the value comes from.
    """

    variable: str
    name: str
    purpose: str

    @property
    def key(self) -> str:
        """The last part of the name, by which Airflow asks for its own."""
        return self.name.rpartition("/")[2]


def airflow_secrets(environment: Environment) -> tuple[RuntimeSecret, ...]:
    """Return the secrets of Airflow itself."""
    return tuple(
        RuntimeSecret(variable, environment.names.secret(f"airflow/config/{key}"), purpose)
        for variable, key, purpose in (
            (
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
                "metadata-database",
                "SQLAlchemy address of Airflow's metadata database, of the user that owns it",
            ),
            (
                "AIRFLOW__CORE__FERNET_KEY",
                "fernet-key",
                "Key that encrypts connections and variables in the metadata database",
            ),
            (
                "AIRFLOW__API__SECRET_KEY",
                "api-secret-key",
                "Key that signs the web page's sessions",
            ),
            (
                "AIRFLOW__API_AUTH__JWT_SECRET",
                "jwt-secret",
                "Key that signs the tokens of tasks and of API clients",
            ),
        )
    )


def platform_secrets(environment: Environment) -> tuple[RuntimeSecret, ...]:
    """Return the secrets that the environment's file names; none where it names none."""
    warehouse, names = environment.warehouse, environment.names
    slack, email = environment.alerts.slack, environment.alerts.email
    references: list[tuple[SecretReference | None, str, str]] = [
        (
            warehouse.private_key if isinstance(warehouse, SnowflakeWarehouse) else None,
            names.private_key_secret(TRANSFORMER.name),
            f"Private key of {names.service_user(TRANSFORMER.name)}",
        ),
        (
            environment.alerts.outbox,
            names.secret("alerts/outbox-database"),
            "SQLAlchemy address of the database of the alerts' outbox",
        ),
        (
            slack.token if slack else None,
            names.secret("alerts/slack-token"),
            "Slack token of the alerts' bot",
        ),
        (
            email.password if email else None,
            names.secret("alerts/smtp-password"),
            "Password of the alerts' mail account",
        ),
        (
            environment.monitoring.airflow_database,
            names.secret("monitoring/airflow-database"),
            "SQLAlchemy address of Airflow's metadata database, of a user that may read",
        ),
    ]
    return tuple(
        RuntimeSecret(reference.environment_variable, name, purpose)
        for reference, name, purpose in references
        if reference is not None
    )


def reader_connections(environment: Environment) -> tuple[str, ...]:
    """Return the names of the secrets of connections by which readers are told of new marts.

    Airflow finds them there by itself; a deployment takes them from there.
    """
    power_bi = environment.dashboards.power_bi
    if power_bi is None or power_bi.refresh is None:
        return ()
    connection = power_bi.refresh.airflow_connection
    return (environment.names.secret(f"airflow/connections/{connection}"),)
