"""The page of pictures is current, and shows the model: not fewer grants, not others."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from olist_platform import diagrams
from olist_platform.access_model import (
    ANALYST,
    FUNCTIONAL_ROLES,
    PII_UNMASKED,
    AccountAccessRole,
    DatabaseAccessRole,
    FunctionalRole,
    access_roles,
    reads,
    uses,
)
from olist_platform.naming import Layer, Workload
from olist_platform.source_catalog import CATALOG, Dataset
from olist_workspace import ROOT

ARROW = re.compile(r"^ +(\w+)(?:\(.*\))? (?:-->|-\.->|==>)(?:\|([^|]*)\|)? (\w+)", re.MULTILINE)


def arrows(picture: str) -> set[tuple[str, str]]:
    return {(before, after) for before, _, after in ARROW.findall(picture)}


def test_the_committed_page_is_current() -> None:
    page = (ROOT / "platform" / "docs" / "diagrams.md").read_text(encoding="utf-8")
    assert page == diagrams.diagrams_page(ROOT / "dbt"), "run: olist diagrams"


def test_every_hold_of_the_model_is_an_arrow_and_no_other() -> None:
    drawn = {
        pair
        for kind in (DatabaseAccessRole, AccountAccessRole)
        for pair in arrows(diagrams.roles_and_objects(FUNCTIONAL_ROLES, kind))
        if pair[0].startswith("fr_")
    }
    assert drawn == {
        (f"fr_{role.name}", f"ar_{access.name}")
        for role in FUNCTIONAL_ROLES
        for access in role.holds
    }


def test_privileges_of_an_access_role_are_on_its_arrow() -> None:
    database = diagrams.roles_and_objects(FUNCTIONAL_ROLES, DatabaseAccessRole)
    assert (
        'ar_raw__load -->|"INSERT, SELECT on tables<br>USAGE on stages<br>USAGE on file formats"| '
        "on_schema_raw"
    ) in database
    assert 'ar_marts__build -->|"CREATE TABLE, CREATE VIEW"| on_schema_marts' in database
    account = diagrams.roles_and_objects(FUNCTIONAL_ROLES, AccountAccessRole)
    assert (
        'ar_load_warehouse__watch -->|"MONITOR, OPERATE"| on_warehouse_olist_dev_load_wh'
    ) in account
    assert f"ar_{PII_UNMASKED.name}[" in account
    assert not any(before == f"ar_{PII_UNMASKED.name}" for before, _ in arrows(account))
    assert {before for before, _ in arrows(database) if before.startswith("ar_")} == {
        f"ar_{role.name}"
        for role in access_roles(FUNCTIONAL_ROLES)
        if isinstance(role, DatabaseAccessRole)
    }


def test_a_new_role_and_a_new_dataset_are_drawn() -> None:
    finance = FunctionalRole(
        "finance", "Closes the month", (reads(Layer.SERVING), uses(Workload.REPORT))
    )
    picture = diagrams.roles_and_objects((ANALYST, finance), DatabaseAccessRole)
    assert ("fr_finance", "ar_serving__read") in arrows(picture)
    assert 'fr_finance(["FR__OLIST_DEV__FINANCE<br>people"])' in picture
    refunds = Dataset("refunds", "refunds.csv", CATALOG[0].columns, ("customer_id",))
    flow = diagrams.data_flow((*CATALOG, refunds), set(), (ANALYST, finance))
    assert ("stage", "pipe_refunds") in arrows(flow)
    assert 'files(["10 data sets"])' in flow
    assert 'layer_serving -.-> readers_serving(["analyst<br>finance"])' in flow


def test_layers_are_made_of_what_dbt_refers_to(tmp_path: Path) -> None:
    for path, text in {
        "models/staging/stg_a.sql": 'select * from {{ source("olist", "a") }}',
        "models/staging/base/stg_b.sql": 'select * from {{ ref("stg_a") }}',
        "models/marts/x/mart_c.sql": "select * from {{ ref('stg_b') }}",
        "snapshots/snapshot_c.yml": "snapshots: [{relation: ref('mart_c')}]",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert diagrams.layer_edges(tmp_path) == {
        (Layer.RAW, Layer.STAGING),
        (Layer.STAGING, Layer.MARTS),
        (Layer.MARTS, Layer.SNAPSHOTS),
    }


def test_the_way_of_the_data_is_unbroken() -> None:
    flow = diagrams.data_flow(CATALOG, diagrams.layer_edges(ROOT / "dbt"), FUNCTIONAL_ROLES)
    way = ["files", "landing", "stage", "pipe_orders"]
    way += [f"layer_{layer}" for layer in ("raw", "staging", "intermediate", "marts", "serving")]
    assert set(pairwise([*way, "readers_serving"])) <= arrows(flow)


@pytest.mark.parametrize("picture", range(3))
def test_every_node_of_an_arrow_has_a_label(picture: int) -> None:
    page = diagrams.diagrams_page(ROOT / "dbt")
    text = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)[picture]
    labelled = set(re.findall(r'\b(\w+)[(\[]{1,2}"', text))
    assert {node for pair in arrows(text) for node in pair} <= labelled
