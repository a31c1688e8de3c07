"""The Jinja templates of this package."""

from jinja2 import Template

from olist_platform.templates import templates

_LONGEST_VALUE = 100


def template(name: str) -> Template:
    """Return a template of the folder `templates/`, which may shorten values and fill cells."""
    own = templates("olist_platform.infrastructure_plan")
    own.filters |= {"cell": _cell, "value": shown_value}
    return own.get_template(name)


def shown_value(value: object) -> str:
    """Return a property's value on one line, shortened."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _cell(text: object) -> str:
    """Return a text that ends no cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")
