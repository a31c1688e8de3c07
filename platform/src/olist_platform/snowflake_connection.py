"""A session on Snowflake for questions and records of the platform's own; dbt has its own.

It is the transformer's service user, as in dbt/profiles.yml, on the warehouse of a workload. No
live account could be reached from where this was written: it is exercised against an emulated one.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives import serialization

from olist_platform.dbt_command import dbt_variables
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.naming import Workload

_LOGIN_SECONDS = 30
_STATEMENT_SECONDS = 300


@contextmanager
def open_snowflake(environment: Environment, workload: Workload, **options: Any) -> Iterator[Any]:
    """Open a session for the time of the block; Snowflake's errors in it become an OlistError.

    Args:
        environment: Whose account; its private key has to be set on this machine.
        workload: Whose warehouse pays.
        options: Further options of the connector, such as another host.

    Raises:
        OlistError: The account cannot be reached, refuses the key, or a statement fails.
    """
    # Imported when it is needed: the connector takes most of a second.
    import snowflake.connector  # noqa: PLC0415

    logging.getLogger("snowflake.connector").setLevel(logging.ERROR)
    variables = dbt_variables(environment)
    account = variables["OLIST_SNOWFLAKE_ACCOUNT"]
    try:
        connection = snowflake.connector.connect(
            account=account,
            user=variables["OLIST_SNOWFLAKE_USER"],
            private_key=_private_key(environment, variables),
            role=variables["OLIST_SNOWFLAKE_ROLE"],
            database=variables["OLIST_SNOWFLAKE_DATABASE"],
            warehouse=environment.names.warehouse(workload),
            login_timeout=_LOGIN_SECONDS,
            network_timeout=_STATEMENT_SECONDS,
            session_parameters={
                "QUERY_TAG": f'{{"app": "olist", "workload": "{workload}"}}',
                "STATEMENT_TIMEOUT_IN_SECONDS": _STATEMENT_SECONDS,
                "TIMEZONE": "UTC",
            },
            **options,
        )
        try:
            yield connection
        finally:
            connection.close()
    except snowflake.connector.errors.Error as error:
        raise OlistError(
            f"Snowflake account {account}: {' '.join(str(error.msg or error).split())}",
            "check the account, the role's privileges and the private key; see"
            " platform/docs/runbooks/platform-health.md",
        ) from error


def _private_key(environment: Environment, variables: dict[str, str]) -> bytes:
    pem = variables["DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY"]
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except ValueError as error:
        raise OlistError(
            f"the private key of environment '{environment.name}' is no PEM private key",
            "export the key with its BEGIN and END lines",
        ) from error
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
