"""Snapshots over several days: exact windows, disappearance and return, late files, faults."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pytest

from olist_platform.landing.layout import landing_path
from olist_platform.source_catalog import dataset_named
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

SNAPSHOTS = {
    "snapshot_customers": ("customer_unique_id", "int_people"),
    "snapshot_sellers": ("seller_id", "int_sellers"),
    "snapshot_products": ("product_id", "int_products"),
}
# What `olist generate` lands as one backfill, and the day before; what follows is written here.
BACKFILL, EARLIER = "2018-09-29", "2018-09-28"
# Midnight in Sao Paulo, before the daylight saving of 2018 begins, is 03:00 UTC.
MIDNIGHT = "03:00:00"


def snapshot_rows(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        connection.execute("set search_path = 'snapshots,intermediate,staging,raw'")
        return connection.execute(sql).fetchall()


def build(workspace: Workspace, *, tested: bool = True) -> None:
    workspace.olist("load")
    left_out = ("unit_test",) if tested else ("unit_test", "test")
    workspace.olist(
        "dbt", "--", "build", "--quiet", "--exclude-resource-type", *left_out,
        "--indirect-selection", "cautious", "--select", *(f"+{name}" for name in SNAPSHOTS),
    )  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """A warehouse that nightly extracts are landed in, and the records they are about."""

    workspace: Workspace
    mover: str
    corrected: str
    vanishing: str
    late: str
    product: str
    person: str
    person_gone: str

    def land(
        self, dataset: str, day: str, *records: Sequence[str | None], version: int = 1
    ) -> None:
        """Put a file into the landing, as a nightly extract does."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(dataset_named(dataset).header)
        writer.writerows(records)
        name = landing_path(dataset_named(dataset), date.fromisoformat(day), version)
        path = self.workspace.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.getvalue().encode()))

    def build(self, *, tested: bool = False) -> None:
        build(self.workspace, tested=tested)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return snapshot_rows(self.workspace, sql)

    def raw(self, dataset: str, key: str, value: str) -> list[str | None]:
        header = ", ".join(dataset_named(dataset).header)
        [row] = self.rows(f"select {header} from raw.{dataset} where {key} = '{value}'")
        return list(row)

    def windows(self, snapshot: str, value: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return the versions of one record: its columns, then from and to, as text."""
        key, _ = SNAPSHOTS[snapshot]
        return self.rows(
            f"select {', '.join(columns)}, dbt_valid_from::varchar, dbt_valid_to::varchar "
            f"from snapshots.{snapshot} where {key} = '{value}' order by dbt_valid_from"
        )

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.rows(f"from snapshots.{name} order by all") for name in SNAPSHOTS}


@pytest.fixture(scope="module")
def walk(copy_of_generated: Callable[[str], Workspace]) -> Walk:
    """The backfill, three nights, a second extract of one of them, and a file that comes late."""
    workspace = copy_of_generated("snapshots")
    mover, corrected, vanishing, late = [
        seller
        for (seller,) in snapshot_rows(
            workspace,
            "select seller_id from raw.sellers where seller_state = 'SP' order by 1 limit 4",
        )
    ]
    [(product,)] = snapshot_rows(
        workspace,
        "select product_id from raw.products where product_category_name = 'beleza_saude' "
        "order by 1 limit 1",
    )
    person, person_gone = [
        person
        for (person,) in snapshot_rows(
            workspace,
            "select customer_unique_id from raw.customers group by 1 "
            "having count(*) = 1 and min(customer_state) = 'SP' order by 1 limit 2",
        )
    ]
    walk = Walk(workspace, mover, corrected, vanishing, late, product, person, person_gone)

    def moved(seller: str, city: str, state: str) -> list[str | None]:
        return [seller, "20010", city, state]

    # A seller moves, a product is described anew, a person orders from another state.
    walk.land("sellers", "2018-10-09", moved(walk.mover, "Niterói", "RJ"))
    described = walk.raw("products", "product_id", walk.product)
    described[1], described[5] = "bebes", "123456"
    walk.land("products", "2018-10-09", described)
    order = ["o-new", "c-new", "created", "2018-10-09 10:00:00", "", "", "", "2018-11-08 00:00:00"]
    walk.land("orders", "2018-10-09", order)
    walk.land("customers", "2018-10-09", ["c-new", walk.person, "40010", "Salvador", "BA"])
    walk.build()

    # The newest version of a seller and that of a person break: staging refuses them.
    broken = walk.raw("customers", "customer_unique_id", walk.person_gone)
    sound = list(broken)
    broken[-1] = ""
    walk.land("customers", "2018-10-10", broken)
    walk.land(
        "sellers", "2018-10-10",
        [walk.vanishing, "01001", "sao paulo", ""],
        moved(walk.corrected, "Santos", "SP"),
    )  # fmt: skip
    walk.build()
    # The same day is extracted again, corrected.
    walk.land("sellers", "2018-10-10", moved(walk.corrected, "Campinas", "SP"), version=2)
    walk.build()

    # Both come back, the seller from another city.
    walk.land("customers", "2018-10-11", sound)
    walk.land("sellers", "2018-10-11", moved(walk.vanishing, "Osasco", "SP"))
    walk.build()

    # Two files of the past come late: one brings news, one is older than what is known.
    walk.land("sellers", "2018-10-09", moved(walk.late, "Bauru", "SP"), version=2)
    walk.land("sellers", BACKFILL, moved(walk.mover, "Macaé", "RJ"), version=2)
    walk.land("products", EARLIER, [*described[:5], "777", *described[6:]])
    walk.build(tested=True)
    return walk


def test_each_window_is_exact(walk: Walk) -> None:
    backfill, first = f"{BACKFILL} {MIDNIGHT}", f"2018-10-09 {MIDNIGHT}"
    [before, after] = walk.windows("snapshot_sellers", walk.mover, "city", "state")
    assert before[1:] == ("SP", backfill, first)
    assert after == ("niteroi", "RJ", first, None)

    [before, after] = walk.windows("snapshot_products", walk.product, "category", "weight_g")
    assert (before[0], before[2:]) == ("health_beauty", (backfill, first))
    assert after == ("baby", 123456, first, None)

    [before, after] = walk.windows("snapshot_customers", walk.person, "state", "region")
    assert before == ("SP", "Southeast", backfill, first)
    assert after == ("BA", "Northeast", first, None)


def test_what_is_gone_has_no_version_until_it_is_back(walk: Walk) -> None:
    [before, after] = walk.windows("snapshot_sellers", walk.vanishing, "city")
    assert before[1:] == (f"{BACKFILL} {MIDNIGHT}", f"2018-10-10 {MIDNIGHT}")
    assert after == ("osasco", f"2018-10-11 {MIDNIGHT}", None)
    # The person comes back as before; it is a version of its own all the same.
    [before, after] = walk.windows("snapshot_customers", walk.person_gone, "city", "state")
    assert before[:2] == after[:2]
    assert before[2:] == (f"{BACKFILL} {MIDNIGHT}", f"2018-10-10 {MIDNIGHT}")
    assert after[2:] == (f"2018-10-11 {MIDNIGHT}", None)


def test_a_second_extract_of_a_day_follows_the_first(walk: Walk) -> None:
    versions = walk.windows("snapshot_sellers", walk.corrected, "city")
    assert versions[1:] == [
        ("santos", f"2018-10-10 {MIDNIGHT}", "2018-10-10 03:00:01"),
        ("campinas", "2018-10-10 03:00:01", None),
    ]
    assert versions[0][2] == f"2018-10-10 {MIDNIGHT}"


def test_a_late_file_is_recorded_at_the_end_of_history(walk: Walk) -> None:
    versions = walk.windows("snapshot_sellers", walk.late, "city", "extracted_at::varchar")
    assert versions[1] == ("bauru", f"2018-10-09 {MIDNIGHT}", "2018-10-11 03:00:01", None)
    assert versions[0][2:] == (f"{BACKFILL} {MIDNIGHT}", "2018-10-11 03:00:01")
    assert len(versions) == 2


def test_windows_have_no_gap_but_absence_and_never_overlap(walk: Walk) -> None:
    absent = {walk.vanishing, walk.person_gone}
    for snapshot, (key, living) in SNAPSHOTS.items():
        rows = walk.rows(
            f"select {key}, dbt_valid_from, dbt_valid_to, lead(dbt_valid_from) over "
            f"(partition by {key} order by dbt_valid_from) from snapshots.{snapshot}"
        )
        assert len(rows) > 200
        for value, valid_from, valid_to, following in rows:
            assert valid_to is None or valid_from < valid_to
            if following is not None:
                assert valid_to is not None
                assert valid_to < following if value in absent else valid_to == following
        current = [value for value, _, valid_to, _ in rows if valid_to is None]
        assert len(current) == len(set(current))
        assert {(value,) for value in current} == set(walk.rows(f"select {key} from {living}"))
        [(versions, distinct)] = walk.rows(
            f"select count(*), count(distinct dbt_scd_id) from snapshots.{snapshot}"
        )
        assert versions == distinct


POINT_IN_TIME = """
with moments as (
    select 1 as n, timestamp 'BACKFILL 02:59:59' as moment
    union all select 2, timestamp 'BACKFILL 03:00:00'
    union all select 3, timestamp '2018-10-09 02:59:59'
    union all select 4, timestamp '2018-10-09 03:00:00'
    union all select 5, timestamp '2018-10-10 12:00:00'
    union all select 6, timestamp '2020-01-01 00:00:00'
)
select n, mover.state, vanishing.city
from moments
left join {{ ref('snapshot_sellers') }} as mover
    on mover.seller_id = 'MOVER' and {{ valid_at('mover', 'moment') }}
left join {{ ref('snapshot_sellers') }} as vanishing
    on vanishing.seller_id = 'VANISHING' and {{ valid_at('vanishing', 'moment') }}
order by n
"""

PLACE_AT_PURCHASE = """
select orders.order_id, places.state
from {{ ref('stg_orders') }} as orders
inner join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
inner join {{ ref('snapshot_customers') }} as places
    on customers.customer_unique_id = places.customer_unique_id
    and {{ valid_at('places', 'orders.purchased_at') }}
"""


def ask(walk: Walk, template: str) -> list[tuple[Any, ...]]:
    """Answer a query that is written with dbt's macros."""
    sql = walk.workspace.olist("dbt", "--", "compile", "--quiet", "--inline", template)
    return walk.rows(sql)


def test_a_point_in_time_join_finds_the_version_of_the_moment(walk: Walk) -> None:
    template = POINT_IN_TIME.replace("BACKFILL", BACKFILL)
    template = template.replace("MOVER", walk.mover).replace("VANISHING", walk.vanishing)
    [(city, *_), *_] = walk.windows("snapshot_sellers", walk.vanishing, "city")
    assert ask(walk, template) == [
        (1, None, None),
        (2, "SP", city),
        (3, "SP", city),
        (4, "RJ", city),
        (5, "RJ", None),
        (6, "RJ", "osasco"),
    ]
    # The order of the day on which the person had moved is one of the new state.
    assert ask(walk, PLACE_AT_PURCHASE) == [("o-new", "BA")]


def test_the_same_day_twice_adds_nothing(walk: Walk) -> None:
    before = walk.everything()
    walk.build()
    assert walk.everything() == before


OVERLAP = "validity_windows_do_not_overlap_snapshot_"
ONE_CURRENT = "one_current_row_snapshot_"
FAULTS = [
    (
        {
            # A successor that begins within the window before it.
            "snapshot_sellers": "update {} set dbt_valid_from = dbt_valid_from - interval 1 hour "
            "where city = 'niteroi'",
            # A living product without a current version.
            "snapshot_products": "delete from {} where weight_g = 123456",
            # Two current versions.
            "snapshot_customers": "insert into {} select * replace (dbt_valid_from + interval 1 "
            "day as dbt_valid_from, dbt_scd_id || 'x' as dbt_scd_id) from {} where state = 'BA' "
            "and dbt_valid_to is null limit 1",
        },
        {f"{OVERLAP}sellers", f"{ONE_CURRENT}products", f"{ONE_CURRENT}customers",
         f"{OVERLAP}customers"},
    ),
    (
        {
            # A window that ends as it begins.
            "snapshot_sellers": "update {} set dbt_valid_to = dbt_valid_from "
            "where dbt_valid_to = '2018-10-10 03:00:01'",
            # A current version of something that is not there.
            "snapshot_products": "insert into {} select * replace ('nobody' as product_id, "
            "'x' as dbt_scd_id) from {} limit 1",
        },
        {f"{OVERLAP}sellers", f"{ONE_CURRENT}products"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "expected"), FAULTS)
def test_faults_in_a_history_turn_its_tests_red(
    walk: Walk, faults: dict[str, str], expected: set[str]
) -> None:
    workspace = walk.workspace
    before = workspace.warehouse.read_bytes()
    try:
        with duckdb.connect(str(workspace.warehouse)) as connection:
            for name, statement in faults.items():
                connection.execute(statement.replace("{}", f"snapshots.{name}"))
        workspace.olist("dbt", "--", "test", "--quiet", "--select", *SNAPSHOTS, expect=1)
        red = workspace.red_nodes()
        assert len(red) == len(expected), red
        assert all(any(test.startswith(start) for test in red) for start in expected), red
    finally:
        workspace.warehouse.write_bytes(before)
