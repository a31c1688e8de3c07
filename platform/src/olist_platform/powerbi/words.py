"""Names and formats as readers of Power BI see them."""

from olist_platform.dashboards.description import Format

_WRITTEN = {
    "aov": "AOV",
    "cac": "CAC",
    "clv": "CLV",
    "gmv": "GMV",
    "kpis": "KPIs",
    "ltv": "LTV",
    "rfm": "RFM",
    "yoy": "YoY",
}
# Backslashes keep a letter from being a sign of the format.
_BRL = r"\R\$\ #,0.00"
_POINTS = r"\ \p\o\i\n\t\s"
_FORMATS = {
    Format.MONEY: f"{_BRL};-{_BRL}",
    Format.COUNT: "#,0",
    Format.NUMBER: "#,0.##",
    Format.SHARE: "0.0%",
    # Only the sign of per cent multiplies by 100; the word behind it keeps a difference of two
    # fractions from being read as growth.
    Format.POINTS: f"+0.0%{_POINTS};-0.0%{_POINTS};0.0%{_POINTS}",
    Format.GROWTH: "+0.0%;-0.0%;0.0%",
    Format.SCORE: "0.00",
    Format.DATE: "dd/mm/yyyy",
    Format.MONTH: "mmm yyyy",
    # As the marts hold it: Power BI turns no moment into a reader's time.
    Format.MOMENT: r"dd/mm/yyyy hh:nn \U\T\C",
}


def human(name: str, *, within: bool = False) -> str:
    """Return a name of dbt in words: `mart_executive_kpis` as `Executive KPIs`.

    Args:
        name: A mart or a column.
        within: Whether it stands within a phrase, without a capital letter.
    """
    words = [_WRITTEN.get(word, word) for word in name.removeprefix("mart_").split("_")]
    text = " ".join(words)
    return text if within else text[0].upper() + text[1:]


def format_string(kind: Format) -> str | None:
    """Return Power BI's format of a kind of value; None for words and yes or no."""
    return _FORMATS.get(kind)
