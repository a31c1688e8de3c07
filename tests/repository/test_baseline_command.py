"""`make baseline` writes what is decided, as whoever changes a model or a role runs it."""

import os
import shutil
import subprocess
from pathlib import Path

from olist_platform.repository import HOME_VARIABLE, repository_root

WRITTEN = ("tests/dbt_project/schema_baseline.yml", "tests/infra/access_matrix.md")
READ = ("dbt", "environments", "infra", "platform", "policies", ".venv")


def test_it_writes_the_baselines_anew(tmp_path: Path) -> None:
    root = repository_root()
    for name in READ:
        (tmp_path / name).symlink_to(root / name)
    shutil.copy(root / "Makefile", tmp_path)
    shutil.copytree(root / "tests/support", tmp_path / "tests/support")
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("of another day\n")
    done = subprocess.run(
        # What it runs in is this installation, however old the copied files look.
        ["make", "--assume-old=.venv/.set-up-for-development", "baseline"],
        cwd=tmp_path,
        env=os.environ | {HOME_VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in WRITTEN:
        assert (tmp_path / name).read_text() == (root / name).read_text(), name
