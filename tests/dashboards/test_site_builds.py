"""The folders of a site's builds: two at once, and what a killed one leaves."""

import shutil
import threading
from pathlib import Path

import pytest

from olist_platform.dashboards.site import BUILD_FILE, Site, _put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site"


def put(text: str, folder: Path) -> Site:
    return _put({"index.html": text.encode()}, folder)


def builds(folder: Path) -> set[str]:
    return {path.name for path in folder.with_name("site.builds").iterdir() if path.is_dir()}


def test_of_two_builds_at_once_neither_clears_the_other_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("first", folder)
    link = Path.symlink_to
    others: list[threading.Thread] = []

    def overtaken(self: Path, target: Path) -> None:
        """Before the second build is linked to, a third one begins."""
        if not others:
            others.append(threading.Thread(target=put, args=["third", folder]))
            others[0].start()
            others[0].join(timeout=1)
        link(self, target)

    monkeypatch.setattr(Path, "symlink_to", overtaken)
    second = put("second", folder)
    others[0].join()
    assert (folder / "index.html").read_text(encoding="utf-8") == "third"
    newest = (folder / BUILD_FILE).read_text(encoding="utf-8").strip()
    assert newest == folder.resolve().name
    # The former one stays for those who have its pages open.
    assert builds(folder) == {second.build, newest}


def test_what_a_killed_build_leaves_goes_and_never_passes_for_a_whole_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put("first", folder)
    (folder.with_name("site.builds") / ".part-killed" / "pages").mkdir(parents=True)
    with monkeypatch.context() as patched:
        # Killed while it removed the first one.
        patched.setattr(
            shutil, "rmtree", lambda gone, **_: (Path(gone) / "index.html").unlink(missing_ok=True)
        )
        for text in ("second", "third"):
            put(text, folder)
    again = put("first", folder)
    assert again.build == first.build
    assert (folder / "index.html").read_text(encoding="utf-8") == "first"
    assert len(builds(folder)) == 2
