"""`olist bootstrap`: what has to exist before an environment's first deployment."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from olist_platform.cli.console import environment_named, out
from olist_platform.errors import OlistError

if TYPE_CHECKING:
    from olist_platform.bootstrap.environment_bootstrap import EnvironmentBootstrap

_COLOURS = {"stands": "dim", "would do": "yellow", "done": "bold green"}


def bootstrap(
    env: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="dev or prod.")],
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Make what is missing, or only say so.")
    ] = False,
    snowflake_connection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --apply: also run the deployer's SQL, with this connection of Snowflake's "
            "connections.toml.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make Pulumi's state bucket and key, the first key pairs, and the deployer's SQL.

    Looks only, unless told to apply; run again, it does what is still missing and nothing else.
    Private keys are never printed.

    Examples:  olist bootstrap dev
      olist bootstrap dev --apply
      olist bootstrap dev --apply --snowflake-connection admin
    """
    if snowflake_connection and not apply:
        raise OlistError(
            "--snowflake-connection runs SQL, and this is a dry run",
            "add --apply, or leave --snowflake-connection out",
        )
    # boto3 and cryptography take a while to import, which `olist --help` need not wait for.
    from olist_platform.bootstrap.cloud_side import cloud_side  # noqa: PLC0415
    from olist_platform.bootstrap.environment_bootstrap import (  # noqa: PLC0415
        EnvironmentBootstrap,
    )
    from olist_platform.bootstrap.snowflake_administration import (  # noqa: PLC0415
        run_with_connection,
    )
    from olist_platform.bootstrap.steps import Outcome, carry_out  # noqa: PLC0415

    made = EnvironmentBootstrap(cloud_side(environment_named(env)))
    open_steps = 0
    for step, outcome in carry_out(made.steps(), apply=apply):
        open_steps += outcome is Outcome.WOULD_DO
        line = Text.assemble(
            (f"{outcome:<9}", _COLOURS[outcome]), f" {step.subject}: {step.wanted}"
        )
        out.print(line, soft_wrap=True)
    if open_steps:
        out.print(f"\ndry run: {open_steps} steps to do; do them with --apply", highlight=False)
        return
    if snowflake_connection:
        run_with_connection(made.side, snowflake_connection, made.statements())
        out.print(f"\nthe deployer stands in {made.side.warehouse.account}", highlight=False)
    _print_what_comes_next(made, sql_was_run=snowflake_connection is not None)


def _print_what_comes_next(made: "EnvironmentBootstrap", *, sql_was_run: bool) -> None:
    side = made.side
    names, region = side.names, side.landing.region
    backend = names.state_backend_url(side.landing.aws_account_id, region)
    provider = names.state_secrets_provider(region)
    stack = names.pulumi_stack
    lines = [
        "\nnext:",
        f"  git commit environments/Pulumi.{names.environment}.yaml",
        *([] if sql_was_run else [f"  as ACCOUNTADMIN, run {made.script_path}"]),
        f"  pulumi login '{backend}'",
        f"  pulumi -C infra stack init {stack} --secrets-provider '{provider}'",
    ]
    for line in lines:
        out.print(line, soft_wrap=True, highlight=False, markup=False)
