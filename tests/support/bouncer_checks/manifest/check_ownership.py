"""Models, seeds and snapshots have an owner through their group; dbt-bouncer knows no groups."""

from typing import Any

from dbt_bouncer.check_framework.decorator import check, fail
from dbt_bouncer.context import BouncerContext


@check(code="OLIST001")
def check_model_has_owner(model: Any, ctx: BouncerContext) -> None:
    """A model belongs to a group, whose owner has a name and an e-mail address."""
    _require_owner(model, ctx)


@check(code="OLIST002")
def check_seed_has_owner(seed: Any, ctx: BouncerContext) -> None:
    """A seed belongs to a group, whose owner has a name and an e-mail address."""
    _require_owner(seed, ctx)


@check(code="OLIST003")
def check_snapshot_has_owner(snapshot: Any, ctx: BouncerContext) -> None:
    """A snapshot belongs to a group, whose owner has a name and an e-mail address."""
    _require_owner(snapshot, ctx)


def _require_owner(resource: Any, ctx: BouncerContext) -> None:
    if not resource.group:
        fail(f"`{resource.name}` belongs to no group; give its folder one in dbt_project.yml.")
    groups = (ctx.manifest_obj.manifest.groups or {}).values()
    owners = [group.owner for group in groups if group.name == resource.group]
    if not all(owner.name and owner.email for owner in owners):
        fail(f"the group `{resource.group}` of `{resource.name}` has no owner's name and e-mail.")
