"""The generated orders, published, for every test of the report."""

from collections.abc import Callable, Iterator

import pytest

from olist_workspace import Workspace
from published_workspace import Published, publish_workspace


@pytest.fixture(scope="module")
def published(copy_of_generated: Callable[[str], Workspace]) -> Iterator[Published]:
    workspace = copy_of_generated("executive_report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(workspace.home))
        yield publish_workspace(workspace)
