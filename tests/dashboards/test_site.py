"""The site as files: equal for equal marts, swapped whole, and told plainly what is in its way."""

import json
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import duckdb
import pytest

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.site import BUILD_FILE, build_site, tile_widths
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(published_copy: Workspace) -> Workspace:
    return published_copy


@pytest.fixture
def local(workspace: Workspace) -> Environment:
    assert workspace.serving.exists()
    return load_environment(EnvironmentName.LOCAL)


def change_marts(workspace: Workspace, statement: str) -> None:
    """As a publication does: another file takes the name."""
    partial = workspace.serving.with_suffix(".part")
    shutil.copy(workspace.serving, partial)
    with duckdb.connect(str(partial)) as connection:
        connection.execute(statement)
    partial.replace(workspace.serving)


def test_equal_marts_give_equal_bytes_and_another_mart_another_build(
    workspace: Workspace, local: Environment, tmp_path: Path
) -> None:
    first = build_site(local)
    assert first.folder == workspace.home / "data" / "local" / "dashboards"
    elsewhere = build_site(local, tmp_path / "site")
    assert elsewhere.build == first.build
    names = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*.*"))
    assert len(names) == 4 + 3 + 1
    for name in names:
        assert (first.folder / name).read_bytes() == (elsewhere.folder / name).read_bytes(), name
    former = first.folder.resolve()
    change_marts(workspace, "update mart_executive_kpis set gmv = gmv + 1")
    second = build_site(local)
    assert second.build != first.build
    assert (second.folder / BUILD_FILE).read_text(encoding="utf-8") == f"{second.build}\n"
    # Who has a page of the former build open still finds it; the one before is gone.
    assert (former / "index.html").exists()
    change_marts(workspace, "update mart_executive_kpis set gmv = gmv + 1")
    build_site(local)
    assert not former.exists()


def test_a_build_that_fails_leaves_the_former_site(
    workspace: Workspace, local: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_site(local)
    page = first.first_page.read_bytes()
    change_marts(workspace, "alter table mart_executive_kpis drop column gmv")
    with pytest.raises(OlistError, match="gmv"):
        build_site(local)
    assert first.first_page.read_bytes() == page

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    change_marts(workspace, "drop table mart_executive_kpis")
    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OlistError, match="no space left on the disk"):
        build_site(local)
    assert first.first_page.read_bytes() == page
    builds = first.folder.with_name("dashboards.builds")
    assert [path.name for path in builds.iterdir() if path.is_dir()] == [first.build]


def test_what_is_in_the_way_or_missing_is_told(
    workspace: Workspace, local: Environment, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(OlistError, match="it is no site of dashboards"):
        build_site(local, tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []
    workspace.serving.unlink()
    printed = workspace.olist("dashboards", "build", expect=1)
    assert "nothing is published yet" in printed
    printed = workspace.olist("dashboards", "build", "--env", "prod", expect=1)
    assert "the secret OLIST_SNOWFLAKE_PRIVATE_KEY is not set" in printed


def test_without_the_warehouse_monitoring_is_not_recorded_yet(local: Environment) -> None:
    """The published copy is all that this workspace has."""
    text = (build_site(local).folder / "platform.html").read_text(encoding="utf-8")
    found = re.search(r'id="content-data">(.*?)</script>', text, re.DOTALL)
    assert found
    tiles = json.loads(found[1])["tiles"]
    assert len(tiles) > 8
    assert {len(tile["rows"]) for tile in tiles} == {0}
    said = {tile["name"]: tile["empty"] for tile in tiles}
    assert said["quality_scores"].startswith("Not recorded yet: its source is not built")
    assert (
        said["checks"] == "Not recorded yet: no pass of the checks has run. By hand: olist monitor"
    )


def test_a_page_that_ends_a_script_in_its_data_is_still_one_page(
    workspace: Workspace, local: Environment
) -> None:
    change_marts(
        workspace,
        "update mart_seller_management set recommendation = '</script><script>alert(1)</script>'",
    )
    text = (build_site(local).folder / "operations.html").read_text(encoding="utf-8")
    assert "alert(1)" in text
    assert "<script>alert" not in text


def test_rows_of_tiles_have_no_gaps_on_a_wide_screen() -> None:
    share = {"quarter": 3, "third": 4, "half": 6, "whole": 12}
    for dashboard in load_dashboards():
        for page in dashboard.pages:
            filled = 0
            for width in tile_widths(page).values():
                if filled + share[width] > 12:
                    pytest.fail(f"{dashboard.name}.{page.name}: a gap of {12 - filled} of 12")
                filled = (filled + share[width]) % 12
            assert filled == 0, f"{dashboard.name}.{page.name}"


def test_serve_shows_what_is_published_next(workspace: Workspace) -> None:
    command = ["dashboards", "serve", "--port", "0", "--every", "0.2"]
    with workspace.start(*command, stderr=subprocess.STDOUT) as server:
        assert server.stdout
        try:
            address = server.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            port = address.split(":")[2].strip("/")
            taken = workspace.olist("dashboards", "serve", "--port", port, expect=1)
            assert f"port {port} of 127.0.0.1 is not free" in taken
            first = ask(address + BUILD_FILE)
            assert "<title>Executive performance" in ask(address)
            change_marts(workspace, "update mart_executive_kpis set gmv = gmv + 1")
            assert server.stdout.readline().startswith("rebuilt: build ")
            assert ask(address + BUILD_FILE) != first
            change_marts(workspace, "alter table mart_executive_kpis drop column gmv")
            assert server.stdout.readline().startswith("the former pages stay: ")
            assert "<title>Executive performance" in ask(address)
            # What it says that ends it is no fault.
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 0
            assert server.stdout.read() == ""
        finally:
            server.kill()
    with pytest.raises(OSError, match="refused"):
        ask(address)


def ask(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.headers["Cache-Control"] == "no-cache"
        return str(answer.read().decode())
