"""A release unpacked on this machine: its files are its bundle's, its data is the checkout's."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from olist_platform.dbt_command import dbt_variables
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executables import installed_executable, run_captured
from olist_platform.naming import EnvironmentName
from olist_platform.process_groups import processes_marked, stop_processes
from olist_platform.release.bundle import Bundle
from olist_platform.release.bundle_manifest import (
    DIGEST_PATH,
    MANIFEST_PATH,
    RELEASE_FOLDER,
    dbt_manifest_path,
    sha256,
    short,
)
from olist_platform.repository import HOME_VARIABLE, repository_root, state_folder

_LINES_SHOWN = 15
# In every dbt that a deployment runs, and in what that starts: the environment's folder of trees.
_MARK = "OLIST_RELEASE_BUILDS"


class ReleaseTree:
    """A release's folder.

    Attributes:
        folder: Where its files lie, as in a checkout.
        digest: Its bundle's digest.
    """

    def __init__(self, environment: EnvironmentName, bundle: Bundle) -> None:
        self._name = environment
        self._bundle = bundle
        self.digest = bundle.digest
        self.folder = trees_folder(environment) / short(bundle.digest)

    def is_whole(self) -> bool:
        """Whether every file lies there as the bundle has it."""
        wanted = {path: file.sha256 for path, file in self._bundle.manifest.files.items()}
        wanted[MANIFEST_PATH] = sha256(self._bundle.read(MANIFEST_PATH))
        # Written last, so a tree that has it is finished.
        return (self.folder / DIGEST_PATH).is_file() and all(
            (self.folder / path).is_file() and sha256((self.folder / path).read_bytes()) == checksum
            for path, checksum in wanted.items()
        )

    def unpack(self) -> None:
        """Write every file, unless they are all there.

        Raises:
            OlistError: They cannot be written.
        """
        if self.is_whole():
            return
        self._bundle.unpack(self.folder)
        with os_errors_explained(self.folder):
            # What is not of a commit: the data, and the tools that `make setup` installed.
            (self.folder / "data").symlink_to(repository_root() / "data")
            (self.folder / ".venv").symlink_to(Path(sys.prefix))
            (self.folder / DIGEST_PATH).write_text(f"{self.digest}\n", encoding="ascii")

    def environment(self) -> Environment:
        """Return the environment's settings as the release has them.

        Raises:
            OlistError: Their file is faulty.
        """
        return load_environment(self._name, self.folder / "environments")

    def dbt_state_folder(self) -> Path:
        """Folder of the environment's dbt manifest, for dbt's `--state`."""
        return (self.folder / dbt_manifest_path(self._name)).parent

    def variables(self) -> dict[str, str]:
        """Return what makes the release's own code, and no other, run in a process."""
        return {
            HOME_VARIABLE: str(self.folder),
            "PYTHONPATH": str(self.folder / "platform" / "src"),
        }

    def run_dbt(
        self, arguments: Sequence[str], target_path: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run dbt on the release's project.

        Args:
            arguments: dbt's own.
            target_path: Folder of its artifacts.
            variables: Environment variables that replace the environment's.

        Raises:
            OlistError: dbt is not installed.
        """
        project = self.folder / "dbt"
        return run_captured(
            [str(installed_executable("dbt")), *arguments],
            os.environ
            | dbt_variables(self.environment(), project)
            | {
                "DBT_PROJECT_DIR": str(project),
                "DBT_PROFILES_DIR": str(project),
                "DBT_TARGET_PATH": str(target_path),
                "DBT_LOG_PATH": str(target_path / "logs"),
                _MARK: str(trees_folder(self._name)),
            }
            | dict(variables),
            self.folder,
        )


def trees_folder(environment: EnvironmentName) -> Path:
    """Folder of an environment's unpacked releases on this machine."""
    return state_folder(environment) / RELEASE_FOLDER


def stop_leftovers(environment: EnvironmentName) -> None:
    """End what a deployer that was killed has left running: it would build beside the next one."""
    stop_processes(processes_marked(_MARK, str(trees_folder(environment))))


def last_lines(result: subprocess.CompletedProcess[str]) -> str:
    """Return the end of what a command said."""
    lines = (result.stdout + result.stderr).strip().splitlines()
    return "\n  ".join(lines[-_LINES_SHOWN:])


def failed_command(what: str, result: subprocess.CompletedProcess[str], mend: str) -> OlistError:
    """Return the error of a command that failed, with the end of what it said."""
    return OlistError(f"{what} (exit code {result.returncode}):\n  {last_lines(result)}", mend)
