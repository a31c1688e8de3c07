"""A tenth dataset is one entry of the catalog, a new job one of the access model."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from access_matrix import GrantedAccess
from olist_platform import access_model, source_catalog
from olist_platform.access_model import (
    FunctionalRole,
    ServiceUser,
    reads,
    uses,
)
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.infrastructure_plan.comparison import ChangeKind, compare
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_platform.source_catalog import Column, Dataset, PiiClass
from olist_workspace import ROOT
from yaml_files import write_yaml

DEV = load_environment(EnvironmentName.DEV)
REFUNDS = Dataset(
    "refunds",
    "olist_refunds_dataset.csv",
    (
        Column("refund_id"),
        Column("customer_id"),
        Column("bank_account", PiiClass.PERSON_IDENTIFIER),
    ),
    ("refund_id",),
)


def _capture_with(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, table: str, entry: object
) -> CapturedProgram:
    """Capture the program as it is with one more entry in one table, and nothing else."""
    monkeypatch.setattr(module, table, (*getattr(module, table), entry))
    return capture_program(DEV)


def test_a_tenth_dataset_is_one_entry_of_the_catalog(
    dev: CapturedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = _capture_with(monkeypatch, source_catalog, "CATALOG", REFUNDS)
    before_names = {(one.type, one.name) for one in dev.resources}
    created = {
        (one.type.split(":")[-1], one.name)
        for one in after.resources
        if (one.type, one.name) not in before_names
    }
    assert created == {
        ("Table", "raw-refunds"),
        ("Pipe", "pipe-refunds"),
        ("TagAssociation", "pii-refunds-bank_account"),
        ("Execute", "objections-refunds"),
    }
    tagged = after.named(
        "snowflake:index/tagAssociation:TagAssociation", "pii-refunds-bank_account"
    ).plain_inputs
    assert tagged["objectIdentifiers"] == ['"OLIST_DEV"."RAW"."REFUNDS"."BANK_ACCOUNT"']
    assert tagged["tagValue"] == "person_identifier"
    [notification] = after.of_type("aws:s3/bucketNotification:BucketNotification")
    assert len(notification.plain_inputs["queues"]) == 1
    assert any("pipe-refunds" in urn for urn in notification.dependencies)


def test_a_column_of_another_class_is_never_without_its_mask(
    dev: CapturedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tag's value is altered: the tag is not taken off here and put on there, in any order."""
    customers, *others = source_catalog.CATALOG
    columns = tuple(
        replace(column, pii=PiiClass.FREE_TEXT) if column.name == "customer_unique_id" else column
        for column in customers.columns
    )
    monkeypatch.setattr(source_catalog, "CATALOG", (replace(customers, columns=columns), *others))
    [change] = compare(dev, capture_program(DEV), "main").changes
    assert (change.kind, change.name) == (ChangeKind.CHANGE, "pii-customers-customer_unique_id")
    assert [(one.path, one.before, one.after) for one in change.properties] == [
        ("tagValue", "person_identifier", "free_text")
    ]


def test_a_new_job_is_one_entry_of_the_access_model(
    dev: CapturedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = FunctionalRole(
        "finance", "People who close the month", (reads(Layer.SERVING), uses(Workload.REPORT))
    )
    after = _capture_with(monkeypatch, access_model, "FUNCTIONAL_ROLES", finance)
    names = Names(EnvironmentName.DEV)
    access = GrantedAccess(after)
    assert access.privileges_of(names.functional_role("finance")) == access.privileges_of(
        names.functional_role("reporter")
    )
    before_names = {(one.type, one.name) for one in dev.resources}
    created = [one.name for one in after.resources if (one.type, one.name) not in before_names]
    assert sorted(created) == [
        "finance",
        "finance-holds-report_warehouse__use",
        "finance-holds-serving__read",
        "finance-rolls-up",
    ]


def test_a_new_service_without_a_key_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    robot = FunctionalRole(
        "robot", "A program", (uses(Workload.REPORT),), ServiceUser(Workload.REPORT, None)
    )
    with pytest.raises(OlistError) as caught:
        _capture_with(monkeypatch, access_model, "FUNCTIONAL_ROLES", robot)
    assert caught.value.message == (
        "environments/Pulumi.dev.yaml: 'olist:serviceUserKeys' has no key of the service user "
        "'robot'"
    )
    assert "runbook" in caught.value.mend


@pytest.mark.parametrize(
    ("config", "missing", "mend"),
    [
        ({}, "olist:storageExternalId", "a random text of this environment's own"),
        (
            {"olist:storageExternalId": "b7"},
            "olist:serviceUserKeys",
            "olist bootstrap dev --apply",
        ),
    ],
)
def test_a_stack_file_that_lacks_a_key_is_told_how_to_get_it(
    tmp_path: Path, config: dict[str, str], missing: str, mend: str
) -> None:
    infra = shutil.copytree(ROOT / "infra", tmp_path / "infra")
    stack_file = tmp_path / "environments" / "Pulumi.dev.yaml"
    stack_file.parent.mkdir()
    write_yaml(stack_file, {"config": config})
    with pytest.raises(OlistError) as caught:
        capture_program(DEV, infra)
    assert caught.value.message == f"environments/Pulumi.dev.yaml: '{missing}' is missing"
    assert mend in caught.value.mend
