"""GitHub through its own CLI, which a runner has and which takes the job's token from GH_TOKEN."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from olist_platform.errors import OlistError

_SINGLE_PAGE = 100


class GitHub:
    """One repository."""

    def __init__(self, repository: str) -> None:
        """Name the repository.

        Args:
            repository: `<owner>/<name>`.
        """
        self._repository = repository

    def comment(self, pull_request: int, body: Path) -> None:
        """Write the one comment of a pull request, or bring it up to date.

        Raises:
            OlistError: GitHub refuses.
        """
        self._gh(
            *("pr", "comment", str(pull_request), "--repo", self._repository),
            *("--body-file", str(body), "--edit-last", "--create-if-none"),
        )

    def labels_of(self, commits: Iterable[str]) -> tuple[str, ...]:
        """Return the labels of the pull requests by which commits came in.

        Raises:
            OlistError: GitHub refuses.
        """
        found: set[str] = set()
        for commit in commits:
            pulls = self._api(f"repos/{self._repository}/commits/{commit}/pulls")
            found |= {label["name"] for pull in pulls for label in pull["labels"]}
        return tuple(sorted(found))

    def open_pull_requests(self) -> frozenset[int]:
        """Return the numbers of the open pull requests.

        Raises:
            OlistError: GitHub refuses.
        """
        path = f"repos/{self._repository}/pulls?state=open&per_page={_SINGLE_PAGE}"
        return frozenset(int(pull["number"]) for pull in self._api(path, "--paginate"))

    def release(self, tag: str, commit: str, title: str, notes: Path) -> None:
        """Make a release of GitHub's, which tags the commit; one of that tag is brought up to date.

        Raises:
            OlistError: GitHub refuses.
        """
        about = ("--repo", self._repository, "--title", title, "--notes-file", str(notes))
        try:
            self._gh("release", "view", tag, "--repo", self._repository)
        except OlistError:
            self._gh("release", "create", tag, "--target", commit, *about)
        else:
            self._gh("release", "edit", tag, *about)

    def _api(self, path: str, *options: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads(self._gh("api", path, *options))
        return answer

    def _gh(self, *arguments: str) -> str:
        executable = shutil.which("gh")
        if executable is None:
            raise OlistError("GitHub's CLI gh is not on PATH", "install it: https://cli.github.com")
        result = subprocess.run(  # noqa: S603 - GitHub's CLI, arguments as a list
            [executable, *arguments], capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise OlistError(
                f"gh {' '.join(arguments[:3])} fails: {result.stderr.strip()}",
                "see that GH_TOKEN has the permissions the workflow names",
            )
        return result.stdout
