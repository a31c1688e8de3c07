"""`olist ci`: what workflows do besides what a person does."""

import os
from pathlib import Path
from typing import Annotated

import typer

from olist_platform.cli.console import environment_named, err, out, require_place_of_file
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.infrastructure_plan.installed_tools import require_infrastructure_tools
from olist_platform.naming import EnvironmentName
from olist_platform.repository import repository_root

app = typer.Typer(help="What workflows do besides what a person does.", no_args_is_help=True)

_SUMMARY = "GITHUB_STEP_SUMMARY"
RepositoryOption = Annotated[
    str, typer.Option(help="Repository on GitHub, <owner>/<name>.", envvar="GITHUB_REPOSITORY")
]
EnvironmentArgument = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="dev or prod.")]
OutputOption = Annotated[Path, typer.Option(metavar="FILE", help="Where to write.")]


@app.command()
def cloud(
    env: EnvironmentArgument,
    role: Annotated[str, typer.Option(help="deploy or drift.")] = "deploy",
) -> None:
    """Print an environment's role, its seconds, region and account, and Pulumi's version.

    Example:  olist ci cloud dev --role deploy
    """
    from olist_platform.bootstrap.cloud_side import cloud_side  # noqa: PLC0415
    from olist_platform.cloud_settings import (  # noqa: PLC0415
        DEPLOY_ROLE_SECONDS,
        DRIFT_ROLE_SECONDS,
    )
    from olist_platform.continuous_integration.locked_version import locked_version  # noqa: PLC0415

    seconds = {"deploy": DEPLOY_ROLE_SECONDS, "drift": DRIFT_ROLE_SECONDS}
    if role not in seconds:
        raise OlistError(f"there is no role '{role}'", "use deploy or drift")
    side = cloud_side(environment_named(env))
    account = side.landing.aws_account_id
    typer.echo(f"role=arn:aws:iam::{account}:role/{side.names.aws(role)}")
    typer.echo(f"seconds={seconds[role]}")
    typer.echo(f"region={side.landing.region}")
    typer.echo(f"account={account}")
    typer.echo(f"pulumi={locked_version('pulumi')}")


@app.command()
def build(
    schema: Annotated[str, typer.Option(help="Prefix of the schemas to build into.")] = "pr_0",
) -> None:
    """Build on DuckDB what changed against production and what hangs on it; else everything.

    Production's state is data/ci, which `olist ci production-state` makes and a cache carries.

    Example:  olist ci build --schema pr_12
    """
    from olist_platform.continuous_integration.slim_build import (  # noqa: PLC0415
        build_change,
        production_state,
        reason_for_everything,
    )

    state = production_state()
    if reason := reason_for_everything(state):
        warning = f"everything is built: {reason}"
        err.print(f"[bold yellow]warning:[/] {warning}", soft_wrap=True)
        typer.echo(f"::warning title=Full build::{warning}")
    built = build_change(schema, state)
    what = "everything" if not built.is_slim else "what changed and what hangs on it"
    if built.nodes:
        out.print(f"[bold green]built[/] {what}: {built.nodes} nodes of dbt")
    else:
        out.print("[bold green]nothing to build[/]: no model, seed or test differs")


@app.command("production-state")
def save_state() -> None:
    """Build this checkout on generated orders, and keep it in data/ci as production's state.

    Run it in a checkout of the commit that runs in production.

    Example:  olist ci production-state
    """
    from olist_platform.continuous_integration.slim_build import (  # noqa: PLC0415
        production_state,
        save_production_state,
    )

    state = production_state()
    save_production_state(state)
    out.print(f"[bold green]kept[/] {state.folder}", soft_wrap=True)


@app.command()
def plan(
    against: Annotated[str, typer.Option(help="Commit to compare with.")],
    output: OutputOption,
) -> None:
    """Write the plans of every environment with a cloud side as one comment.

    It is the summary of a workflow's job too. Exit code 1 when a mandatory rule is violated.

    Example:  olist ci plan --against origin/main --output plan.md
    """
    require_place_of_file(output)
    require_infrastructure_tools()
    from olist_platform.cli.plan_output import refusal  # noqa: PLC0415
    from olist_platform.continuous_integration.plan_comment import plan_comment  # noqa: PLC0415
    from olist_platform.infrastructure_plan.plan import make_plan  # noqa: PLC0415

    environments = [environment_named(name) for name in EnvironmentName]
    plans = [make_plan(one, against) for one in environments if one.cloud is not None]
    comment = plan_comment(plans, against)
    with os_errors_explained(output):
        output.write_text(comment, encoding="utf-8")
        if summary := os.environ.get(_SUMMARY):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(comment)
    for made in plans:
        if made.mandatory_violations:
            raise refusal(made)


