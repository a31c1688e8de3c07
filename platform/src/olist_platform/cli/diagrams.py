"""`olist diagrams`: pictures of who may do what and of the way of the data, from the model."""

from olist_platform.cli.console import out
from olist_platform.diagrams import write_diagrams


def diagrams() -> None:
    """Write platform/docs/diagrams.md from the access model, the catalog and the names.

    Example:  olist diagrams
    """
    out.print(f"written: {write_diagrams()}", soft_wrap=True, highlight=False)
