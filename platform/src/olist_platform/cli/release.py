"""`olist release`: one commit as one bundle, and its way through the environments."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from olist_platform.cli.console import environment_named, err, out
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.infrastructure_plan.installed_tools import require_infrastructure_tools
from olist_platform.repository import repository_root

if TYPE_CHECKING:
    from olist_platform.release.deployer import Deployer
    from olist_platform.release.deployment_state import Event

app = typer.Typer(
    help="Build a release, and take it to an environment and back.", no_args_is_help=True
)

# Where a built bundle lies until a deployment puts it into an artifact store.
_BUILT = Path("data") / "releases"
BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's file.")]


@app.command()
def build(
    reference: Annotated[
        str, typer.Argument(metavar="COMMIT", help="A commit, branch or tag.")
    ] = "HEAD",
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to; data/releases/ unless told.", show_default=False
        ),
    ] = None,
) -> None:
    """Build the bundle of a commit: the same commit, the same bytes, on any machine.

    Changes that are not committed are no part of it. Prints the digest.

    Examples:  olist release build
      olist release build v1.4.0 --output release.tar
    """
    require_infrastructure_tools()
    from olist_platform.release.bundle_build import CONTENT, build_bundle  # noqa: PLC0415
    from olist_platform.release.git_tree import uncommitted_changes  # noqa: PLC0415

    if output is not None and output.is_dir():
        raise OlistError(f"{output}: it is a folder, not a file", "name the file: --output <file>")
    root = repository_root()
    if changed := uncommitted_changes(root, CONTENT):
        err.print(
            f"not in the bundle, because not committed: {', '.join(changed[:5])}"
            + (f" and {len(changed) - 5} more" if len(changed) > 5 else ""),  # noqa: PLR2004
            soft_wrap=True,
            highlight=False,
        )
    with err.status("parsing dbt and planning for every environment"):
        bundle = build_bundle(reference, root)
    path = output or root / _BUILT / bundle.file_name
    with os_errors_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        partial.write_bytes(bundle.archive)
        partial.replace(path)
    err.print(
        f"[bold green]built[/] {bundle.manifest.short_commit} {bundle.manifest.subject}: {path}",
        soft_wrap=True,
        highlight=False,
    )
    typer.echo(bundle.digest)


@app.command()
def show(
    path: BundleArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Print what a bundle is of and what it holds.

    Example:  olist release show data/releases/olist-release-0123456789ab.tar
    """
    from olist_platform.release.bundle import read_bundle  # noqa: PLC0415

    bundle = read_bundle(path)
    manifest = bundle.manifest
    if as_json:
        document = {"digest": bundle.digest} | manifest.model_dump(mode="json")
        typer.echo(json.dumps(document))
        return
    facts = Table.grid(padding=(0, 2))
    facts.add_row("digest", bundle.digest)
    facts.add_row("commit", manifest.commit)
    facts.add_row("", manifest.subject)
    facts.add_row("committed", f"{manifest.committed_at:%Y-%m-%d %H:%M:%S} UTC")
    facts.add_row("dbt manifests", ", ".join(manifest.environments))
    for name in manifest.environments:
        if plan := bundle.plan(name):
            total = plan["spend"]["total_usd"]
            facts.add_row(
                f"plan of {name}",
                f"{len(plan['resources'])} resources, "
                f"{'no rule broken' if plan['passes'] else 'breaks rules'}, ceiling "
                + ("none" if total is None else f"{total:,.2f} USD a month"),
            )
    out.print(facts, soft_wrap=True, highlight=False)
    table = Table("part", "files", "bytes", box=SIMPLE_HEAD, pad_edge=False)
    parts: dict[str, list[int]] = {}
    for name, file in manifest.files.items():
        parts.setdefault(name.split("/")[0], []).append(file.size)
    for part, sizes in parts.items():
        table.add_row(part, f"{len(sizes):,}", f"{sum(sizes):,}")
    out.print(table)


@app.command()
def verify(
    path: BundleArgument,
    digest: Annotated[
        str | None,
        typer.Option(
            help="What its digest has to be, from `olist release build`.", show_default=False
        ),
    ] = None,
) -> None:
    """Check every byte of a bundle; names each file that is changed, missing or added.

    Without --digest it is held against its own manifest, which somebody may have rewritten with it.

    Example:  olist release verify release.tar --digest 0123...
    """
    from olist_platform.release.bundle import read_bundle  # noqa: PLC0415

    bundle = read_bundle(path, digest)
    out.print(
        f"[bold green]whole[/] {len(bundle.manifest.files):,} files of commit "
        f"{bundle.manifest.short_commit}, digest {bundle.digest}",
        soft_wrap=True,
        highlight=False,
    )


DigestOption = Annotated[
    str | None,
    typer.Option(help="Digest of a release, from `olist release build`.", show_default=False),
]
EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", help="local, dev or prod.")
]


