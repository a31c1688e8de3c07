"""A pull request's dbt build on DuckDB: what changed and what hangs on it, beside production's.

`data/ci` holds production's state: the manifest of the release that runs there, and a warehouse of
generated orders that was built by it. A change is built into schemas of its own; everything that it
does not touch is read from production's.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from olist_platform.dbt_command import manifest_path, run_dbt
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executables import installed_executable
from olist_platform.naming import EnvironmentName
from olist_platform.repository import repository_root

# Enough that every model has rows and every test something to judge.
_ORDERS = 2000
_SEED = 11


@dataclass(frozen=True, slots=True)
class ProductionState:
    """Where production's state lies.

    Attributes:
        folder: `data/ci` of the checkout.
    """

    folder: Path

    @property
    def manifest_folder(self) -> Path:
        """Folder of the manifest, for dbt's `--state`."""
        return self.folder / "state"

    @property
    def warehouse(self) -> Path:
        """The warehouse that production's release built."""
        return self.folder / load_environment(EnvironmentName.LOCAL).duckdb_path.name

    def is_there(self) -> bool:
        """Whether there is one."""
        return (self.manifest_folder / "manifest.json").is_file() and self.warehouse.is_file()


def production_state() -> ProductionState:
    """Return the place of production's state in this checkout."""
    return ProductionState(repository_root() / "data" / "ci")


def save_production_state(state: ProductionState) -> None:
    """Build this checkout's release on generated orders, as what pull requests build beside.

    Raises:
        OlistError: The build fails.
    """
    _build_everything()
    environment = load_environment(EnvironmentName.LOCAL)
    with os_errors_explained(state.folder):
        shutil.rmtree(state.folder, ignore_errors=True)
        state.manifest_folder.mkdir(parents=True)
        shutil.copyfile(environment.duckdb_path, state.warehouse)
        # Last: a state without it is none.
        shutil.copyfile(manifest_path(environment), state.manifest_folder / "manifest.json")


def build_change(schema: str, state: ProductionState) -> bool:
    """Build and test what a change touches; everything, where there is no state of production.

    Args:
        schema: Prefix of the schemas that it is built into, such as `pr_12`.
        state: Production's state.

    Returns:
        Whether only what the change touches was built.

    Raises:
        OlistError: The build fails; dbt has said why.
    """
    if not state.is_there():
        _build_everything()
        return False
    environment = load_environment(EnvironmentName.LOCAL)
    warehouse = state.folder / "build" / state.warehouse.name
    with os_errors_explained(warehouse):
        shutil.rmtree(warehouse.parent, ignore_errors=True)
        warehouse.parent.mkdir(parents=True)
        shutil.copyfile(state.warehouse, warehouse)
    result = run_dbt(
        environment,
        [
            "build",
            *("--select", "state:modified+"),
            *("--defer", "--favor-state", "--state", str(state.manifest_folder)),
        ],
        variables={"OLIST_DUCKDB_PATH": str(warehouse), "OLIST_DBT_SCHEMA": schema},
    )
    if result.returncode:
        raise OlistError("dbt build of the change fails", "see what dbt says above")
    return True


def _build_everything() -> None:
    files = repository_root() / "data" / "ci-files"
    shutil.rmtree(files, ignore_errors=True)
    _olist("generate", str(files), "--orders", str(_ORDERS), "--seed", str(_SEED))
    _olist("land", str(files))
    _olist("load")
    _olist("dbt", "--", "build")


def _olist(*arguments: str) -> None:
    result = subprocess.run(  # noqa: S603 - our own command
        [str(installed_executable("olist")), *arguments],
        env=os.environ | {"OLIST_ENV": EnvironmentName.LOCAL.value},
        check=False,
    )
    if result.returncode:
        raise OlistError(f"olist {' '.join(arguments)} fails", "see what it says above")
