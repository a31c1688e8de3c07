"""The files of a commit, as git stores them: no working tree, no attributes, no settings."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from olist_platform.errors import OlistError
from olist_platform.release.bundle import SourceFile

_PROGRAM, _FILE = "100755", "100644"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.

    Attributes:
        sha: Its hash.
        committed_at: When it was made, UTC.
        subject: First line of its message.
    """

    sha: str
    committed_at: datetime
    subject: str


def read_commit(repository: Path, reference: str) -> Commit:
    """Return the commit that a reference names.

    Raises:
        OlistError: There is none, or no git.
    """
    wanted = f"{reference}^{{commit}}"
    shown = _git(
        repository, "show", "--no-patch", "--format=%H%x00%ct%x00%s", "--end-of-options", wanted
    )
    return _commit(shown.decode(errors="replace").rstrip("\n"))


def knows_commit(repository: Path, sha: str) -> bool:
    """Whether a clone has a commit; of a branch that was squashed and deleted, none has it."""
    try:
        _git(repository, "cat-file", "-e", f"{sha}^{{commit}}")
    except OlistError:
        return False
    return True


def commits_between(repository: Path, before: str | None, last: str) -> tuple[Commit, ...]:
    """Return the commits that came in after one and up to another, the newest first.

    Args:
        repository: The repository, with its whole history.
        before: Hash of the first that is not asked for; None for all.
        last: Hash of the last one.

    Raises:
        OlistError: One of them is not there.
    """
    reach = last if before is None else f"{before}..{last}"
    shown = _git(repository, "log", "--format=%H%x00%ct%x00%s", "--end-of-options", reach)
    # Not `splitlines`: a message may hold other separators of lines than git's.
    lines = shown.decode(errors="replace").rstrip("\n")
    return tuple(_commit(line) for line in lines.split("\n") if line)


def uncommitted_changes(repository: Path, folders: Sequence[str]) -> list[str]:
    """Return the files below some folders that differ from HEAD, untracked ones included."""
    status = _git(repository, "status", "--porcelain=v1", "-z", "--no-renames", "--", *folders)
    return sorted(entry[3:] for entry in status.decode().split("\0") if entry)


def files_of(repository: Path, commit: str, folders: Sequence[str]) -> dict[str, SourceFile]:
    """Return the files of a commit below some folders, by path.

    Args:
        repository: The repository.
        commit: Hash of the commit.
        folders: Folders and files of its root; one that the commit has not is passed over.

    Raises:
        OlistError: There is a link or a submodule among them.
    """
    listed = _git(repository, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders)
    entries: list[tuple[str, str, str]] = []
    for line in listed.decode().split("\0"):
        if not line:
            continue
        about, path = line.split("\t", 1)
        mode, _, blob = about.split(" ")
        if mode not in {_PROGRAM, _FILE}:
            raise OlistError(
                f"{path}: it is a link or a submodule, which a release cannot hold",
                "put the file itself there",
            )
        entries.append((path, mode, blob))
    contents = _blobs(repository, [blob for _, _, blob in entries])
    return {
        path: SourceFile(content, executable=mode == _PROGRAM)
        for (path, mode, _), content in zip(entries, contents, strict=True)
    }


def _commit(line: str) -> Commit:
    sha, seconds, subject = line.split("\0")
    return Commit(sha, datetime.fromtimestamp(int(seconds), UTC), subject)


def _blobs(repository: Path, names: Sequence[str]) -> list[bytes]:
    request = "".join(f"{name}\n" for name in names).encode()
    answer = _git(repository, "cat-file", "--batch", stdin=request)
    contents: list[bytes] = []
    place = 0
    for _ in names:
        line_end = answer.index(b"\n", place)
        size = int(answer[place:line_end].split(b" ")[2])
        contents.append(answer[line_end + 1 : line_end + 1 + size])
        place = line_end + 1 + size + 1
    return contents


def _git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    try:
        result = subprocess.run(  # noqa: S603 - git, with arguments that no shell reads
            ["git", "-C", str(repository), *arguments],  # noqa: S607 - the user's git
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise OlistError("git is not installed", "install it: a release is of a commit") from None
    if result.returncode != 0:
        said = result.stderr.decode(errors="replace").strip()
        raise OlistError(
            f"{repository}: git {arguments[0]}: {said}",
            "a release is built in a clone of the repository, of a commit that `git log` shows",
        )
    return result.stdout
