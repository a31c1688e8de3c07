"""What a deployment logs in to Snowflake and Power BI with, from AWS Secrets Manager.

A workflow holds no key: its job's identity lets it read these, for as long as it runs.
"""

import os
from contextlib import suppress
from typing import Any

from olist_platform.access_model import DEPLOYER_ROLE, TRANSFORMER
from olist_platform.aws_errors import aws_errors_explained
from olist_platform.bootstrap.cloud_side import AwsAccount, cloud_side
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.powerbi.refresh import connection_variable
from olist_platform.runtime_secrets import reader_connections

# Read by Pulumi's Snowflake provider.
DEPLOYER_VARIABLE = "SNOWFLAKE_PRIVATE_KEY"


def take_deploying_keys(environment: Environment, *, transforms: bool = True) -> None:
    """Set the variables of private keys that are not set, in this process and what it starts.

    Args:
        environment: One without a cloud side needs none.
        transforms: Whether dbt will log in too, or Pulumi alone.

    Raises:
        OlistError: A private key is not to be had. A connection of a reader may be absent: its step
            is skipped then, and says so.
    """
    if environment.cloud is None:
        return
    side = cloud_side(environment)
    wanted = {DEPLOYER_VARIABLE: DEPLOYER_ROLE}
    if transforms:
        wanted[side.warehouse.private_key.environment_variable] = TRANSFORMER.name
    missing = {name: role for name, role in wanted.items() if not os.environ.get(name)}
    readers = {
        connection_variable(name.rpartition("/")[2]): name
        for name in (reader_connections(environment) if transforms else ())
    }
    absent = {variable: name for variable, name in readers.items() if not os.environ.get(variable)}
    if not missing and not absent:
        return
    client: Any = AwsAccount(side).client("secretsmanager")
    for variable, secret in absent.items():
        with suppress(OlistError), aws_errors_explained(secret, service="Secrets Manager"):
            os.environ[variable] = client.get_secret_value(SecretId=secret)["SecretString"]
    for variable, role in missing.items():
        secret = side.names.private_key_secret(role)
        try:
            with aws_errors_explained(secret, service="Secrets Manager"):
                os.environ[variable] = client.get_secret_value(SecretId=secret)["SecretString"]
        except OlistError as error:
            raise OlistError(
                f"no private key of {side.names.service_user(role)}: {error.message}",
                f"export {variable}, or store the key: olist keys store {environment.name}",
            ) from error
