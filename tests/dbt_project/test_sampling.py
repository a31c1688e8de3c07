"""A sample holds whole people: the same ones anywhere, with all of theirs, and rates that agree."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from compiled_project import workspace_with_reduced_dbt
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

SHARE = 0.3
SMALLER_SHARE = 0.1
STANDARD_ERRORS = 3.0
"""How far a sampled rate may be from the whole's; the sample is fixed, so no chance is left."""

RELATIONS = {
    "customers": "stg_customers",
    "orders": "stg_orders",
    "order_items": "stg_order_items",
    "payments": "stg_payments",
    "reviews": "stg_reviews",
}

# Each rate as the mean of a value over its observations, of which some share is sampled.
RATES = {
    "on-time rate": "select is_on_time::int as value from int_orders where is_delivered",
    "repeat share": "select (count(*) >= 2)::int as value from int_orders "
    "where is_valid group by customer_unique_id",
    "AOV": "select gmv::double as value from int_orders where is_valid and items > 0",
    "cancellation rate": "select (order_status = 'canceled')::int as value from int_orders",
    "review score": "select review_score as value from int_orders "
    "where is_valid and review_score is not null",
    "share of the Southeast": "select (customer_region = 'Southeast')::int as value "
    "from int_orders",
}


@dataclass(frozen=True)
class Warehouses:
    """The same raw rows, built whole and built for a sample of the people."""

    full: Workspace
    sample: Workspace


def sample_of(share: float) -> list[str]:
    return ["--vars", f"{{sample_share: {share}}}"]


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Warehouses:
    # The sample is built over a warehouse that was built whole, as a developer would.
    return Warehouses(copy_of_generated("full"), copy_of_generated("sample"))


@pytest.fixture(scope="module")
def warehouses(built: Warehouses) -> Warehouses:
    """All models of the sample, and every data test on it."""
    sample = built.sample
    sample.olist(
        "dbt", "--", "build", "--quiet", "--full-refresh", *sample_of(SHARE),
        "--exclude-resource-type", "unit_test",
    )  # fmt: skip
    return built


