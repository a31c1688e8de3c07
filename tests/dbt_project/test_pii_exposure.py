"""Nothing personal reaches a mart, a snapshot or a public model unless it is tagged for masking."""

from collections.abc import Callable
from pathlib import Path

import pytest

from compiled_project import compiled_lineage, workspace_with_reduced_dbt
from olist_platform.column_lineage import ColumnName
from olist_platform.pii_exposure import MARTS_FOLDER, exposure_faults, is_exposed, pii_class
from olist_platform.source_catalog import CATALOG, PiiClass
from olist_workspace import Workspace
from yaml_files import write_yaml

pytestmark = pytest.mark.slow


def test_nothing_personal_is_exposed_untagged(copy_of_compiled: Callable[[str], Workspace]) -> None:
    lineage = compiled_lineage(copy_of_compiled("pii"))
    exposed = {relation.name for relation in lineage.relations.values() if is_exposed(relation)}
    assert "mart_executive_kpis" in exposed
    assert "stg_customers" not in exposed
    # The lineage reaches every personal column of the catalog, so it can find what it looks for.
    reached = {
        str(path[0])
        for column in lineage.parents
        for path in lineage.paths_from_sources(column)
        if pii_class(lineage, path[0]) is not PiiClass.NONE
    }
    assert reached == {
        f"raw.{dataset.name}.{column.name}"
        for dataset in CATALOG
        for column in dataset.columns
        if column.pii is not PiiClass.NONE
    }
    faults = exposure_faults(lineage)
    assert faults == [], "\n" + "\n".join(faults)


def column(name: str, masking: str = "") -> dict[str, object]:
    meta = {"config": {"meta": {"masking": masking}}} if masking else {}
    return {"name": name, "data_type": "varchar", "description": "A fault.", **meta}


# A mart that shows a city through two functions and a window, another with every wrong tag, and a
# public model and a snapshot outside the folder of the marts.
FAULTY_SQL = {
    f"{MARTS_FOLDER}executive/mart_places.sql": """
        with ranked as (
            select upper(customers.city) as place, customers.state
            from {{ ref("stg_customers") }} as customers
        )
        select
            max(place) over (partition by state) as busiest_place,
            state,
            cast(count(distinct place) over (partition by state) as varchar) as places
        from ranked
    """,
    f"{MARTS_FOLDER}executive/mart_tags.sql": """
        select
            md5(customers.customer_unique_id) as person,
            customers.customer_unique_id || customers.city as person_and_city,
            customers.state,
            coalesce(reviews.review_comment_message, 'none') as words,
            case when reviews.review_comment_message = 'x' then 'x' else 'y' end as kind
        from {{ ref("stg_customers") }} as customers
        left join {{ ref("stg_orders") }} as orders on customers.customer_id = orders.customer_id
        left join {{ ref("stg_reviews") }} as reviews on orders.order_id = reviews.order_id
    """,
    "models/intermediate/int_shown_people.sql": """
        {{ config(access="public") }}
        select customer_unique_id from {{ ref("stg_customers") }}
    """,
}
FAULTY_COLUMNS = {
    "mart_places": [column("busiest_place"), column("state"), column("places")],
    "mart_tags": [
        column("person", "person_identifier"),
        column("person_and_city", "location"),
        column("state", "location"),
        column("words", "free_text"),
        column("kind"),
    ],
    "int_shown_people": [column("customer_unique_id")],
}
FAULTY_SNAPSHOT = {
    "name": "places_history",
    "relation": "ref('stg_sellers')",
    "config": {
        "schema": "snapshots",
        "unique_key": "zip_code_prefix",
        "strategy": "timestamp",
        "updated_at": "_loaded_at",
    },
    "columns": [column("zip_code_prefix", "location"), column("nowhere", "location")],
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    workspace = workspace_with_reduced_dbt(tmp_path_factory.mktemp("pii_faults"))
    dbt = workspace.home / "dbt"
    for path, sql in FAULTY_SQL.items():
        (dbt / path).parent.mkdir(exist_ok=True)
        (dbt / path).write_text(sql, encoding="utf-8")
        model = Path(path).stem
        properties = {"models": [{"name": model, "columns": FAULTY_COLUMNS[model]}]}
        write_yaml((dbt / path).with_suffix(".yml"), properties)
    snapshots = dbt / "snapshots" / "places_history.yml"
    write_yaml(snapshots, {"snapshots": [FAULTY_SNAPSHOT]})
    lineage = compiled_lineage(workspace)
    assert lineage.parents[ColumnName("mart_places", "places")] == frozenset()
    names = ("mart_places", "mart_tags", "int_shown_people", "places_history")
    return [fault for fault in exposure_faults(lineage) if fault.startswith(names)]


CITY = "raw.customers.customer_city -> base_customers.customer_city -> stg_customers.city"
PERSON = (
    "raw.customers.customer_unique_id -> base_customers.customer_unique_id"
    " -> stg_customers.customer_unique_id"
)
WORDS = (
    "raw.reviews.review_comment_message -> base_reviews.review_comment_message"
    " -> stg_reviews.review_comment_message"
)
ZIP_CODE = (
    "raw.sellers.seller_zip_code_prefix -> base_sellers.seller_zip_code_prefix"
    " -> stg_sellers.zip_code_prefix"
)
SELLER_CITY = "raw.sellers.seller_city -> base_sellers.seller_city -> stg_sellers.city"


def test_each_way_to_break_the_rule_is_told_with_its_path(faults: list[str]) -> None:
    assert sorted(faults) == sorted(
        [
            (
                "mart_places.busiest_place shows location and is not tagged for masking:\n"
                f"    {CITY} -> mart_places.busiest_place\n"
                "  mend: aggregate it away, or tag it: config: {meta: {masking: location}}"
            ),
            (
                "mart_tags.person_and_city is tagged location, but what flows into it is"
                " person_identifier:\n"
                f"    {CITY} -> mart_tags.person_and_city\n"
                f"    {PERSON} -> mart_tags.person_and_city"
            ),
            "mart_tags.state is tagged for masking (location), but nothing personal flows into it",
            (
                "mart_tags.words shows what a customer wrote; no tag allows that:\n"
                f"    {WORDS} -> mart_tags.words"
            ),
            (
                "int_shown_people.customer_unique_id shows person_identifier and is not tagged"
                " for masking:\n"
                f"    {PERSON} -> int_shown_people.customer_unique_id\n"
                "  mend: aggregate it away, or tag it: config: {meta: {masking: person_identifier}}"
            ),
            (
                "places_history.city shows location and is not tagged for masking:\n"
                f"    {SELLER_CITY} -> places_history.city\n"
                "  mend: aggregate it away, or tag it: config: {meta: {masking: location}}"
            ),
            (
                "places_history.dbt_scd_id shows location and is not tagged for masking:\n"
                f"    {ZIP_CODE} -> places_history.dbt_scd_id\n"
                "  mend: aggregate it away, or tag it: config: {meta: {masking: location}}"
            ),
            "places_history.nowhere is tagged for masking, but places_history has no such column",
        ]
    )
