"""The Jinja templates of the platform's packages."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@cache
def templates(package: str) -> Environment:
    """Return what renders the files of a package's folder `templates/`.

    A name that a template was not given is an error. HTML and SVG escape what they print.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(("html.j2", "svg.jinja"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
