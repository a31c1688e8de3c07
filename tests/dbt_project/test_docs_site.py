"""One page documents the warehouse, opens without a network and is replaced whole."""

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from compiled_project import copy_dbt
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    """A built warehouse with a dbt project of its own."""
    workspace = copy_of_generated("docs")
    copy_dbt(workspace.home)
    return workspace


@pytest.fixture(scope="module")
def page(built: Workspace) -> Path:
    printed = built.olist("docs", "build").strip()
    assert printed == str(built.home / "data" / "local" / "docs" / "index.html")
    return Path(printed)


def rendered(page: Path, place: str, folder: Path) -> str:
    """What a browser without a network makes of a place in the page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is installed; any of {', '.join(BROWSERS)} would do")
    return subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"),
            *("--disable-background-networking", f"--user-data-dir={folder / 'browser'}"),
            *("--virtual-time-budget=15000", "--dump-dom", f"{page.as_uri()}{place}"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def test_the_page_shows_the_columns_of_a_model(page: Path, tmp_path: Path) -> None:
    dom = rendered(page, "#!/model/model.olist.stg_orders", tmp_path)
    text = re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL)
    assert "stg_orders" in text
    for expected in ("purchase_date", "DATE", "is_on_time", "BOOLEAN", "Data platform", "order_id"):
        assert expected in text, expected


def test_the_page_draws_the_lineage_graph(page: Path, tmp_path: Path) -> None:
    dom = rendered(page, "#!/overview?g_v=1", tmp_path)
    text = re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL)
    assert "The Olist warehouse" in text
    (width,) = re.findall(r'data-id="layer2-node" width="(\d+)"', text)
    assert int(width) > 800


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server of this machine and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_the_page_may_not_ask_anybody_anything(page: Path, tmp_path: Path) -> None:
    whole = page.read_text(encoding="utf-8")
    policy = re.search(r'<head>(<meta http-equiv="Content-Security-Policy"[^>]*>)', whole)
    assert policy
    with listening() as (address, asked):
        intruder = f'<script src="{address}/script"></script><img src="{address}/image">'
        copy = tmp_path / "page.html"
        copy.write_text(whole.replace("</head>", f"{intruder}</head>", 1), encoding="utf-8")
        rendered(copy, "", tmp_path)
        assert asked == []
        # Without the policy the same page would have asked: the server is heard.
        text = copy.read_text(encoding="utf-8").replace(policy.group(1), "", 1)
        copy.write_text(text, encoding="utf-8")
        rendered(copy, "", tmp_path)
        assert sorted(set(asked)) == ["/image", "/script"]


def test_a_failure_leaves_the_former_page(built: Workspace, page: Path) -> None:
    former = page.read_bytes()
    aside = built.warehouse.with_suffix(".aside")
    built.warehouse.rename(aside)
    try:
        printed = built.olist("docs", "build", expect=1)
        assert str(built.warehouse) in printed
        assert not built.warehouse.exists()
    finally:
        aside.replace(built.warehouse)
    broken = built.home / "dbt" / "models" / "staging" / "stg_broken.sql"
    broken.write_text("select * from {{ ref('nobody') }}", encoding="utf-8")
    printed = built.olist("docs", "build", expect=1)
    assert "error: the dbt project does not parse" in printed
    assert "depends on a node named 'nobody'" in printed
    assert page.read_bytes() == former
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
