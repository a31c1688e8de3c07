"""The SQL that an ACCOUNTADMIN runs once: the deployer's user, role, warehouse and network policy.

Running it again changes nothing but what had been changed by hand. Statements that Snowflake has no
`if not exists` for (grants, settings) are the same however often they run.
"""

from collections.abc import Sequence

from olist_platform.access_model import DEPLOYER_ACCOUNT_PRIVILEGES, DEPLOYER_ROLE
from olist_platform.bootstrap.cloud_side import CloudSide
from olist_platform.bootstrap.stack_file import PublicKeys

_ADMINISTRATOR = "ACCOUNTADMIN"
_PURPOSE = "Deploys the Olist platform"
_TIMEOUT_SECONDS = 600


def deployer_statements(side: CloudSide, keys: PublicKeys) -> tuple[str, ...]:
    """Return the statements, in order and without their semicolons.

    Args:
        side: The environment.
        keys: The deployer's public keys.
    """
    names = side.names
    role, user = names.functional_role(DEPLOYER_ROLE), names.service_user(DEPLOYER_ROLE)
    warehouse, policy = names.deploy_warehouse, names.deployer_network_policy
    networks = ", ".join(f"'{network}'" for network in side.cloud.snowflake.allowed_networks)
    following = (
        f"set rsa_public_key_2 = '{keys.following}'" if keys.following else "unset rsa_public_key_2"
    )
    return (
        f"use role {_ADMINISTRATOR}",
        (
            f"create warehouse if not exists {warehouse} warehouse_size = XSMALL auto_suspend = 60"
            f" auto_resume = true initially_suspended = true comment = '{_PURPOSE}'"
        ),
        f"alter warehouse {warehouse} set statement_timeout_in_seconds = {_TIMEOUT_SECONDS}",
        f"create role if not exists {role} comment = '{_PURPOSE}'",
        # Not to SYSADMIN, whom MANAGE GRANTS would make the account's security administrator.
        f"grant role {role} to role {_ADMINISTRATOR}",
        f"grant usage on warehouse {warehouse} to role {role}",
        *(
            f"grant {privilege} on account to role {role}"
            for privilege in DEPLOYER_ACCOUNT_PRIVILEGES
        ),
        f"create network policy if not exists {policy} allowed_ip_list = ({networks})",
        f"alter network policy {policy} set allowed_ip_list = ({networks})",
        f"create user if not exists {user} type = service comment = '{_PURPOSE}'",
        (
            f"alter user {user} set type = service default_role = '{role}'"
            f" default_warehouse = '{warehouse}' default_secondary_roles = ()"
            f" network_policy = {policy} rsa_public_key = '{keys.current}'"
        ),
        f"alter user {user} {following}",
        f"grant role {role} to user {user}",
        # It alone may make resource monitors, assign them, and grant roles of SNOWFLAKE.
        f"grant role {_ADMINISTRATOR} to user {user}",
    )


def as_script(side: CloudSide, statements: Sequence[str]) -> str:
    """Return the statements as a file for a Snowflake worksheet or for `snow sql`."""
    head = (
        f"-- The deployer of {side.names.environment}, written by `olist bootstrap`.\n"
        f"-- Run as {_ADMINISTRATOR} in the account {side.warehouse.account};"
        " running it again does no harm.\n"
    )
    return head + "".join(f"{statement};\n" for statement in statements)
