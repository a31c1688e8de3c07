"""`olist plan`: what an environment's infrastructure would be, without any cloud."""

from pathlib import Path
from typing import Annotated

import typer

from olist_platform.cli.console import environment_named, err, out, require_place_of_file
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.infrastructure_plan.installed_tools import require_infrastructure_tools


def plan(  # noqa: PLR0917 - Typer calls it by keyword
    env: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="dev or prod.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown for a pull request's comment.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="GIT-REF",
            help="Also list what would be created, changed, replaced and deleted since then.",
            show_default=False,
        ),
    ] = None,
    resources: Annotated[
        bool, typer.Option("--resources", help="List every resource, not their number by type.")
    ] = False,
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a picture (SVG) of the components.", show_default=False
        ),
    ] = None,
) -> None:
    """Show and judge what `pulumi up` would stand up; no credentials, no network, no Pulumi CLI.

    Exit code 1 when a mandatory rule of the policy pack is violated.

    Examples:  olist plan dev
      olist plan prod --against main --markdown
      olist plan dev --graph dev.svg
    """
    if as_json and as_markdown:
        raise OlistError("--json and --markdown exclude each other", "leave one of them out")
    if graph is not None:
        require_place_of_file(graph)
    require_infrastructure_tools()
    # Pulumi takes seconds to import, which `olist --help` need not wait for.
    from olist_platform.cli import plan_output  # noqa: PLC0415
    from olist_platform.infrastructure_plan.component_picture import (  # noqa: PLC0415
        component_picture,
    )
    from olist_platform.infrastructure_plan.component_tree import component_graph  # noqa: PLC0415
    from olist_platform.infrastructure_plan.plan import make_plan  # noqa: PLC0415

    made = make_plan(environment_named(env), against)
    if as_json:
        out.print_json(plan_output.as_json(made))
    elif as_markdown:
        typer.echo(plan_output.as_markdown(made), nl=False)
    else:
        plan_output.print_plan(made, every_resource=resources)
    if graph is not None:
        with os_errors_explained(graph):
            graph.write_text(
                component_picture(component_graph(made.program), f"Components of {env}"),
                encoding="utf-8",
            )
        err.print(f"picture: {graph}", soft_wrap=True, highlight=False)
    if made.mandatory_violations:
        raise plan_output.refusal(made)
