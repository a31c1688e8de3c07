"""`olist release`: one commit as one bundle, and its way through the environments."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from olist_platform.cli.console import err, out
from olist_platform.errors import os_errors_explained
from olist_platform.repository import repository_root

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
    from olist_platform.release.bundle_build import CONTENT, build_bundle  # noqa: PLC0415
    from olist_platform.release.git_tree import uncommitted_changes  # noqa: PLC0415

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
