"""Runs an administrator's statements in the environment's Snowflake account and in no other."""

from collections.abc import Sequence
from typing import Protocol

from olist_platform.bootstrap.cloud_side import CloudSide
from olist_platform.errors import OlistError

_CONNECTIONS_PAGE = (
    "https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect"
)


class Cursor(Protocol):
    """What is needed of the connector's cursor."""

    def execute(self, command: str, /) -> object:
        """Run a statement."""

    def fetchone(self) -> Sequence[object] | None:
        """Return the first row of its answer."""


def run_with_connection(side: CloudSide, connection: str, statements: Sequence[str]) -> None:
    """Run statements with a connection of the user's `connections.toml`.

    Raises:
        OlistError: There is no such connection, it leads to another account, or a statement fails.
    """
    # The connector takes a second to import, which a dry run need not wait for.
    import snowflake.connector  # noqa: PLC0415
    from snowflake.connector import errors  # noqa: PLC0415

    try:
        with (
            snowflake.connector.connect(connection_name=connection) as connected,
            connected.cursor() as cursor,
        ):
            run_in_account(side, cursor, statements)
    except errors.Error as error:
        raise OlistError(
            f"Snowflake connection '{connection}': {error.msg or error}",
            "see that connections.toml has it and that it logs in with a user who may be "
            f"ACCOUNTADMIN: {_CONNECTIONS_PAGE}",
        ) from error


def run_in_account(side: CloudSide, cursor: Cursor, statements: Sequence[str]) -> None:
    """Run statements in order, if the session is one of the environment's account.

    Raises:
        OlistError: It is another account's.
    """
    cursor.execute("select current_organization_name(), current_account_name()")
    found = "-".join(map(str, cursor.fetchone() or ()))
    if found != side.warehouse.account:
        raise OlistError(
            f"the connection leads to {found}; environments/{side.names.environment}.yaml "
            f"says {side.warehouse.account}",
            "correct 'warehouse.organization_name' and 'warehouse.account_name', or name a "
            "connection to that account",
        )
    for statement in statements:
        cursor.execute(statement)
