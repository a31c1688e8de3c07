"""Who reads the marts through a copy of their own and has to be told of new ones.

Each is told by the release's own `olist`, as a person would tell it.
"""

import os
import sys
from dataclasses import dataclass

from olist_platform.environment import DuckDBWarehouse
from olist_platform.errors import OlistError
from olist_platform.executables import run_captured
from olist_platform.powerbi.refresh import connection_variable, missing_refresh, refresh_arguments
from olist_platform.release.release_tree import ReleaseTree, last_lines

PAGES, POWER_BI = "dashboards", "Power BI"
_DESCRIPTIONS = "platform/dashboards"


@dataclass(frozen=True, slots=True)
class ReaderRefresh:
    """One reader of the marts, told by the release that it is of.

    Attributes:
        name: What its step is called.
        command: What tells it, arguments of `olist`.
        skipped: Why it is not told; empty where it is.
    """

    name: str
    command: tuple[str, ...]
    skipped: str

    def tell(self, tree: ReleaseTree) -> None:
        """Let the release's own code tell it, and wait for its answer.

        Raises:
            OlistError: It cannot be told; what it has stays.
        """
        environment = tree.environment()
        result = run_captured(
            [sys.executable, "-m", "olist_platform.cli.main", *self.command, environment.name],
            os.environ | tree.variables() | {"NO_COLOR": "1"},
            tree.folder,
        )
        if result.returncode:
            raise OlistError(
                f"{self.name}: {last_lines(result)}",
                f"olist {' '.join(self.command)} {environment.name}",
            )


def reader_refreshes(tree: ReleaseTree) -> tuple[ReaderRefresh, ...]:
    """Return who has to be told of the marts that a release hands to readers."""
    return (
        ReaderRefresh(PAGES, ("dashboards", "build", "--env"), _no_pages(tree)),
        ReaderRefresh(POWER_BI, ("dashboards", "refresh-powerbi", "--env"), _no_power_bi(tree)),
    )


def _no_pages(tree: ReleaseTree) -> str:
    if not (tree.folder / _DESCRIPTIONS).is_dir():
        return "the release describes none"
    # Charts take a moment to import.
    from olist_platform.dashboards.site import first_page  # noqa: PLC0415

    environment = tree.environment()
    if isinstance(environment.warehouse, DuckDBWarehouse) or first_page(environment).exists():
        return ""
    return (
        "the pages are not on this machine: the task build_dashboards rebuilds them where Airflow"
        " runs, after its next publication"
    )


def _no_power_bi(tree: ReleaseTree) -> str:
    environment = tree.environment()
    if reason := missing_refresh(environment):
        return reason
    connection = refresh_arguments(environment)["conn_id"]
    variable = connection_variable(connection)
    if os.environ.get(variable):
        return ""
    return (
        f"Airflow's connection '{connection}' is not known here"
        f" ({variable}): the task refresh_power_bi refreshes after its next publication"
    )
