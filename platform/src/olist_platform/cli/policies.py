"""`olist policies`: the rules that every environment's infrastructure obeys."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from olist_platform.cli.console import out
from olist_platform.infrastructure_plan.installed_tools import require_infrastructure_tools


def policies(
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the page of platform/docs/policies.md.")
    ] = False,
) -> None:
    """List the rules of the policy pack: why each is there and what to do when one is violated.

    Examples:  olist policies
      olist policies --markdown > platform/docs/policies.md
    """
    require_infrastructure_tools()
    # gRPC takes a while to import, which `olist --help` need not wait for.
    from olist_platform.infrastructure_plan.policy_pack import running_policy_pack  # noqa: PLC0415
    from olist_platform.infrastructure_plan.rendering import template  # noqa: PLC0415

    with running_policy_pack() as pack:
        rules = pack.rules
    if as_markdown:
        typer.echo(template("policies.md.jinja").render(rules=rules), nl=False)
        return
    table = Table("rule", "why", "mend", box=SIMPLE_HEAD, pad_edge=False)
    for rule in rules:
        table.add_row(f"[bold]{rule.id}[/]\n[dim]{rule.level}[/]", rule.reason, rule.mend)
    out.print(table)
