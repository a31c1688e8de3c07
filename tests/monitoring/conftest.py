"""A monitored environment of its own for each test that wants one."""

from pathlib import Path
from typing import Any

import pytest

from monitored_place import MakePlace, MonitoredPlace, environment
from olist_workspace import ROOT


@pytest.fixture
def make_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlace:
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))

    def make(**monitoring: Any) -> MonitoredPlace:
        return MonitoredPlace(environment(**monitoring))

    return make


@pytest.fixture
def place(make_place: MakePlace) -> MonitoredPlace:
    return make_place()
