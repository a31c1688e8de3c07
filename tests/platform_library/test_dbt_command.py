"""The manifest that everything reads: whole and of today's project, or made anew."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from olist_platform import dbt_command
from olist_platform.column_lineage import read_project_lineage
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.publication import published_marts
from olist_workspace import ROOT


@pytest.mark.parametrize("left_by_a_killed_dbt", [b"", b'{"nodes": {"model.olist.a": {'])
def test_half_a_manifest_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_by_a_killed_dbt: bytes
) -> None:
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    local = load_environment(EnvironmentName.LOCAL)
    # Younger than every file of the project.
    manifest = dbt_command.manifest_path(local)
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(left_by_a_killed_dbt)
    asked = []

    def run_dbt(
        environment: Environment, arguments: Sequence[str], *, quiet: bool
    ) -> CompletedProcess[str]:
        assert environment is local
        assert quiet
        asked.append(arguments)
        manifest.write_text('{"nodes": {}}', encoding="utf-8")
        return CompletedProcess(arguments, 0)

    monkeypatch.setattr(dbt_command, "run_dbt", run_dbt)
    for _ in range(2):
        assert dbt_command.fresh_manifest(local) == manifest
        assert json.loads(manifest.read_bytes()) == {"nodes": {}}
    assert asked == [["parse"]]


@pytest.mark.parametrize(
    "read",
    [
        dbt_command.read_manifest,
        published_marts,
        partial(read_project_lineage, dialect="duckdb"),
    ],
)
def test_a_manifest_that_another_dbt_is_writing_is_told(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"nodes": {"model.olist.a": {', encoding="utf-8")
    with pytest.raises(OlistError) as raised:
        read(manifest)
    assert raised.value.message == f"{manifest}: dbt has not written it to its end"
    assert raised.value.mend.endswith("run the same command again")
