"""Fixtures of every area, and the order of files."""

import gc
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from compiled_project import compiled_manifest
from olist_workspace import ROOT, Workspace
from order_of_files import longest_first
from parsed_project import ParsedProject
from prepared_workspaces import PreparedWorkspaces, build_generated, build_sample

# How long an example takes says more of the machine than of the code.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")


@pytest.fixture(scope="session")
def folder_of_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of a session share."""
    base = tmp_path_factory.getbasetemp()
    # A worker of xdist has a folder of its own in that of the session.
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def make_workspace(
    tmp_path_factory: pytest.TempPathFactory, folder_of_session: Path
) -> Callable[[str], Workspace]:
    """Return a function that makes a workspace without data; dbt has parsed its project."""

    def make(name: str) -> Workspace:
        home = tmp_path_factory.mktemp(name)
        (home / "platform").mkdir()
        for folder in ("dbt", "dags", "environments", "platform/dashboards"):
            (home / folder).symlink_to(ROOT / folder)
        return Workspace(home)

    parsed = ParsedProject(folder_of_session / "parsed", make)

    def make_parsed(name: str) -> Workspace:
        workspace = make(name)
        parsed.give(workspace)
        return workspace

    return make_parsed


@pytest.fixture(scope="session")
def olist_sample() -> Path:
    """The real sample, which lies beside the checkout and is never part of it."""
    folder = Path(os.environ.get("OLIST_SAMPLE", ROOT.parent / "shared" / "olist-sample"))
    if not folder.is_dir():
        pytest.skip(f"the real sample is not at {folder}; set OLIST_SAMPLE to its folder")
    return folder


@pytest.fixture(scope="session")
def prepared_workspaces(
    folder_of_session: Path, make_workspace: Callable[[str], Workspace]
) -> PreparedWorkspaces:
    return PreparedWorkspaces(folder_of_session / "prepared", make_workspace)


@pytest.fixture(scope="session")
def copy_of_generated(prepared_workspaces: PreparedWorkspaces) -> Callable[[str], Workspace]:
    """Return a function that copies the workspace of generated orders, whole and tested."""
    return partial(prepared_workspaces.copy, "generated", build_generated)


@pytest.fixture(scope="session")
def copy_of_sample(
    prepared_workspaces: PreparedWorkspaces, olist_sample: Path
) -> Callable[[str], Workspace]:
    """Return a function that copies the workspace of the real sample, whole and tested."""
    return partial(prepared_workspaces.copy, "sample", partial(build_sample, sample=olist_sample))


@pytest.fixture(scope="session")
def copy_of_compiled(prepared_workspaces: PreparedWorkspaces) -> Callable[[str], Workspace]:
    """Return a function that copies the workspace of the compiled project, without a warehouse."""
    return partial(prepared_workspaces.copy, "compiled", compiled_manifest)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = longest_first(items)


def pytest_collection_finish() -> None:
    # What was imported and collected stays to the end. Without this, Python's search for cyclic
    # garbage goes through it thousands of times.
    gc.freeze()
    gc.set_threshold(50_000)
