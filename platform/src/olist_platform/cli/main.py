"""The `olist` command."""

import os
import sys

import typer

from olist_platform.cli import env
from olist_platform.cli.console import err, fail
from olist_platform.cli.dbt import dbt
from olist_platform.errors import OlistError, from_os_error

app = typer.Typer(
    name="olist",
    help="Operate the Olist analytics platform.",
    epilog="Start with:  make demo   then   olist query 'select * from mart_executive_kpis'",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(env.app, name="env")
app.command(context_settings={"ignore_unknown_options": True})(dbt)


def main() -> None:
    """Run the command; a user's mistake ends with one clear message and exit code 1."""
    try:
        app()
    except OlistError as error:
        fail(error)
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        fail(from_os_error(error))
    except (KeyboardInterrupt, typer.Abort):
        err.print("interrupted; run the same command again to continue")
        sys.exit(130)


if __name__ == "__main__":
    main()
