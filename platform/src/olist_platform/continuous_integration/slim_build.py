"""A pull request's dbt build on DuckDB: what changed and what hangs on it, beside production's.

`data/ci` holds production's state: the manifest of the release that runs there, and a warehouse of
generated orders that was built by it. A change is built into schemas of its own; everything that it
does not touch is read from production's. What is built whole is built in `data/ci-home`, a home of
its own: a person's landing and warehouse have no part in it.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from olist_platform.dbt_command import dbt_target_path, run_dbt
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executables import installed_executable
from olist_platform.naming import EnvironmentName
from olist_platform.project_vars import project_file, project_vars
from olist_platform.repository import HOME_VARIABLE, repository_root

# Enough that every model has rows and every test something to judge.
_ORDERS = 2000
_SEED = 11
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class BuiltChange:
    """What was built of a change.

    Attributes:
        nodes: How many nodes of dbt were built or tested.
        is_slim: Whether only what the change touches was; else everything.
    """

    nodes: int
    is_slim: bool


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

    @property
    def project(self) -> Path:
        """The project file of production's release, for its vars."""
        return self.manifest_folder / project_file().name

    def is_there(self) -> bool:
        """Whether there is one."""
        files = (self.manifest_folder / _MANIFEST, self.project, self.warehouse)
        return all(path.is_file() for path in files)


def production_state() -> ProductionState:
    """Return the place of production's state in this checkout."""
    return ProductionState(repository_root() / "data" / "ci")


def save_production_state(state: ProductionState) -> None:
    """Build this checkout's release on generated orders, as what pull requests build beside.

    Raises:
        OlistError: The build fails.
    """
    home = _build_everything()
    environment = load_environment(EnvironmentName.LOCAL)
    with os_errors_explained(state.folder):
        shutil.rmtree(state.folder, ignore_errors=True)
        state.manifest_folder.mkdir(parents=True)
        shutil.copyfile(_in_home(home, environment.duckdb_path), state.warehouse)
        shutil.copyfile(project_file(), state.project)
        manifest = dbt_target_path(environment) / _MANIFEST
        # Last: a state without it is none.
        shutil.copyfile(_in_home(home, manifest), state.manifest_folder / _MANIFEST)


def reason_for_everything(state: ProductionState) -> str:
    """Say why a change cannot be built beside production's state; empty where it can.

    dbt tells a changed model by its text and its settings. A var that it reads is in neither.

    Raises:
        OlistError: A project file cannot be read.
    """
    if not state.is_there():
        return f"no state of production in {state.folder}, so nothing is compared with what runs"
    before, now = project_vars(state.project), project_vars()
    changed = sorted(
        name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
    )
    return f"vars that may be read anywhere differ: {', '.join(changed)}" if changed else ""


def build_change(schema: str, state: ProductionState) -> BuiltChange:
    """Build and test what a change touches; everything, where `reason_for_everything` has one.

    Args:
        schema: Prefix of the schemas that it is built into, such as `pr_12`.
        state: Production's state.

    Raises:
        OlistError: The build fails; dbt has said why.
    """
    if reason_for_everything(state):
        home = _build_everything()
        return BuiltChange(_nodes(_in_home(home, _results())), is_slim=False)
    environment = load_environment(EnvironmentName.LOCAL)
    warehouse = state.folder / "build" / state.warehouse.name
    with os_errors_explained(warehouse):
        shutil.rmtree(warehouse.parent, ignore_errors=True)
        warehouse.parent.mkdir(parents=True)
        shutil.copyfile(state.warehouse, warehouse)
    # Where nothing is selected, dbt writes no results, and a former run's would be counted.
    _results().unlink(missing_ok=True)
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
    return BuiltChange(_nodes(_results()), is_slim=True)


def _build_everything() -> Path:
    """Build and test everything on generated orders; return the home in which it was done."""
    root = repository_root()
    home = root / "data" / "ci-home"
    with os_errors_explained(home):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for folder in ("dbt", "environments"):
            (home / folder).symlink_to(root / folder)
    files = home / "data" / "files"
    _olist(home, "generate", str(files), "--orders", str(_ORDERS), "--seed", str(_SEED))
    _olist(home, "land", str(files))
    _olist(home, "load")
    _olist(home, "dbt", "--", "build")
    return home


def _in_home(home: Path, path: Path) -> Path:
    """Return the path in a home that has its place in the checkout."""
    return home / path.relative_to(repository_root())


def _results() -> Path:
    return dbt_target_path(load_environment(EnvironmentName.LOCAL)) / "run_results.json"


def _nodes(results: Path) -> int:
    if not results.exists():
        return 0
    entries = json.loads(results.read_text(encoding="utf-8"))["results"]
    # Hooks are no nodes.
    return sum(not entry["unique_id"].startswith("operation.") for entry in entries)


def _olist(home: Path, *arguments: str) -> None:
    result = subprocess.run(  # noqa: S603 - our own command
        [str(installed_executable("olist")), *arguments],
        env=os.environ | {"OLIST_ENV": EnvironmentName.LOCAL.value, HOME_VARIABLE: str(home)},
        check=False,
    )
    if result.returncode:
        raise OlistError(f"olist {' '.join(arguments)} fails", "see what it says above")