def in_sample(person: str, share: float) -> bool:
    """The rule, written again: the md5's first 32 bits, as a fraction of all, below the share."""
    digest = hashlib.md5(person.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def people(workspace: Workspace) -> set[str]:
    return {name for (name,) in workspace.rows("select customer_unique_id from stg_customers")}


def test_the_people_are_those_of_an_independent_hash(warehouses: Warehouses) -> None:
    everybody = people(warehouses.full)
    sampled = people(warehouses.sample)
    assert sampled == {person for person in everybody if in_sample(person, SHARE)}
    in_orders = warehouses.sample.rows("select distinct customer_unique_id from int_orders")
    assert {person for (person,) in in_orders} <= sampled
    expected = SHARE * len(everybody)
    assert abs(len(sampled) - expected) < STANDARD_ERRORS * math.sqrt(expected * (1 - SHARE))
    assert warehouses.sample.rows("select distinct sample_share::double from int_order_facts") == [
        (pytest.approx(SHARE),)
    ]


@pytest.mark.parametrize("relation", RELATIONS.values())
def test_everything_of_a_sampled_person_is_there_and_nothing_else(
    warehouses: Warehouses, relation: str
) -> None:
    """Row by row, against the whole warehouse and the people that raw says it is of."""
    orders_of = dict(
        warehouses.full.rows(
            "select order_id, customer_unique_id from raw.orders join raw.customers "
            "using (customer_id)"
        )
    )
    (columns,) = zip(
        *warehouses.full.rows(
            "select column_name from information_schema.columns "
            f"where table_name = '{relation}' order by ordinal_position"
        ),
        strict=True,
    )
    key = columns.index("customer_unique_id" if relation == "stg_customers" else "order_id")

    def person_of(row: tuple[Any, ...]) -> str:
        return str(row[key] if relation == "stg_customers" else orders_of[row[key]])

    everything = warehouses.full.rows(f"from {relation}")
    sampled = warehouses.sample.rows(f"from {relation}")
    expected = {row for row in everything if in_sample(person_of(row), SHARE)}
    assert 0 < len(expected) < len(everything)
    assert len(sampled) == len(expected)
    assert set(sampled) == expected


@pytest.mark.parametrize("relation", ["stg_products", "stg_sellers", "stg_geolocation"])
def test_products_sellers_and_places_stay_whole(warehouses: Warehouses, relation: str) -> None:
    rows = warehouses.full.rows(f"from {relation} order by all")
    assert rows
    assert warehouses.sample.rows(f"from {relation} order by all") == rows


@pytest.mark.parametrize("rate", RATES)
def test_a_sampled_rate_agrees_with_the_whole(warehouses: Warehouses, rate: str) -> None:
    def statistics(workspace: Workspace) -> tuple[int, float, float]:
        ((count, mean, deviation),) = workspace.rows(
            f"select count(*), avg(value), stddev_pop(value) from ({RATES[rate]}) as observed"
        )
        return count, mean, deviation

    whole, expected, deviation = statistics(warehouses.full)
    observations, sampled, _ = statistics(warehouses.sample)
    assert observations < whole
    # Without replacement, so the error vanishes as the share nears 1. That orders come by people
    # hardly widens it: few people have several.
    error = deviation * math.sqrt((1 - observations / whole) / observations)
    assert error > 0
    assert abs(sampled - expected) < STANDARD_ERRORS * error, (rate, sampled, expected, error)


@pytest.fixture(scope="module")
def few_models(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_with_reduced_dbt(tmp_path_factory.mktemp("few_models"))


@pytest.mark.parametrize("share", ["0", "1.5", "abc", "-0.1", "0.0000001", ".nan"])
def test_a_share_that_is_none_is_refused_by_name(few_models: Workspace, share: str) -> None:
    printed = few_models.olist(
        "dbt", "--", "compile", "--select", "stg_customers", "--vars", f"{{sample_share: {share}}}",
        expect=2,
    )  # fmt: skip
    assert "var sample_share must be a number above 0 and at most 1, not '" in printed


def test_a_sample_ends_nobodys_history(warehouses: Warehouses) -> None:
    """Who is not in the sample is not gone: history cannot be built again."""
    windows = (
        "select customer_unique_id, dbt_valid_from, dbt_valid_to from snapshots.snapshot_customers "
        "order by all"
    )
    before = warehouses.full.rows(windows)
    assert len(before) == len(people(warehouses.full))
    assert all(valid_to is None for _, _, valid_to in before)
    assert warehouses.sample.rows(windows) == before


def test_a_history_of_the_sample_alone_ends_with_who_is_gone(warehouses: Warehouses) -> None:
    """Where everybody in the history is sampled, who is missing has gone."""
    [sampled, *_] = sorted(people(warehouses.sample))
    gone = next(name for name in map(str, range(1000)) if in_sample(name, SHARE))
    sample = warehouses.sample
    with sample.restored():
        sample.change(
            "delete from snapshots.snapshot_customers where customer_unique_id not in "
            "(select customer_unique_id from stg_customers)",
            f"insert into snapshots.snapshot_customers select * replace ('{gone}' as "
            "customer_unique_id, dbt_scd_id || 'x' as dbt_scd_id) from "
            f"snapshots.snapshot_customers where customer_unique_id = '{sampled}'",
        )
        sample.olist(
            "dbt", "--", "snapshot", "--quiet", "--select", "snapshot_customers",
            *sample_of(SHARE),
        )  # fmt: skip
        ended = sample.rows(
            "select customer_unique_id from snapshots.snapshot_customers "
            "where dbt_valid_to is not null"
        )
    assert ended == [(gone,)]


def test_another_share_is_refused_before_anything_changes(warehouses: Warehouses) -> None:
    sample = warehouses.sample
    before = contents(sample)
    # The same share goes on, and adds nothing; what is not incremental is made anew of the same.
    sample.olist(
        "dbt", "--", "run", "--quiet", "--select", "config.materialized:incremental",
        *sample_of(SHARE),
    )  # fmt: skip
    assert contents(sample) == before
    # The smaller one last: with equal variables the next test's dbt does not parse again.
    for share in (1, SMALLER_SHARE):
        printed = sample.olist("dbt", "--", "build", *sample_of(share), expect=2)
        assert "int_order_facts holds a sample of 0.300000 of the people" in printed
        assert f"this run wants {float(share)} (var sample_share)" in printed
        assert "--full-refresh" in printed
        assert contents(sample) == before


def contents(workspace: Workspace) -> dict[str, Any]:
    """What the views say and what the tables hold, told by their definitions and sums of hashes."""
    definitions = workspace.rows("select view_name, sql from duckdb_views() order by all")
    tables = [
        f"{schema}.{table}"
        for schema, table in workspace.rows(
            "select schema_name, table_name from duckdb_tables() "
            "where schema_name in ('staging', 'intermediate', 'marts') order by all"
        )
    ]
    hashes = {
        name: workspace.rows(f"select count(*), sum(hash(t)::hugeint) from {name} as t")
        for name in tables
    }
    return {"views": definitions, "tables": hashes}


def test_a_smaller_share_is_a_subset(warehouses: Warehouses) -> None:
    """Last, because it leaves the staging views of the smaller share behind."""
    larger = people(warehouses.sample)
    warehouses.sample.olist(
        "dbt", "--", "run", "--quiet", "--full-refresh", "--select", "stg_customers",
        *sample_of(SMALLER_SHARE),
    )  # fmt: skip
    smaller = people(warehouses.sample)
    assert smaller < larger
    assert smaller == {person for person in larger if in_sample(person, SMALLER_SHARE)}