@app.command()
def deploy(
    env: EnvironmentArgument,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="BUNDLE", help="A bundle's file.", show_default=False),
    ] = None,
    digest: DigestOption = None,
) -> None:
    """Bring a release to an environment that takes it straight from the build, such as dev.

    Interrupted, the same command goes on where it stopped. Where a step fails, everything is put
    back, and readers keep what they had. With --digest alone the artifact store gives the bundle.

    Examples:  olist release deploy dev data/releases/olist-release-0123456789ab.tar
      olist release deploy dev --digest 0123...
    """
    from olist_platform.release.bundle import read_bundle  # noqa: PLC0415

    deployer = _deployer(env, acts=True)
    unfinished = deployer.record.state().unfinished
    if path is not None:
        bundle = read_bundle(path, digest)
    elif digest is not None:
        bundle = deployer.bundle(digest)
    elif unfinished is not None:
        bundle = deployer.bundle(unfinished.release.digest)
    else:
        raise OlistError(
            "no release is named", "name a bundle's file, or a digest of the artifact store"
        )
    _say_how_it_ended(deployer.deploy(bundle), env)


@app.command()
def promote(
    env: EnvironmentArgument,
    digest: DigestOption = None,
    approve: Annotated[
        list[str] | None,
        typer.Option(help="approved-budget or approved-destructive.", show_default=False),
    ] = None,
) -> None:
    """Bring here what is green in the environment that it is promoted from, byte for byte.

    Refuses, with every reason, what is not green there, has another digest, is older than what
    runs, breaks a policy, or raises the budget's ceiling or destroys something without approval.

    Examples:  olist release promote prod
      olist release promote prod --digest 0123... --approve approved-budget
    """
    from olist_platform.release.promotion import Approval  # noqa: PLC0415

    unknown = sorted(set(approve or ()) - set(Approval))
    if unknown:
        raise OlistError(
            f"there is no approval '{unknown[0]}'", f"use one of: {', '.join(Approval)}"
        )
    _say_how_it_ended(
        _deployer(env, acts=True).promote(digest, tuple(sorted(set(approve or ())))), env
    )


@app.command()
def rollback(env: EnvironmentArgument) -> None:
    """Put back the release that ran before, or take back an unfinished deployment.

    Says what it cannot undo.

    Example:  olist release rollback prod
    """
    from olist_platform.release.deployer import NOT_UNDONE  # noqa: PLC0415

    event = _deployer(env, acts=True).roll_back()
    _say_how_it_ended(event, env)
    out.print("[bold]what this cannot undo[/]")
    for sentence in NOT_UNDONE:
        out.print(f"  - {sentence}", soft_wrap=True, highlight=False)


@app.command()
def status(
    envs: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENVIRONMENT", help="dev, prod unless told.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Show what runs where, what is under way and what happened last, on one screen.

    Examples:  olist release status
      olist release status dev
    """
    from olist_platform.cli import release_output  # noqa: PLC0415
    from olist_platform.release.deployment_record import environment_record  # noqa: PLC0415

    statuses = {}
    for name in envs or ("dev", "prod"):
        record = environment_record(environment_named(name))
        statuses[name] = (record.state(), record.history())
    if as_json:
        typer.echo(release_output.as_json(statuses))
    else:
        release_output.print_status(statuses)


@app.command()
def drift(env: EnvironmentArgument) -> None:
    """Look whether anything stands otherwise than the release that runs describes it.

    Exit code 1 when something does. Changes nothing.

    Example:  olist release drift prod
    """
    from olist_platform.release.deploying_keys import take_deploying_keys  # noqa: PLC0415

    take_deploying_keys(environment_named(env), transforms=False)
    drifted = _deployer(env).drift()
    if drifted:
        raise OlistError(
            f"{env} has drifted: {drifted}",
            "see what: pulumi -C infra preview --refresh --diff; a deployment puts it right",
        )
    out.print(f"[bold green]no drift[/]: {env} stands as its release describes it")


def _deployer(env: str, *, acts: bool = False) -> "Deployer":
    from olist_platform.cli.release_output import print_step  # noqa: PLC0415
    from olist_platform.release.deployer import Deployer  # noqa: PLC0415

    environment = environment_named(env)
    if acts:
        from olist_platform.release.deploying_keys import take_deploying_keys  # noqa: PLC0415

        take_deploying_keys(environment)
    return Deployer(environment, print_step)


def _say_how_it_ended(event: "Event", env: str) -> None:
    from olist_platform.release.bundle_manifest import short  # noqa: PLC0415

    runs = f"{event.runs}" if event.runs else "nothing"
    out.print(
        f"\n[bold green]{event.result}[/]: {env} runs {runs}", highlight=False, soft_wrap=True
    )
    # On one machine Airflow runs with the release's own library; elsewhere with its image's.
    if event.runs and environment_named(env).cloud is not None:
        out.print(
            f"Airflow's image has to be of commit {short(event.runs.commit)} too, or its next run"
            " fails at check_environment: see platform/docs/operations/running-airflow.md",
            highlight=False,
            soft_wrap=True,
        )
