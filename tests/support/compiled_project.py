"""The dbt project compiled without a warehouse: as it is, or with faults written into a copy."""

import shutil
from pathlib import Path

import pytest

from olist_platform.column_lineage import ProjectLineage, read_project_lineage
from olist_platform.dbt_command import fresh_compiled_manifest
from olist_workspace import ROOT, Workspace


def workspace_with_own_dbt(home: Path) -> Workspace:
    """A home whose dbt project is a copy, so that a test may write into it."""
    shutil.copytree(ROOT / "dbt", home / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    (home / "environments").symlink_to(ROOT / "environments")
    return Workspace(home)


def compiled_manifest(workspace: Workspace) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        return fresh_compiled_manifest()


def compiled_lineage(workspace: Workspace) -> ProjectLineage:
    return read_project_lineage(compiled_manifest(workspace), "duckdb")
