"""Fixtures of the dashboards: published marts, the site made from them, and a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from olist_platform.dashboards.site import Site, build_site
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.publication import publish
from olist_workspace import Workspace


@pytest.fixture(scope="session")
def published_workspace(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    """Generated orders, built, tested, published and checked; nobody changes it."""
    workspace = copy_of_generated("dashboards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        publish(load_environment(EnvironmentName.LOCAL))
    workspace.olist("monitor")
    return workspace


@pytest.fixture
def published_copy(
    published_workspace: Workspace,
    make_workspace: Callable[[str], Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The home of the test: one with a published copy of its own, and nothing else."""
    made = make_workspace("site")
    made.serving.parent.mkdir(parents=True)
    shutil.copy(published_workspace.serving, made.serving)
    monkeypatch.setenv("OLIST_HOME", str(made.home))
    return made


@pytest.fixture
def environment(published_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("OLIST_HOME", str(published_workspace.home))
    return load_environment(EnvironmentName.LOCAL)


@pytest.fixture(scope="session")
def site(published_workspace: Workspace) -> Site:
    # The variable is put back at once: this fixture outlives the files of this folder.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(published_workspace.home))
        return build_site(load_environment(EnvironmentName.LOCAL))


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where pictures of the pages are kept as output of the tests; git ignores it."""
    folder = Path(request.config.rootpath) / "data" / "test-output" / "dashboards"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
