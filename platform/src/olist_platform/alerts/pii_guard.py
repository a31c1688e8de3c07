"""Keeps what tells of a natural person out of alerts, whatever an error message quotes.

An alert must not be lost because its text holds something personal, so texts are masked; a link
with something of that kind in it would lead nowhere once masked, so it is refused.
"""

import re

from olist_platform.source_catalog import CATALOG, PiiClass

_PERSONAL_COLUMNS = sorted(
    {
        column.name
        for dataset in CATALOG
        for column in dataset.columns
        if column.pii != PiiClass.NONE
    }
)

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Customers, orders, reviews and sellers all have 32 hexadecimal digits for a name.
_IDENTIFIER = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])")
# A CEP, whole or its prefix. Figures belong in an alert's typed measurement, or carry separators.
_POSTAL_CODE = re.compile(r"(?<![\w.,:/-])\d{5}(?:-?\d{3})?(?![\w:/%-]|[.,]\d)")
# "review_comment_message: Chegou quebrado", up to the end of the line.
_NAMED_VALUE = re.compile(
    rf"\b({'|'.join(_PERSONAL_COLUMNS)})([\"'`]?\s*(?:=>|[:=])\s*)(?!\[hidden\])[^\n]+",
    re.IGNORECASE,
)
# What somebody wrote, quoted by a database: more than the name of a thing.
_QUOTED = re.compile(r"(?P<quote>\"|'|“)(?P<text>[^\"'“”\n]*)(?:(?P=quote)|”)")
_NAME_OF_A_THING = re.compile(r"[\w.:/@+-]*")


def masked(text: str) -> str:
    """Return a text without e-mail addresses, identifiers, postal codes and quoted texts.

    Words that nobody quotes cannot be told from a report's own: do not put values of free-text
    columns in an alert.
    """
    text = _NAMED_VALUE.sub(r"\1\2[hidden]", text)
    text = _QUOTED.sub(_hide_sentences, text)
    text = _EMAIL.sub("[e-mail hidden]", text)
    text = _IDENTIFIER.sub("[identifier hidden]", text)
    return _POSTAL_CODE.sub("[postal code hidden]", text)


def personal_data_in_link(url: str) -> str | None:
    """Return what kind of personal data a link holds, or None."""
    if _EMAIL.search(url.replace("%40", "@")):
        return "an e-mail address"
    if _IDENTIFIER.search(url):
        return "an identifier of 32 hexadecimal digits"
    return None


def _hide_sentences(match: re.Match[str]) -> str:
    if _NAME_OF_A_THING.fullmatch(match["text"]):
        return match[0]
    return f"{match['quote']}[text hidden]{match['quote']}"
