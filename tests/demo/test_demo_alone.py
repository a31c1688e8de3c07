"""A demo changes nothing under another one, nor under a DAG run."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from olist_platform.airflow_home import the_only_run
from olist_platform.demo import run_demo
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.file_lock import held_or_refused
from olist_platform.naming import EnvironmentName
from olist_platform.progress import Progress
from olist_platform.repository import state_folder
from olist_platform.source_catalog import CATALOG


class _Steps:
    """Shows no step."""

    def step(self, title: str) -> AbstractContextManager[Progress]:
        raise AssertionError(f"nothing may be done: {title}")

    def task(self, task_id: str, state: str) -> None:
        raise AssertionError(f"no DAG may run: {task_id} is {state}")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A home whose warehouse was filled from another input."""
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(Path(__file__).parents[2] / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    local = load_environment(EnvironmentName.LOCAL)
    local.duckdb_path.parent.mkdir(parents=True)
    local.duckdb_path.write_text("another input's warehouse", encoding="utf-8")
    return local


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files that could be landed."""
    folder = tmp_path / "source"
    folder.mkdir()
    for dataset in CATALOG:
        (folder / dataset.file_name).write_text(f"{','.join(dataset.header)}\n", encoding="utf-8")
    return folder


def refused(environment: Environment, source: Path | None) -> str:
    with pytest.raises(OlistError) as raised:
        run_demo(environment, _Steps(), source, allow_missing=False)
    held = environment.duckdb_path.read_text(encoding="utf-8")
    assert held == "another input's warehouse", "it was set aside under who works on it"
    return raised.value.message


def test_a_second_demo_is_told_of_the_first(environment: Environment, source: Path) -> None:
    lock = state_folder(environment.name) / "demo.lock"
    with held_or_refused(lock, "the first", ""):
        for given in (source, None):
            told = refused(environment, given)
            assert told == f"another demo is going on (PID {os.getpid()})"


def test_nothing_is_set_aside_under_a_dag_run(environment: Environment, source: Path) -> None:
    with the_only_run(environment):
        for given in (source, None):
            assert "another DAG run is going on" in refused(environment, given)
