"""The capture of the program as it is at a git reference, by that tree's own code."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_json import from_json
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.naming import EnvironmentName
from olist_platform.repository import HOME_VARIABLE, repository_root

_LIBRARY = Path("platform") / "src"
_CAPTURE = Path("olist_platform") / "infrastructure_plan" / "capture_process.py"
_PROGRAM = Path("infra") / "__main__.py"


def commit_of(reference: str) -> str:
    """Return the hash of the commit that a reference names.

    Raises:
        OlistError: There is no such reference, or no git.
    """
    wanted = f"{reference}^{{commit}}"
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted, of=reference)
    return found.decode().strip()


def capture_reference(reference: str, environment: EnvironmentName) -> CapturedProgram | None:
    """Capture the program of another commit; nothing of this checkout is touched.

    Args:
        reference: A commit, branch or tag.
        environment: The environment, read from that commit's files.

    Returns:
        The capture, or None when there was no program yet.

    Raises:
        OlistError: There is no such reference, or its program fails.
    """
    archive = _git("archive", "--format=tar", commit_of(reference), of=reference)
    with tempfile.TemporaryDirectory(prefix="olist-plan-") as folder:
        tree = Path(folder)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(tree, filter="data")
        if not (tree / _PROGRAM).is_file():
            return None
        if not (tree / _LIBRARY / _CAPTURE).is_file():
            raise OlistError(
                f"{reference} has a Pulumi program but not yet the command to look at it",
                "compare with a later commit",
            )
        return _capture_tree(tree, reference, environment)


def _capture_tree(tree: Path, reference: str, environment: EnvironmentName) -> CapturedProgram:
    result = subprocess.run(  # noqa: S603 - this interpreter, on a tree of this repository
        [
            sys.executable,
            "-m",
            "olist_platform.infrastructure_plan.capture_process",
            environment,
        ],
        env=os.environ | {"PYTHONPATH": str(tree / _LIBRARY), HOME_VARIABLE: str(tree)},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return from_json(result.stdout)
    try:
        error = json.loads(result.stderr)
        message, mend = error["message"], error["mend"]
    except ValueError:
        message, mend = (result.stderr.strip().splitlines() or ["it said nothing"])[-1], ""
    raise OlistError(f"at {reference}: {message}", mend or "compare with another commit")


def _git(*arguments: str, of: str) -> bytes:
    root = repository_root()
    try:
        result = subprocess.run(  # noqa: S603 - git, with arguments that no shell reads
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise OlistError("git is not installed", "install it, or leave --against out") from None
    if result.returncode != 0:
        said = result.stderr.decode(errors="replace").strip()
        raise OlistError(
            f"'{of}' is no commit, branch or tag of {root}" + (f": {said}" if said else ""),
            "use one that `git log` or `git branch --all` shows",
        )
    return result.stdout
