"""Smoke tests judge all marts together, and against what readers have."""

from datetime import date

import pytest

from olist_platform.release.smoke_tests import MartFacts, smoke_faults

DAY, NEXT = date(2026, 2, 27), date(2026, 2, 28)
SERVED = {"a": MartFacts(100, DAY), "b": MartFacts(10, None)}


@pytest.mark.parametrize(
    ("marts", "faults"),
    [
        ({"a": MartFacts(90, NEXT), "b": MartFacts(9, None)}, ()),
        ({"a": MartFacts(100, DAY)}, ("b is not built",)),
        ({"a": MartFacts(0, DAY), "b": MartFacts(10, None)}, ("a has no row",)),
        (
            {"a": MartFacts(89, DAY), "b": MartFacts(10, None)},
            ("a has 89 rows, less than 90% of the 100 that readers have",),
        ),
        (
            {"a": MartFacts(100, DAY), "b": MartFacts(10, NEXT)},
            ("the marts are of several days: 2026-02-27, 2026-02-28",),
        ),
        (
            {"a": MartFacts(100, date(2026, 2, 26)), "b": MartFacts(10, None)},
            ("a is of 2026-02-26, older than the 2026-02-27 that readers have",),
        ),
    ],
)
def test_each_fault_is_named(marts: dict[str, MartFacts], faults: tuple[str, ...]) -> None:
    assert smoke_faults(marts, SERVED, ("a", "b"), 0.9) == faults


def test_a_first_release_has_nothing_to_be_compared_with() -> None:
    assert smoke_faults({"a": MartFacts(1, DAY)}, {}, ("a",), 0.9) == ()
