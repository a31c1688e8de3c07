"""What two captures differ in, on resources small enough to know every difference of."""

import importlib
from dataclasses import replace

import pytest
from pulumi._types import resource_pulumi_to_py_names

from obedient_stack import Stack, allow, document, obedient_stack, resource
from olist_platform.infrastructure_plan.captured_json import from_json, to_json
from olist_platform.infrastructure_plan.captured_resources import Secret
from olist_platform.infrastructure_plan.comparison import (
    ABSENT,
    ChangeKind,
    PropertyChange,
    compare,
)
from olist_platform.infrastructure_plan.replacement import REPLACING_PROPERTIES

STACK = obedient_stack()


def changes(after: Stack, before: Stack = STACK) -> dict[str, tuple[str, list[PropertyChange]]]:
    found = compare(before.program, after.program, "main")
    return {change.name: (change.kind, list(change.properties)) for change in found.changes}


def test_equal_programs_differ_in_nothing() -> None:
    found = compare(STACK.program, obedient_stack().program, "main")
    assert found.changes == ()
    components = sum(one.is_component for one in STACK.program.resources)
    assert found.unchanged == len(STACK.resources) - components


def test_created_and_deleted_resources_are_told_and_components_are_not() -> None:
    after = STACK.without("topic", "analytics-database").add(
        "aws:sqs/queue:Queue", "queue", name="q"
    )
    assert changes(after) == {"queue": ("create", []), "topic": ("delete", [])}


def test_without_a_former_program_everything_is_created() -> None:
    found = compare(None, STACK.program, "main")
    assert {change.kind for change in found.changes} == {ChangeKind.CREATE}
    assert found.unchanged == 0


def test_a_change_names_the_deepest_property() -> None:
    after = STACK.changed("warehouse", autoSuspend=120.0, comment="loads").changed(
        "customers", columns=[{"name": "CUSTOMER_ID", "type": "NUMBER"}]
    )
    found = changes(after)
    assert found["warehouse"] == (
        "change",
        [
            PropertyChange("autoSuspend", 60.0, 120.0, replaces=False),
            PropertyChange("comment", ABSENT, "loads", replaces=False),
        ],
    )
    [columns] = found["customers"][1]
    assert (columns.path, len(columns.before), len(columns.after)) == ("columns", 4, 1)


def test_a_changed_policy_document_is_told_by_statement() -> None:
    policy = document(allow("s3:GetObjectTagging", "arn:aws:s3:::olist-dev/*"))
    assert changes(STACK.changed("reads", policy=policy)) == {
        "reads": (
            "change",
            [
                PropertyChange(
                    "policy#Statement[0].Action",
                    "s3:GetObject",
                    "s3:GetObjectTagging",
                    replaces=False,
                )
            ],
        )
    }


def test_what_a_provider_cannot_alter_is_replaced() -> None:
    found = changes(STACK.changed("monitor", name="OLIST_DEV_OTHER", creditQuota=11.0))
    assert found["monitor"] == (
        "replace",
        [
            PropertyChange("creditQuota", 10.0, 11.0, replaces=False),
            PropertyChange("name", "OLIST_DEV_LOAD_MONITOR", "OLIST_DEV_OTHER", replaces=True),
        ],
    )


def test_pulumi_refuses_to_delete_or_replace_what_is_protected() -> None:
    prod = obedient_stack("prod")
    after = prod.without("bucket").changed("schema", database="OTHER").changed("mask", schema="X")
    found = compare(prod.program, after.program, "main")
    assert {change.name: (change.kind, change.refused) for change in found.changes} == {
        "mask": ("replace", False),
        "schema": ("replace", True),
        "bucket": ("delete", True),
    }


def test_a_column_that_is_gone_or_renamed_is_dropped_though_its_table_is_protected() -> None:
    prod = obedient_stack("prod")
    table = prod.resources["customers"]
    first, *others = table.inputs["columns"]
    renamed = prod.changed("customers", columns=[{**first, "name": "ANOTHER"}, *others])
    [change] = compare(prod.program, renamed.program, "main").changes
    assert (change.kind, change.refused) == ("change", False)
    assert change.dropped_columns == (first["name"],)
    longer = prod.changed("customers", columns=[*table.inputs["columns"], {"name": "ANOTHER"}])
    [change] = compare(prod.program, longer.program, "main").changes
    assert change.dropped_columns == ()


def test_losing_protection_is_a_change() -> None:
    prod = obedient_stack("prod")
    after = prod.with_(replace(prod.resources["bucket"], protect=False))
    assert changes(after, prod) == {
        "bucket": ("change", [PropertyChange("(protect)", True, False, replaces=False)])
    }


def test_ignored_properties_are_ignored() -> None:
    monitor = replace(STACK.resources["monitor"], ignore_changes=("startTimestamp",))
    before = STACK.with_(replace(monitor, inputs={**monitor.inputs, "startTimestamp": "a"}))
    after = STACK.with_(replace(monitor, inputs={**monitor.inputs, "startTimestamp": "b"}))
    assert changes(after, before) == {}


def test_secrets_are_neither_shown_nor_lost_on_the_way_through_json() -> None:
    hidden = STACK.with_(resource("aws:s3/bucket:Bucket", "b", {"key": {"a": [Secret("hush")]}}))
    text = to_json(hidden.program)
    assert "hush" not in text
    assert from_json(text).named("aws:s3/bucket:Bucket", "b").inputs == {"key": {"a": ["[secret]"]}}
    assert compare(from_json(text), hidden.program, "main").changes == ()


@pytest.mark.parametrize("type_token", sorted(REPLACING_PROPERTIES))
def test_replacing_properties_are_properties_of_the_installed_classes(type_token: str) -> None:
    """A misspelt property would never match, and the plan would promise an update in place."""
    package, module, name = type_token.split(":")
    folder = module.split("/")[0]
    path = f"pulumi_{package}" + ("" if folder == "index" else f".{folder}")
    resource_class = getattr(importlib.import_module(path), name)
    assert REPLACING_PROPERTIES[type_token] <= set(resource_pulumi_to_py_names(resource_class))
