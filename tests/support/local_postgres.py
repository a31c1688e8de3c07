"""A PostgreSQL of Debian's package, in a folder of its own, on a free port of this machine."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from free_port import free_port

USER = "airflow"
_PROGRAMS = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root; the package makes this user.
_SYSTEM_USER = "postgres"
# What it would do for a disk that loses power takes most of the time here.
_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "log_min_messages=log")


def require_postgres() -> Path:
    """Return the folder of PostgreSQL's programs; the test is skipped without the package."""
    folders = sorted(_PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name))
    if not folders:
        pytest.skip("Debian's package postgresql is not installed: make system-packages")
    return folders[-1]


@contextmanager
def local_postgres(database: str) -> Iterator[str]:
    """Run a new PostgreSQL; the value is its address, without a scheme in front."""
    programs = require_postgres()
    # Not pytest's folder: it is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="olist-postgres-"))
    as_user = {"user": _SYSTEM_USER, "group": _SYSTEM_USER} if os.getuid() == 0 else {}
    password, port = secrets.token_hex(8), free_port()
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(password, encoding="utf-8")
    for path in (folder, password_file) if as_user else ():
        shutil.chown(path, **as_user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            capture_output=True,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": password, "LC_ALL": "C.UTF-8"},
            **as_user,  # type: ignore[call-overload] # no keyword of it is among the others
        )

    options = " ".join(f"-c {setting}" for setting in _SETTINGS)
    try:
        run(
            *("initdb", f"--pgdata={data}", f"--username={USER}", "--auth=scram-sha-256"),
            *(f"--pwfile={password_file}", "--encoding=UTF8", "--no-sync"),
        )
        run(
            *("pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={folder / 'log'}"),
            f"--options=-p {port} -c listen_addresses=127.0.0.1 -k {folder} {options}",
        )
        run("createdb", "--host=127.0.0.1", f"--port={port}", f"--username={USER}", database)
        yield f"{USER}:{password}@127.0.0.1:{port}/{database}"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={data}")
        shutil.rmtree(folder, ignore_errors=True)
