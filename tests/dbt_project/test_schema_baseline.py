"""No column of a model goes or changes its type unless `make baseline` says that it was meant."""

import pytest

from schema_baseline import contracted_schema, differences, read_baseline


def test_every_model_has_the_columns_that_were_decided() -> None:
    found = list(differences(read_baseline(), contracted_schema()))
    assert not found, "\n".join([*found, "if that is meant, run: make baseline"])


DECIDED = {"mart_a": {"gmv": "decimal(18,2)", "orders": "integer"}, "mart_b": {"day": "date"}}


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        (DECIDED, []),
        (DECIDED | {"mart_a": {"gmv": "decimal(18,2)"}}, ["mart_a.orders (integer) is gone"]),
        (
            DECIDED | {"mart_b": {"day": "timestamp", "note": "varchar"}},
            ["mart_b.day was date and is timestamp", "mart_b.note (varchar) is new"],
        ),
        (
            {"mart_a": DECIDED["mart_a"], "mart_c": {"day": "date"}},
            ["model mart_b is gone", "model mart_c is new"],
        ),
    ],
)
def test_what_differs_is_named(actual: dict[str, dict[str, str]], said: list[str]) -> None:
    assert list(differences(DECIDED, actual)) == said


def test_the_baseline_covers_the_marts() -> None:
    assert {"mart_executive_kpis", "int_orders", "stg_orders"} <= read_baseline().keys()
