"""The Jinja templates of this package."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

_LONGEST_VALUE = 100


def template(name: str) -> Template:
    """Return a template of the folder `templates/`; those of SVGs escape what they print."""
    environment = Environment(
        loader=PackageLoader("olist_platform.infrastructure_plan"),
        autoescape=select_autoescape(("svg.jinja",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": _cell, "value": shown_value}
    return environment.get_template(name)


def shown_value(value: object) -> str:
    """Return a property's value on one line, shortened."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _cell(text: object) -> str:
    """Return a text that ends no cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")
