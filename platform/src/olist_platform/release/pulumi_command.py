"""The Pulumi CLI on a release's program: what would change, and making it so."""

import json
import os
import shutil
import subprocess

from olist_platform.environment import S3Landing
from olist_platform.errors import OlistError
from olist_platform.executables import run_captured
from olist_platform.release.release_tree import ReleaseTree, failed_command

_POLICIES = ("--policy-pack", "../policies")
_UNATTENDED = ("--non-interactive", "--color", "never")
_UNCHANGED = {"same", "read"}
_BACKEND = "PULUMI_BACKEND_URL"


class PulumiStack:
    """The environment's stack, as a release's program describes it."""

    def __init__(self, tree: ReleaseTree) -> None:
        self._tree = tree
        self._environment = tree.environment()
        self._stack = self._environment.names.pulumi_stack

    def stands(self) -> bool:
        """Whether `pulumi up` would change nothing.

        Raises:
            OlistError: The preview fails: a policy is broken, the program or a provider fails.
        """
        return not self._changes(self._pulumi("preview", "--json", *_POLICIES))

    def _changes(self, result: subprocess.CompletedProcess[str]) -> dict[str, int]:
        """Return how many resources would change in which way."""
        try:
            summary: dict[str, int] = json.loads(result.stdout)["changeSummary"]
        except (ValueError, KeyError, TypeError):
            raise failed_command(
                f"pulumi preview of {self._stack} says nothing that can be read",
                result,
                f"run it by hand: {self._by_hand('preview')}",
            ) from None
        return {kind: count for kind, count in summary.items() if count and kind not in _UNCHANGED}

    def drift(self) -> str:
        """Say what stands otherwise than the program describes; empty where nothing does.

        Raises:
            OlistError: The preview fails.
        """
        result = self._pulumi("preview", "--refresh", "--json", *_POLICIES)
        return ", ".join(f"{count} {kind}" for kind, count in self._changes(result).items())

    def up(self) -> None:
        """Bring the stack to what the program describes.

        Raises:
            OlistError: Pulumi fails; what it did until then is in its state.
        """
        self._pulumi("up", "--yes", "--skip-preview", *_POLICIES)

    def _pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        executable = shutil.which("pulumi")
        if executable is None:
            raise OlistError(
                "the Pulumi CLI is not on PATH",
                "install it: https://www.pulumi.com/docs/install/",
            )
        result = run_captured(
            [
                executable,
                *("-C", str(self._tree.folder / "infra")),
                *arguments,
                *("--stack", self._stack),
                *_UNATTENDED,
            ],
            self._backend() | os.environ | self._tree.variables(),
            self._tree.folder,
        )
        if result.returncode:
            raise failed_command(
                f"pulumi {arguments[0]} of {self._stack} fails",
                result,
                f"see what it says by hand: {self._by_hand(arguments[0])}",
            )
        return result

    def _backend(self) -> dict[str, str]:
        """Where the state is, unless the caller is logged in elsewhere."""
        landing = self._environment.landing
        if not isinstance(landing, S3Landing) or landing.endpoint_url is not None:
            return {}
        names = self._environment.names
        return {_BACKEND: names.state_backend_url(landing.aws_account_id, landing.region)}

    def _by_hand(self, command: str) -> str:
        return f"pulumi -C {self._tree.folder / 'infra'} {command} --stack {self._stack}"
