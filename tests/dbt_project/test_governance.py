"""Every check of dbt-bouncer.yml goes red on its fault, and is green on the project as it is.

A manifest is made of the project and of faulty files that dbt accepts; what dbt itself refuses to
parse is then written into the manifest. A check without a fault here fails the test.
"""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compiled_project import workspace_with_own_dbt
from olist_workspace import ROOT
from yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.slow

CONFIG = ROOT / "dbt" / "dbt-bouncer.yml"
BOUNCER = Path(sys.executable).with_name("dbt-bouncer")

FAULTY_FILES = {
    "models/monitoring/rows.sql": "{{ config(schema='monitoring', contract={'enforced': false}) }}"
    " select 1 as one",
    "models/monitoring/rows.yml": """
        models:
          - name: rows
            data_tests:
              - accepted_ranges:
                  arguments: {ranges: {one: {minimum: 1}}}
            columns:
              - name: one
                data_tests: [not_null]
    """,
    "seeds/Places.csv": "place\nSantos\n",
    "snapshots/places.yml": """
        snapshots:
          - name: Places_Over_Time
            relation: ref('stg_sellers')
            config: {schema: snapshots, unique_key: seller_id, strategy: timestamp,
                     updated_at: _loaded_at}
    """,
    "models/exposures.yml": """
        exposures:
          - name: a_page
            type: dashboard
            owner: {name: Somebody}
            depends_on: [ref('int_orders')]
    """,
    "models/intermediate/orphan.yml": """
        sources:
          - {name: orphan, schema: orphan, tables: [{name: unread}]}
    """,
}

# Of each check the fault in the manifest that dbt would not have parsed, or that needs a whole
# model: node, path of keys, value.
DOCTORED: list[tuple[str, list[str], Any]] = [
    ("model.olist.base_orders", ["name"], "orders_base"),
    ("model.olist.base_orders", ["access"], "protected"),
    ("model.olist.base_orders", ["config", "unique_key"], None),
    ("model.olist.stg_orders", ["name"], "orders"),
    ("model.olist.stg_orders", ["access"], "public"),
    ("model.olist.stg_orders", ["description"], "Orders."),
    ("model.olist.stg_orders", ["columns", "order_id", "description"], ""),
    ("model.olist.stg_orders", ["columns", "order_id", "data_type"], None),
    ("model.olist.stg_orders", ["columns", "orderId"], {"name": "orderId", "meta": {}}),
    ("model.olist.stg_orders", ["patch_path"], "olist://models/elsewhere/orders.yml"),
    ("model.olist.stg_orders", ["depends_on", "nodes"], ["model.olist.mart_executive_kpis"]),
    ("model.olist.int_orders", ["name"], "orders_int"),
    ("model.olist.int_orders", ["meta"], {}),
    ("model.olist.int_orders", ["group"], None),
    (
        "model.olist.int_orders",
        ["depends_on", "nodes"],
        ["model.olist.mart_executive_kpis", "source.olist.olist.orders"],
    ),
    (
        "model.olist.int_sales_analysis",
        ["raw_code"],
        "-- Grain: one row.\nselect\n    Current_Date as today\nfrom {{ ref('int_orders') }}",
    ),
    ("model.olist.mart_executive_kpis", ["name"], "kpis"),
    ("model.olist.mart_executive_kpis", ["access"], "protected"),
    ("model.olist.mart_executive_kpis", ["depends_on", "nodes"], ["model.olist.rows"]),
    ("seed.olist.brazilian_states", ["description"], ""),
    ("seed.olist.brazilian_states", ["group"], None),
    ("snapshot.olist.Places_Over_Time", ["config", "unique_key"], None),
    ("snapshot.olist.Places_Over_Time", ["group"], None),
]


def bounced(manifest: dict[str, Any], folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the project's checks on a manifest; return the exit code and every result."""
    config = read_yaml(CONFIG)
    config["custom_checks_dir"] = str((CONFIG.parent / config["custom_checks_dir"]).resolve())
    config["dbt_artifacts_dir"] = str(folder)
    write_yaml(folder / "dbt-bouncer.yml", config)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    results = folder / "results.json"
    done = subprocess.run(
        [
            *(BOUNCER, "run", "--config-file", folder / "dbt-bouncer.yml"),
            *("--output-file", results, "--output-format", "json"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert results.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(results.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def faulty_manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    workspace = workspace_with_own_dbt(tmp_path_factory.mktemp("governance"))
    for name, text in FAULTY_FILES.items():
        (workspace.home / "dbt" / name).write_text(text, encoding="utf-8")
    workspace.olist("dbt", "--", "parse", "--quiet")
    path = workspace.home / "data" / "local" / "dbt" / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def without_tests(manifest: dict[str, Any], model: str) -> None:
    for name, node in list(manifest["nodes"].items()):
        if node.get("attached_node") == model:
            del manifest["nodes"][name]


def doctored(manifest: dict[str, Any]) -> dict[str, Any]:
    manifest = copy.deepcopy(manifest)
    for unique_id, keys, value in DOCTORED:
        place = manifest["nodes"][unique_id]
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
    without_tests(manifest, "model.olist.mart_executive_kpis")
    return manifest


def checks() -> Iterator[tuple[int, str]]:
    config = read_yaml(CONFIG)
    yield from enumerate(str(check["name"]) for check in config["manifest_checks"])


def test_every_check_goes_red_on_its_fault(faulty_manifest: dict[str, Any], tmp_path: Path) -> None:
    exit_code, results = bounced(doctored(faulty_manifest), tmp_path)
    assert exit_code == 1
    failed = {
        ":".join(result["check_run_id"].split(":")[:2])
        for result in results
        if result["outcome"] == "failed"
    }
    assert {f"{name}:{number}" for number, name in checks()} - failed == set()


def test_an_owner_needs_a_name_and_an_address(
    faulty_manifest: dict[str, Any], tmp_path: Path
) -> None:
    manifest = copy.deepcopy(faulty_manifest)
    for group in manifest["groups"].values():
        group["owner"] = {"name": "Somebody", "email": None}
    _, results = bounced(manifest, tmp_path)
    messages = {
        result["failure_message"]
        for result in results
        if result["unique_id"] == "model.olist.stg_orders" and result["outcome"] == "failed"
    }
    assert "the group `data_platform` of `stg_orders` has no owner's name and e-mail." in messages


def test_rules_of_columns_are_tests_of_their_model(
    faulty_manifest: dict[str, Any], tmp_path: Path
) -> None:
    _, results = bounced(faulty_manifest, tmp_path)
    check = "check_test_of_columns_is_one_of_the_model"
    assert {
        result["failure_message"].partition(": ")[2]
        for result in results
        if result["check_run_id"].startswith(check) and result["outcome"] == "failed"
    } == {
        "make it a part of the model's not_null_columns.",
        "give it the name accepted_ranges_rows, which selects it and is short.",
    }


def test_the_project_as_it_is_passes() -> None:
    done = subprocess.run(
        ["make", "governance"],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All checks passed" in done.stdout
