"""`olist keys`: the key pairs of Snowflake's service users, without ever showing a private one."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from olist_platform.cli.console import environment_named, out

if TYPE_CHECKING:
    from olist_platform.bootstrap.key_ring import KeyRing

app = typer.Typer(help="Rotate the service users' key pairs.", no_args_is_help=True)

_EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", help="dev or prod.", show_default=False)
]
_RoleArgument = Annotated[
    str, typer.Argument(metavar="ROLE", help="Role of the user, such as loader; or deployer.")
]
_SHOWN_OF_A_KEY = 12


@app.command("list")
def list_keys(env: _EnvironmentArgument) -> None:
    """List the users, the ends of their public keys, and where their private keys are.

    Example:  olist keys list dev
    """
    table = Table("user", "current", "following", "state")
    for key in _key_ring(env).user_keys():
        table.add_row(
            key.user, _shown(key.public.current), _shown(key.public.following), key.state.value
        )
    out.print(table)


@app.command()
def rotate(env: _EnvironmentArgument, role: _RoleArgument) -> None:
    """Make the key pair that is to follow a user's current one; then deploy.

    Example:  olist keys rotate dev loader
    """
    ring = _key_ring(env)
    ring.rotate(role)
    out.print(f"private half: {ring.files.path(role)}", soft_wrap=True, highlight=False)
    out.print(f"public half:  {ring.stack.path}", soft_wrap=True, highlight=False)
    _say(f"next: {_deployment(env, role)}; then: olist keys store {env}")


@app.command()
def store(env: _EnvironmentArgument) -> None:
    """Move the private keys of this machine into AWS Secrets Manager.

    Example:  olist keys store dev
    """
    from olist_platform.bootstrap.key_ring import USERS_WITH_KEYS  # noqa: PLC0415

    ring = _key_ring(env)
    stored = [role for role in USERS_WITH_KEYS if ring.store(role)]
    for role in stored:
        out.print(f"stored in {ring.secrets.name(role)}", highlight=False)
    if not stored:
        out.print(f"no private key of {env} on this machine", highlight=False)


@app.command()
def finish(env: _EnvironmentArgument, role: _RoleArgument) -> None:
    """Let a user's following key be the current one; then deploy, and the old one is void.

    Example:  olist keys finish dev loader
    """
    _key_ring(env).finish(role)
    _say(f"next: {_deployment(env, role)}; then the former key opens nothing")


def _key_ring(env: str) -> "KeyRing":
    # boto3 and cryptography take a while to import, which `olist --help` need not wait for.
    from olist_platform.bootstrap.cloud_side import AwsAccount, cloud_side  # noqa: PLC0415
    from olist_platform.bootstrap.key_ring import KeyRing  # noqa: PLC0415

    side = cloud_side(environment_named(env))
    return KeyRing(side, AwsAccount(side))


def _shown(public_key: str | None) -> str:
    """Return the end of a public key: all of them begin alike."""
    return f"…{public_key[-_SHOWN_OF_A_KEY:]}" if public_key else "-"


def _deployment(env: str, role: str) -> str:
    from olist_platform.access_model import DEPLOYER_ROLE  # noqa: PLC0415

    if role == DEPLOYER_ROLE:
        return f"olist bootstrap {env} --apply, and run the SQL it writes"
    return "commit the stack file and deploy (pulumi up)"


def _say(line: str) -> None:
    out.print(line, soft_wrap=True, highlight=False, markup=False)
