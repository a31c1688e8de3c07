"""Values in words: rounded as people expect it, and nothing that is there written as nothing."""

import pytest

from olist_platform.dashboards.description import Format
from olist_platform.dashboards.written_values import Numbers, Value, written


@pytest.mark.parametrize(
    ("value", "kind", "numbers", "text"),
    [
        (0.0, Format.SHARE, "en", "0.0%"),
        (0.0004, Format.SHARE, "en", "<0.1%"),
        (0.0004, Format.SHARE, "pt-BR", "<0,1%"),
        (0.0005, Format.SHARE, "en", "0.1%"),
        (0.9994, Format.SHARE, "en", "99.9%"),
        (0.9996, Format.SHARE, "en", ">99.9%"),
        (1.0, Format.SHARE, "en", "100.0%"),
        (-0.0004, Format.SHARE, "en", "0.0%"),
        (-0.0004, Format.GROWTH, "en", "0.0%"),
        (0.0022, Format.NUMBER, "pt-BR", "0,0022"),
        (-0.00031, Format.NUMBER, "en", "-0.00031"),
        (0.005, Format.NUMBER, "en", "0.01"),
        (0, Format.NUMBER, "en", "0"),
        (-0.001, Format.MONEY, "en", "R$0.00"),
        (None, Format.MONEY, "en", "\u2013"),
    ],
)
def test_small_values_are_neither_nothing_nor_negative_zeros(
    value: Value, kind: Format, numbers: Numbers, text: str
) -> None:
    assert written(value, kind, numbers) == text
