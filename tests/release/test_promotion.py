"""Every reason for which a release is not promoted, each by itself."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from olist_platform.errors import OlistError
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment_state import (
    Deployed,
    EnvironmentState,
    Event,
    Kind,
    Release,
    Result,
    Unfinished,
)
from olist_platform.release.deployment_steps import release_of
from olist_platform.release.promotion import (
    Approval,
    destructive_changes,
    green_release,
    refusals,
    require_none,
)
from release_bundles import small_bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def resource(logical_name: str, **inputs: Any) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:prod::olist::snowflake:index/table:Table::{logical_name}",
        "type": "snowflake:index/table:Table",
        "name": logical_name,
        "is_component": False,
        "inputs": inputs,
    }


def bundle(
    number: int,
    *,
    ceiling: float | None = 100.0,
    rules: tuple[str, ...] = (),
    resources: tuple[dict[str, Any], ...] = (),
    marts: dict[str, list[str]] | None = None,
) -> Bundle:
    plan = {
        "passes": not rules,
        "violations": [{"rule": one, "found": "it", "level": "mandatory"} for one in rules],
        "spend": {"total_usd": ceiling},
        "resources": resources,
    }
    nodes = {
        f"model.olist.{name}": {
            "alias": name,
            "resource_type": "model",
            "fqn": ["olist", "marts", name],
            "access": "public",
            "columns": {column: {} for column in columns},
        }
        for name, columns in (marts or {"mart_a": ["id", "gmv"]}).items()
    }
    return small_bundle(
        number,
        {
            "release/plans/prod.json": json.dumps(plan).encode(),
            "release/dbt/prod/manifest.json": json.dumps({"nodes": nodes}).encode(),
        },
    )


OLD = bundle(1)


def reasons(candidate: Bundle, *approvals: str) -> list[str]:
    return [refusal.reason for refusal in refusals(candidate, OLD, "prod", approvals)]


def test_what_changes_nothing_dangerous_is_not_refused() -> None:
    assert reasons(bundle(2)) == []
    assert reasons(bundle(2, ceiling=99.0, marts={"mart_a": ["id", "gmv", "new"]})) == []
    assert refusals(bundle(2, ceiling=9e9), None, "prod", ()) == ()


def test_an_older_release_is_refused() -> None:
    [reason] = reasons(bundle(0))
    assert reason.startswith("older than what runs")
    assert "2026-01-01 00:00 UTC" in reason
    assert "2026-01-02 00:00 UTC" in reason


def test_a_broken_policy_is_refused_on_the_first_release_too() -> None:
    expected = ["policy broken: s3-no-public-access: it"]
    assert reasons(bundle(2, rules=("s3-no-public-access",))) == expected
    first = refusals(bundle(2, rules=("s3-no-public-access",)), None, "prod", tuple(Approval))
    assert [refusal.reason for refusal in first] == expected


@pytest.mark.parametrize(("ceiling", "said"), [(100.01, "100.01 USD"), (None, "no ceiling")])
def test_a_higher_ceiling_needs_its_approval(ceiling: float | None, said: str) -> None:
    candidate = bundle(2, ceiling=ceiling)
    [reason] = reasons(candidate)
    assert reason.startswith("budget ceiling raised without approval: from 100.00 USD")
    assert said in reason
    assert reasons(candidate, Approval.DESTRUCTIVE) == [reason]
    assert reasons(candidate, Approval.BUDGET) == []


def test_what_goes_needs_its_approval() -> None:
    before = bundle(
        1,
        resources=(resource("raw-orders", name="ORDERS"), resource("raw-items", name="ITEMS")),
        marts={"mart_a": ["id", "gmv"], "mart_b": ["id"]},
    )
    after = bundle(2, resources=(resource("raw-items", name="ITEMS"),), marts={"mart_a": ["id"]})
    assert destructive_changes(after, before, "prod") == (
        "delete snowflake:index/table:Table raw-orders",
        "column mart_a.gmv is gone",
        "mart mart_b is gone",
    )
    assert destructive_changes(before, after, "prod") == ()
    [refusal] = refusals(after, before, "prod", [Approval.BUDGET])
    assert refusal.reason.startswith("destructive change without a label: delete snowflake")
    assert "after the one that stops using it" in refusal.mend
    assert refusals(after, before, "prod", [Approval.DESTRUCTIVE]) == ()


def test_a_raw_column_that_goes_needs_its_approval() -> None:
    """Its table stands and is protected; what the column held of every file ever landed is gone."""

    def table(*columns: str) -> dict[str, Any]:
        return resource("raw-orders", name="ORDERS", columns=[{"name": one} for one in columns])

    before = bundle(1, resources=(table("ORDER_ID", "STATUS"),))
    after = bundle(2, resources=(table("ORDER_ID", "ORDER_STATUS"),))
    assert destructive_changes(after, before, "prod") == (
        "drop column raw-orders.STATUS with its content",
    )
    longer = bundle(2, resources=(table("ORDER_ID", "STATUS", "NEW"),))
    assert destructive_changes(longer, before, "prod") == ()


def test_all_reasons_are_told_at_once() -> None:
    worst = bundle(0, ceiling=200.0, rules=("budget",), marts={"mart_a": ["id"]})
    found = refusals(worst, OLD, "prod", ())
    assert len(found) == 4
    with pytest.raises(OlistError) as error:
        require_none(found, "it", "prod")
    assert error.value.message.count("\n") == 4
    assert "olist release rollback prod" in error.value.mend


def event(release: Release, result: Result, number: int = 1) -> Event:
    return Event(
        id=number,
        kind=Kind.DEPLOY,
        result=result,
        release=release,
        runs=None,
        begun_at=NOW,
        ended_at=NOW,
        by="ana",
        approvals=(),
        steps={},
        reason="smoke tests fail" if result is Result.FAILED else "",
    )


def test_only_what_is_green_in_dev_is_taken() -> None:
    green, other = release_of(OLD), release_of(bundle(2))
    state = EnvironmentState(
        environment="dev", lineage=(Deployed(release=green, at=NOW, by="ana"),)
    )
    history = [event(green, Result.DEPLOYED)]
    assert green_release(state, history, None, "prod") == green.digest
    assert green_release(state, history, green.digest, "prod") == green.digest
    with pytest.raises(OlistError, match="was never in dev: prod takes only what was there"):
        green_release(state, history, other.digest, "prod")
    failed = [*history, event(other, Result.FAILED, 2)]
    with pytest.raises(OlistError, match="is not green in dev: smoke tests fail"):
        green_release(state, failed, other.digest, "prod")
    earlier = [event(other, Result.DEPLOYED), event(green, Result.DEPLOYED, 2)]
    with pytest.raises(OlistError, match="dev runs another digest"):
        green_release(state, earlier, other.digest, "prod")
    with pytest.raises(OlistError, match="nothing runs in dev"):
        green_release(EnvironmentState(environment="dev"), [], None, "prod")
    unfinished = Unfinished(
        id=2, kind=Kind.DEPLOY, release=other, begun_at=NOW, by="ana", lineage_before=state.lineage
    )
    for wanted in (None, green.digest, other.digest):
        with pytest.raises(OlistError, match=r"dev is not green: the deploy of .* is unfinished"):
            green_release(
                state.model_copy(update={"unfinished": unfinished}), history, wanted, "prod"
            )
