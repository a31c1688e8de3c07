"""Workspaces that are built once in a test session, for all files and workers, and then copied."""

import shutil
from collections.abc import Callable
from pathlib import Path

from made_once import made_once
from olist_workspace import Workspace
from parsed_project import adopt_parsed

GENERATED_ORDERS = 5000
# Sums of hashes and statistics of this data set stand in no test: another seed must do too.
GENERATED_SEED = 5


def build_generated(workspace: Workspace) -> None:
    """Generated orders with reality's dirt: every model built, every unit and data test green."""
    files = workspace.home / "data" / "files"
    workspace.olist(
        "generate", files, "--orders", str(GENERATED_ORDERS), "--seed", str(GENERATED_SEED)
    )
    workspace.olist("land", files)
    workspace.olist("load")
    workspace.olist("dbt", "--", "build", "--quiet", "--warn-error")


def build_sample(workspace: Workspace, sample: Path) -> None:
    """The real sample: every model built, every data test green, and no warning."""
    workspace.olist("land", sample, "--allow-missing")
    workspace.olist("load")
    # What unit tests say does not depend on the data; the generated orders' build runs them.
    workspace.olist(
        "dbt", "--", "build", "--quiet", "--warn-error", "--exclude-resource-type", "unit_test"
    )


class PreparedWorkspaces:
    """Hands out copies of workspaces, each prepared by the first who asks for it.

    Whoever asks meanwhile, in this process or another, waits.
    """

    def __init__(self, folder: Path, make: Callable[[str], Workspace]) -> None:
        """Keep the originals in `folder`, which the workers of a session share."""
        self._folder = folder
        self._make = make

    def copy(self, name: str, prepare: Callable[[Workspace], object], copy_name: str) -> Workspace:
        """Return a workspace of its own with the data that `prepare` made, under `name`."""
        original = Workspace(self._folder / name)
        made_once(original.home, lambda: self._prepare(name, prepare, original))
        copied = self._make(copy_name)
        # With its times: the manifest is as young as it was.
        shutil.copytree(original.home / "data", copied.home / "data", dirs_exist_ok=True)
        adopt_parsed(copied, copied_from=original)
        return copied

    def _prepare(
        self, name: str, prepare: Callable[[Workspace], object], original: Workspace
    ) -> None:
        made = self._make(name)
        prepare(made)
        made.home.rename(original.home)
        adopt_parsed(original, copied_from=made)