@app.command("comment")
def write_comment(
    body: Annotated[Path, typer.Argument(metavar="FILE", help="The comment, Markdown.")],
    pull_request: Annotated[int, typer.Option(help="Number of the pull request.")],
    repository: RepositoryOption,
) -> None:
    """Write the one comment of a pull request, or bring it up to date.

    A fork's token may not: then the job's summary, which has the same text, is all there is.

    Example:  olist ci comment plan.md --pull-request 12 --repository olist/olist-platform
    """
    from olist_platform.continuous_integration.github import GitHub  # noqa: PLC0415

    if not body.is_file():
        raise OlistError(f"{body}: there is no comment to write", "olist ci plan writes it")
    try:
        GitHub(repository).comment(pull_request, body)
    except OlistError as error:
        if "not accessible by integration" not in error.message:
            raise
        typer.echo(f"::notice title=Plan::{body} is in the summary: this token may not comment")


@app.command()
def promote(
    env: EnvironmentArgument,
    repository: RepositoryOption,
    digest: Annotated[str, typer.Option(help="Digest; empty for what is green.")] = "",
) -> None:
    """Promote, with the approvals that labels of the pull requests give.

    Example:  olist ci promote prod --repository olist/olist-platform
    """
    from olist_platform.cli.release import promote as promote_release  # noqa: PLC0415
    from olist_platform.continuous_integration.approvals import approving_labels  # noqa: PLC0415

    approvals = approving_labels(
        environment_named(env),
        digest or None,
        repository,
        lambda why: typer.echo(f"::warning title=Labels::{why}"),
    )
    for approval in approvals:
        out.print(f"approved by a label: {approval}", highlight=False)
    promote_release(env, digest or None, list(approvals))


@app.command()
def running(env: EnvironmentArgument) -> None:
    """Print the commit of the release that runs in an environment.

    Example:  olist ci running prod
    """
    from olist_platform.release.deployment_record import environment_record  # noqa: PLC0415

    current = environment_record(environment_named(env)).state().current
    if current is None:
        raise OlistError(f"nothing runs in {env}", "see olist release status")
    typer.echo(current.release.commit)


@app.command()
def notes(env: EnvironmentArgument, output: OutputOption) -> None:
    """Write the notes of the release that an environment got last.

    Example:  olist ci notes prod --output notes.md
    """
    from olist_platform.continuous_integration.release_notes import (  # noqa: PLC0415
        noted_release,
        release_notes,
    )
    from olist_platform.release.deployment_record import environment_record  # noqa: PLC0415
    from olist_platform.release.git_tree import commits_between, knows_commit  # noqa: PLC0415

    noted = noted_release(environment_record(environment_named(env)).state())
    if noted is None:
        raise OlistError(
            f"the last deployment to {env} brought nothing new", "see olist release status"
        )
    before = noted.before.commit if noted.before else None
    clone = repository_root()
    both = [one for one in (before, noted.release.commit) if one]
    commits = (
        commits_between(clone, before, noted.release.commit)
        if all(knows_commit(clone, one) for one in both)
        else None
    )
    with os_errors_explained(output):
        output.write_text(release_notes(noted, env, commits), encoding="utf-8")


@app.command("publish-notes")
def publish_notes(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The notes, Markdown.")],
    repository: RepositoryOption,
    commit: Annotated[str, typer.Option(help="Commit that is tagged.")],
) -> None:
    """Publish notes as a release of GitHub's, tagged by the commit.

    Example:  olist ci publish-notes notes.md --repository olist/olist-platform --commit 0123abc
    """
    from olist_platform.continuous_integration.github import GitHub  # noqa: PLC0415
    from olist_platform.release.bundle_manifest import short  # noqa: PLC0415

    tag = f"release-{short(commit)}"
    GitHub(repository).release(tag, commit, tag, path)


@app.command("drop-stale-schemas")
def drop_stale_schemas(env: EnvironmentArgument, repository: RepositoryOption) -> None:
    """Drop the schemas of closed pull requests and of releases that no rollback leads to.

    Example:  olist ci drop-stale-schemas dev --repository olist/olist-platform
    """
    from olist_platform.continuous_integration.github import GitHub  # noqa: PLC0415
    from olist_platform.continuous_integration.stale_schemas import stale_schemas  # noqa: PLC0415
    from olist_platform.continuous_integration.warehouse_schemas import (  # noqa: PLC0415
        drop_schemas,
        list_schemas,
    )
    from olist_platform.release.deploying_keys import take_deploying_keys  # noqa: PLC0415
    from olist_platform.release.deployment_record import environment_record  # noqa: PLC0415

    environment = environment_named(env)
    take_deploying_keys(environment)
    stale = stale_schemas(
        list_schemas(environment),
        GitHub(repository).open_pull_requests(),
        environment_record(environment).state(),
    )
    drop_schemas(environment, stale)
    for schema in stale:
        out.print(f"dropped {schema}", highlight=False)
    out.print(f"{len(stale)} schemas dropped", highlight=False)
