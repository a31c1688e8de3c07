"""Values as people read them outside the web pages, in Portuguese or English signs.

They look as the pages write them: platform/src/olist_platform/dashboards/web/dashboard.js.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent

from olist_platform.dashboards.description import Format, Role, Tile

Numbers = Literal["pt-BR", "en"]
Value = bool | int | float | str | None

NOTHING = "\u2013"
_LOCALES = {"pt-BR": Locale("pt", "BR"), "en": Locale("en", "US")}
# From here on nobody reads cents.
_WITHOUT_CENTS = 10_000
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# Decimal places to which a number is rounded, and how it is written then.
_PATTERNS = {
    Format.COUNT: (0, "#,##0"),
    Format.NUMBER: (2, "#,##0.##"),
    Format.SCORE: (2, "#,##0.00"),
    Format.SHARE: (3, "#,##0.0%"),
    Format.GROWTH: (3, "#,##0.0%"),
    Format.POINTS: (1, "#,##0.0"),
}
_SIGNED = (Format.GROWTH, Format.POINTS)
# Few are not none, and most are not all: shares that would be rounded to these are beside them.
_LEAST_SHARE = Decimal("0.001")
# A smaller number is written with its first digits: it is not nothing.
_LEAST_NUMBER = Decimal("0.005")
_DIGITS_OF_SMALL_NUMBERS = 2
_SKELETONS = {Format.DATE: "yMMMd", Format.MONTH: "yMMM"}


def written(value: Value, kind: Format, numbers: Numbers) -> str:
    """Return a value as text.

    Args:
        value: As JSON holds it: fractions as fractions, days and moments in ISO 8601, UTC.
        kind: How it is to be read.
        numbers: Whose signs.
    """
    if value is None or value == "":
        return NOTHING
    match kind:
        case Format.TEXT:
            return str(value)
        case Format.FLAG:
            return "Yes" if value else "No"
        case Format.DATE | Format.MONTH:
            day = date.fromisoformat(str(value)[:10])
            return format_skeleton(_SKELETONS[kind], day, locale=_LOCALES[numbers])
        case Format.MOMENT:
            moment = datetime.fromisoformat(str(value)).astimezone(_SAO_PAULO)
            of_day = format_skeleton(_SKELETONS[Format.DATE], moment, locale=_LOCALES[numbers])
            return f"{of_day}, {moment:%H:%M}"
        case _:
            return _number(Decimal(str(value)), kind, _LOCALES[numbers])


def decimals_shown(tile: Tile) -> int:
    """Return to how many places the figure that a tile's target judges is written."""
    target = tile.target
    judged = [one for one in tile.columns if target and one.key == target.column]
    [column, *_] = judged or tile.of_role(Role.VALUE)
    return 2 if column.format is Format.MONEY else _PATTERNS[column.format][0]


def _number(number: Decimal, kind: Format, locale: Locale) -> str:
    if kind is Format.MONEY:
        return _money(number, locale)
    places, pattern = _PATTERNS[kind]
    beside = ""
    if kind is Format.SHARE and 0 < number < _LEAST_SHARE / 2:
        beside, number = "<", _LEAST_SHARE
    elif kind is Format.SHARE and 1 - _LEAST_SHARE / 2 <= number < 1:
        beside, number = ">", 1 - _LEAST_SHARE
    if kind is Format.NUMBER and 0 < abs(number) < _LEAST_NUMBER:
        places = _DIGITS_OF_SMALL_NUMBERS - 1 - number.adjusted()
        pattern = f"#,##0.{'#' * places}"
    shown = _rounded(number * 100 if kind is Format.POINTS else number, places)
    if kind in _SIGNED and shown > 0:
        pattern = f"+{pattern}"
    text = (format_percent if "%" in pattern else format_decimal)(shown, pattern, locale)
    return f"{text} pp" if kind is Format.POINTS else beside + text


def _money(number: Decimal, locale: Locale) -> str:
    pattern = locale.currency_formats["standard"].pattern
    if abs(number) >= _WITHOUT_CENTS:
        number, pattern = _rounded(number, 0), pattern.replace("0.00", "0")
    else:
        number = _rounded(number, 2)
    return format_currency(number, "BRL", pattern, locale, currency_digits=False)


def _rounded(number: Decimal, places: int) -> Decimal:
    """Round as the pages do, halves away from zero; a zero has no sign."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0
