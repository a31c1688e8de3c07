"""How a plan is printed: for people, for tools and for a pull request."""

import json
from collections import Counter
from typing import Any

from pydantic import TypeAdapter
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from olist_platform.cli.console import out
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_json import without_secrets
from olist_platform.infrastructure_plan.captured_resources import CapturedResource
from olist_platform.infrastructure_plan.comparison import ChangeKind, Comparison
from olist_platform.infrastructure_plan.component_tree import (
    STACK,
    ComponentTree,
    component_tree,
    short_type,
)
from olist_platform.infrastructure_plan.plan import ONLY_THE_PROVIDER_CHECKS, Plan
from olist_platform.infrastructure_plan.policy_pack import EnforcementLevel
from olist_platform.infrastructure_plan.rendering import shown_value, template
from olist_platform.infrastructure_plan.spend import SpendCeiling

_VERBS = {
    ChangeKind.CREATE: ("created", "green"),
    ChangeKind.CHANGE: ("changed", "yellow"),
    ChangeKind.REPLACE: ("replaced", "magenta"),
    ChangeKind.DELETE: ("deleted", "red"),
}


def print_plan(plan: Plan, *, every_resource: bool) -> None:
    """Print a plan for people."""
    out.print(_resource_tree(plan, every_resource=every_resource))
    out.print()
    _print_policy(plan)
    _print_spend(plan.spend)
    if plan.comparison:
        _print_comparison(plan.comparison)
    out.print("[bold]Only the provider can check[/] (this plan ran without any cloud):")
    for sentence in ONLY_THE_PROVIDER_CHECKS:
        out.print(f"  - {sentence}", highlight=False, soft_wrap=True)


def refusal(plan: Plan) -> OlistError:
    """Return the error that ends a plan with mandatory violations: rule, resource and mend."""
    broken = plan.mandatory_violations
    lines = [
        f"{violation.rule}: {_located(plan, violation.urn)}: {violation.found}"
        for violation in broken
    ]
    mends = dict.fromkeys(f"{found.rule}: {plan.rule(found.rule).mend}" for found in broken)
    heading = f"the plan of '{plan.environment.name}' violates {len(broken)} mandatory"
    return OlistError(
        "\n  ".join([f"{heading} {_plural('rule', broken)}", *lines]), "\n  ".join(mends)
    )


def as_json(plan: Plan) -> str:
    """Return a plan as JSON; secrets are hidden."""
    program = without_secrets(plan.program)
    document: dict[str, Any] = {
        "environment": plan.environment.name,
        "resources": _plain(program.resources),
        "outputs": _plain(program.outputs),
        "rules": _plain(plan.rules),
        "violations": _plain(plan.violations),
        "passes": not plan.mandatory_violations,
        "spend": _plain(plan.spend) | {"total_usd": plan.spend.total_usd},
        "comparison": _plain(plan.comparison),
        "only_the_provider_checks": ONLY_THE_PROVIDER_CHECKS,
    }
    return json.dumps(document)


def as_markdown(plan: Plan) -> str:
    """Return a plan as Markdown for a comment."""
    tree = component_tree(plan.program)
    managed = [resource for resource in plan.program.resources if not resource.is_component]
    return template("plan.md.jinja").render(
        plan=plan,
        resource_count=len(managed),
        component_count=len(plan.program.resources) - len(managed),
        ceiling=ceiling_text(plan.spend),
        components=_components(tree),
        verbs=[(kind, verb) for kind, (verb, _) in _VERBS.items()],
        names=resource_name,
        only_the_provider_checks=ONLY_THE_PROVIDER_CHECKS,
    )


def resource_name(urn: str) -> str:
    """Return a URN as people say it: the short type and the logical name."""
    if not urn:
        return "the stack"
    _, qualified_type, name = urn.rsplit("::", 2)
    return f"{short_type(qualified_type.rsplit('$', 1)[-1])} {name}"


def _located(plan: Plan, urn: str) -> str:
    """Name a resource and where the program makes it."""
    place = plan.place(urn)
    return f"{resource_name(urn)} ({place})" if place else resource_name(urn)


def ceiling_text(spend: SpendCeiling) -> str:
    """Return the monthly ceiling in one clause."""
    if spend.total_usd is None:
        return f"none: no monitor stops {', '.join(spend.unlimited)}"
    return f"{spend.total_usd:,.2f} USD"


def _plain(value: object) -> Any:
    return TypeAdapter(Any).dump_python(value, mode="json")


def _plural(noun: str, counted: tuple[object, ...]) -> str:
    return noun if len(counted) == 1 else f"{noun}s"


