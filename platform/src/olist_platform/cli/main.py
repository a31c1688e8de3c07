"""The `olist` command."""

import os
import sys

import typer

from olist_platform.cli import (
    alerts,
    ci,
    dag,
    dashboards,
    deployment,
    docs,
    env,
    keys,
    models,
    release,
)
from olist_platform.cli.airflow import airflow
from olist_platform.cli.bench import bench
from olist_platform.cli.bootstrap import bootstrap
from olist_platform.cli.console import err, fail
from olist_platform.cli.cost import cost
from olist_platform.cli.dbt import dbt
from olist_platform.cli.demo import demo
from olist_platform.cli.diagrams import diagrams
from olist_platform.cli.generate import generate
from olist_platform.cli.land import land
from olist_platform.cli.lineage import lineage
from olist_platform.cli.load import load
from olist_platform.cli.monitor import monitor
from olist_platform.cli.plan import plan
from olist_platform.cli.policies import policies
from olist_platform.cli.publish import publish
from olist_platform.cli.query import query
from olist_platform.cli.services import down, up
from olist_platform.cli.status import status
from olist_platform.errors import OlistError, from_os_error

app = typer.Typer(
    name="olist",
    help="Operate the Olist analytics platform.",
    epilog="Start with:  make demo   then   olist query 'select * from mart_executive_kpis'",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(env.app, name="env")
app.add_typer(docs.app, name="docs")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(alerts.app, name="alerts")
app.add_typer(dag.app, name="dag")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(deployment.app, name="deployment")
app.add_typer(release.app, name="release")
app.add_typer(ci.app, name="ci")
app.command()(bench)
app.command()(demo)
app.command()(generate)
app.command()(land)
app.command()(load)
app.command(context_settings={"ignore_unknown_options": True})(dbt)
app.command(context_settings={"ignore_unknown_options": True})(airflow)
app.command()(up)
app.command()(down)
app.command()(publish)
app.command()(query)
app.command()(lineage)
app.command()(status)
app.command()(monitor)
app.command()(cost)
app.command()(plan)
app.command()(policies)
app.command()(bootstrap)
app.command()(diagrams)


def main() -> None:
    """Run the command; a user's mistake ends with one clear message and exit code 1."""
    try:
        app()
    except OlistError as error:
        fail(error)
    except OSError as error:
        fail(from_os_error(error))
    except SystemExit as ending:
        # Typer makes both of these an exit of its own, without a word and with 1 for the first.
        if _came_of(ending, BrokenPipeError):
            # The reader (head, less) has gone; Python would complain again while it flushes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        if _came_of(ending, KeyboardInterrupt):
            err.print("interrupted; run the same command again to continue")
        raise


def _came_of(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error was raised because of one of that kind, or while it was dealt with."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found is not None


if __name__ == "__main__":
    main()
