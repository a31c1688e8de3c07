"""The dbt project as a copy to write into, whole or reduced, and compiled without a warehouse."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from olist_platform.column_lineage import ProjectLineage, read_project_lineage
from olist_platform.dbt_command import fresh_compiled_manifest
from olist_workspace import ROOT, Workspace
from yaml_files import read_yaml, write_yaml


def copy_dbt(home: Path) -> None:
    """Give a home a dbt project of its own, so that a test may write into it."""
    (home / "dbt").unlink(missing_ok=True)
    shutil.copytree(ROOT / "dbt", home / "dbt", ignore=shutil.ignore_patterns("target", "logs"))


def workspace_with_own_dbt(home: Path) -> Workspace:
    """A home without data whose dbt project is a copy."""
    copy_dbt(home)
    (home / "environments").symlink_to(ROOT / "environments")
    return Workspace(home)


TESTS = ("data_tests", "unit_tests")


def leave_out_tests(folder: Path) -> None:
    """Take the tests out of the properties of every model and seed in a folder."""
    for path in folder.rglob("*.yml"):
        properties = read_yaml(path)
        write_yaml(path, _without_tests(properties))


def _without_tests(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_tests(part) for key, part in value.items() if key not in TESTS}
    return [_without_tests(part) for part in value] if isinstance(value, list) else value


def workspace_with_reduced_dbt(home: Path) -> Workspace:
    """A home whose own dbt project ends at the facts of orders, and has no tests.

    Settings, macros, hooks and sources are all there; dbt starts in half the time.
    """
    workspace = workspace_with_own_dbt(home)
    dbt = home / "dbt"
    facts = dbt / "models" / "intermediate" / "int_order_facts"
    for path in (dbt / "models" / "intermediate").iterdir():
        if path.stem != facts.stem:
            path.unlink()
    for folder in ("analyses", "snapshots", "tests", "models/marts"):
        shutil.rmtree(dbt / folder)
        (dbt / folder).mkdir()
    for path in (dbt / "models" / "monitoring").glob("monitoring_*"):
        path.unlink()
    (dbt / "models" / "exposures.yml").unlink()
    leave_out_tests(dbt / "models")
    leave_out_tests(dbt / "seeds")
    return workspace


def compiled_manifest(workspace: Workspace) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        return fresh_compiled_manifest()


def compiled_lineage(workspace: Workspace) -> ProjectLineage:
    return read_project_lineage(compiled_manifest(workspace), "duckdb")
