"""Rules of many columns are one test of their model, whose name says both."""

from typing import Any

from dbt_bouncer.check_framework.decorator import check, fail

TESTS_OF_MANY_COLUMNS = {
    "not_null": "not_null_columns",
    "accepted_values": "accepted_value_sets",
    "accepted_range": "accepted_ranges",
}


@check(code="OLIST004")
def check_test_of_columns_is_one_of_the_model(test: Any) -> None:
    """No test of one column does what a test of many columns of the model does in one node.

    A set of values may warn where the others of its model stop the build: then it is a test apart.
    """
    if test.test_metadata is None:
        return
    kind = test.test_metadata.name
    warns = str(test.config.severity).lower() == "warn"
    if kind in TESTS_OF_MANY_COLUMNS and not warns:
        fail(f"`{test.name}`: make it a part of the model's {TESTS_OF_MANY_COLUMNS[kind]}.")
    if kind in TESTS_OF_MANY_COLUMNS.values():
        model = test.attached_node.split(".")[2]
        if test.name != f"{kind}_{model}":
            fail(f"`{test.name}`: give it the name {kind}_{model}, which selects it and is short.")
