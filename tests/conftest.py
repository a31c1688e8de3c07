"""Fixtures of every area."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from olist_workspace import ROOT, Workspace


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workspace]:
    def make(name: str) -> Workspace:
        home = tmp_path_factory.mktemp(name)
        for folder in ("dbt", "dags", "environments"):
            (home / folder).symlink_to(ROOT / folder)
        return Workspace(home)

    return make


@pytest.fixture(scope="session")
def olist_sample() -> Path:
    """The real sample, which lies beside the checkout and is never part of it."""
    folder = Path(os.environ.get("OLIST_SAMPLE", ROOT.parent / "shared" / "olist-sample"))
    if not folder.is_dir():
        pytest.skip(f"the real sample is not at {folder}; set OLIST_SAMPLE to its folder")
    return folder
