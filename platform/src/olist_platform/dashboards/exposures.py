"""dbt's exposures of the dashboards, made from their descriptions."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.contracts import Contract, Owner, read_contracts, read_owners
from olist_platform.dashboards.description import Dashboard
from olist_platform.dbt_command import dbt_project_folder
from olist_platform.environment import load_environment
from olist_platform.errors import os_errors_explained
from olist_platform.naming import EnvironmentName

_HEAD = """\
# Made from platform/dashboards/ by `olist dashboards exposures`; a test holds it current.
"""


def exposures_path() -> Path:
    """File of the exposures in the dbt project."""
    return dbt_project_folder() / "models" / "exposures.yml"


def write_exposures() -> Path:
    """Write the exposures of every dashboard, and return their file.

    Raises:
        OlistError: A description is wrong, or the file cannot be written.
    """
    path = exposures_path()
    text = exposures_text(load_dashboards(), read_owners(), read_contracts())
    with os_errors_explained(path):
        path.write_text(text, encoding="utf-8")
    return path


def exposures_text(
    dashboards: Iterable[Dashboard],
    owners: Mapping[str, Owner],
    contracts: Mapping[str, Contract],
) -> str:
    """Return the content of the file, the same for the same descriptions."""
    address = load_environment(EnvironmentName.PROD).dashboards.address
    content = {
        "version": 2,
        "exposures": [
            _exposure(dashboard, owners[dashboard.owner], contracts, address)
            for dashboard in dashboards
        ],
    }
    return _HEAD + yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)


def _exposure(
    dashboard: Dashboard, owner: Owner, contracts: Mapping[str, Contract], address: str | None
) -> dict[str, object]:
    return {
        "name": dashboard.name,
        "label": dashboard.title,
        "type": "dashboard",
        "maturity": dashboard.maturity,
        **({"url": f"{address}/{dashboard.web_page}"} if address else {}),
        "description": dashboard.summary,
        "owner": {"name": owner.name, "email": owner.email},
        "depends_on": [contracts[mart].reference for mart in sorted(dashboard.marts)],
    }