def _components(tree: ComponentTree) -> list[tuple[str, list[tuple[str, int]]]]:
    """The tree's units, with what lies below each by type."""
    rows: list[tuple[str, list[tuple[str, int]]]] = []
    for child in tree.units():
        below = list(tree.below(child.urn)) if child.is_component else [child]
        types = Counter(short_type(resource.type) for resource in below)
        rows.append((child.name, sorted(types.items())))
    return rows


def _resource_tree(plan: Plan, *, every_resource: bool) -> Tree:
    tree = component_tree(plan.program)
    managed = sum(not resource.is_component for resource in plan.program.resources)
    root = Tree(f"[bold]{plan.environment.name}[/]: {managed} resources")
    _grow(root, STACK, tree, every_resource=every_resource)
    return root


def _grow(branch: Tree, parent: str, tree: ComponentTree, *, every_resource: bool) -> None:
    children = tree.children.get(parent, ())
    for child in children:
        if child.is_component:
            below = sum(1 for _ in tree.below(child.urn))
            label = f"[bold cyan]{child.name}[/] [dim]{child.type}, {below}[/]"
            _grow(branch.add(label), child.urn, tree, every_resource=every_resource)
    leaves = [child for child in children if not child.is_component]
    if every_resource:
        for leaf in leaves:
            branch.add(_leaf(leaf))
    else:
        for name, count in sorted(Counter(short_type(leaf.type) for leaf in leaves).items()):
            branch.add(f"{name} x {count}" if count > 1 else name)


def _leaf(resource: CapturedResource) -> str:
    protected = " [green]protected[/]" if resource.protect else ""
    return f"{short_type(resource.type)} [dim]{escape(resource.name)}[/]{protected}"


def _print_policy(plan: Plan) -> None:
    mandatory = plan.mandatory_violations
    advice = len(plan.violations) - len(mandatory)
    colour = "red" if mandatory else "green"
    out.print(
        f"[bold]Policy[/]: {len(plan.rules)} rules, "
        f"[{colour}]{len(mandatory)} mandatory {_plural('violation', mandatory)}[/], "
        f"{advice} of advice",
        highlight=False,
    )
    for violation in plan.violations:
        is_mandatory = violation.level is EnforcementLevel.MANDATORY
        colour = "red" if is_mandatory else "yellow"
        out.print(
            f"  [{colour}]{violation.rule}[/] {escape(_located(plan, violation.urn))}: "
            f"{escape(violation.found)}",
            highlight=False,
            soft_wrap=True,
        )
        out.print(
            f"    mend: {escape(plan.rule(violation.rule).mend)}", highlight=False, soft_wrap=True
        )


def _print_spend(spend: SpendCeiling) -> None:
    table = Table(
        "resource monitor", "stops", "credits a month", "cut off at", "USD", box=SIMPLE_HEAD
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for monitor in spend.monitors:
        table.add_row(
            monitor.name,
            "the account" if monitor.is_account else ", ".join(monitor.warehouses) or "nothing",
            f"{monitor.monthly_credits:,g}",
            f"{monitor.ceiling_credits:,g}",
            f"{monitor.ceiling_credits * spend.credit_price_usd:,.2f}",
        )
    out.print(
        f"[bold]Ceiling of monthly spend[/]: {ceiling_text(spend)} "
        f"(a credit at {spend.credit_price_usd:.2f} USD; AWS budget {spend.aws_budget_usd:,.2f})",
        highlight=False,
        soft_wrap=True,
    )
    out.print(table)


def _print_comparison(comparison: Comparison) -> None:
    counts = ", ".join(
        f"[{colour}]{len(comparison.of_kind(kind))} {verb}[/]"
        for kind, (verb, colour) in _VERBS.items()
    )
    out.print(
        f"[bold]Against {escape(comparison.reference)}[/]: {counts}, "
        f"{comparison.unchanged} unchanged",
        highlight=False,
    )
    for change in comparison.changes:
        colour = _VERBS[change.kind][1]
        refused = " [bold red]protected: Pulumi refuses[/]" if change.refused else ""
        out.print(
            f"  [{colour}]{change.kind:<7}[/] {escape(resource_name(change.urn))}{refused}",
            highlight=False,
            soft_wrap=True,
        )
        if change.dropped_columns:
            out.print(
                f"          [bold red]drops with its content:[/] "
                f"{escape(', '.join(change.dropped_columns))}",
                highlight=False,
                soft_wrap=True,
            )
        for found in change.properties:
            replaces = " [magenta](replaces)[/]" if found.replaces else ""
            out.print(
                f"          {escape(found.path)}: {escape(shown_value(found.before))} -> "
                f"{escape(shown_value(found.after))}{replaces}",
                highlight=False,
                soft_wrap=True,
            )
    out.print()
