"""A release's marts on Snowflake: built in schemas of their own, cloned to readers when they pass.

| schema | what it is |
| --- | --- |
| `release_<digest>_<layer>` | the release's dbt project, built beside what runs |
| `served_<digest>` | what readers had last under a release |

The release's schemas begin as clones of what the former release built (`dbt clone`), so incremental
models build on what is there and storage is paid for what changes only.
"""

import json
import subprocess
from collections.abc import Mapping
from datetime import date
from typing import Any

from olist_platform.dbt_run_results import count_results, invocation_id
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.release.bundle import Bundle
from olist_platform.release.bundle_manifest import short
from olist_platform.release.release_tree import ReleaseTree, failed_command, trees_folder
from olist_platform.release.smoke_tests import MartFacts

_FAULTS_SHOWN = 10
# Before the one line of JSON that a macro answers with.
_ANSWER = "olist-release-facts:"


class SnowflakeSide:
    """The side build of one release in its environment's database."""

    def __init__(self, tree: ReleaseTree, bundle: Bundle) -> None:
        self._tree = tree
        self._environment = tree.environment()
        self._schema = f"release_{short(bundle.digest)}"
        self._target = trees_folder(self._environment.name) / "builds" / short(bundle.digest)

    def is_built(self) -> bool:
        """Whether the marts stand, built after everything that raw holds now was loaded."""
        return bool(self._ask()["is_built"])

    def build(self, former: ReleaseTree | None) -> None:
        """Clone what the former release built, and build and test everything on it.

        Raises:
            OlistError: dbt fails.
        """
        if former is not None:
            self._dbt("clone", "--state", str(former.dbt_state_folder()), "--full-refresh")
        self._dbt("build")
        self._operate("mark_release_built")

    def facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that were built."""
        return _mart_facts(self._ask()["built"])

    def served_facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that readers have; empty when there are none."""
        return _mart_facts(self._ask()["served"])

    def kept_marts(self) -> str:
        """Say from when the marts are that readers had last under this release."""
        return str(self._ask()["kept"] or "")

    def is_published(self) -> bool:
        """Whether readers have this release's marts."""
        return self._served_by() == self._tree.digest

    def publish(self, former_digest: str | None) -> None:
        """Clone the built marts into the serving schema, and keep what was there."""
        results = self._target / "run_results.json"
        self._serve(former_digest, {"invocation": invocation_id(results)})

    def publish_kept(self, former_digest: str | None) -> None:
        """Hand readers what they had last under this release."""
        self._serve(former_digest, {"kept": _kept_schema(self._tree.digest)})

    def put_back(self, former_digest: str | None) -> None:
        """Give readers what they had under the former release, if they have anything else.

        A switch that stopped half-way left them marts of both.
        """
        if former_digest and not self._has_untouched(former_digest):
            self._operate(
                "serve_release",
                {"digest": former_digest, "kept": _kept_schema(former_digest)},
            )

    def _serve(self, former_digest: str | None, source: dict[str, Any]) -> None:
        # Kept once: a switch that is gone on with finds marts of both releases, and its own copy.
        keep_as = None
        if former_digest and self._has_untouched(former_digest):
            keep_as = _kept_schema(former_digest)
        self._operate("serve_release", {"digest": self._tree.digest, "keep_as": keep_as} | source)

    def _served_by(self) -> str | None:
        """Return the digest of the release that readers have.

        Empty while they are switched, None where no release was ever served.
        """
        served_by: str | None = self._ask()["served_by"]
        return served_by

    def _has_untouched(self, former_digest: str) -> bool:
        """Whether readers have nothing but what they had under the former release."""
        return self._served_by() in {former_digest, None}

    def _ask(self) -> dict[str, Any]:
        """Return what the macro `release_facts` answers."""
        arguments = {"kept": _kept_schema(self._tree.digest)}
        printed = self._operate("release_facts", arguments)
        for line in printed.splitlines():
            _, mark, answer = line.partition(_ANSWER)
            if mark:
                facts: dict[str, Any] = json.loads(answer)
                return facts
        raise OlistError("dbt's macro release_facts did not answer")

    def _operate(self, macro: str, arguments: dict[str, Any] | None = None) -> str:
        # Results of its own would take the place of the build's, and say nothing of what failed.
        result = self._run_dbt(
            "run-operation", macro, "--args", json.dumps(arguments or {}), "--no-write-json"
        )
        if result.returncode:
            raise failed_command(f"dbt run-operation {macro} fails", result, "")
        return result.stdout

    def _dbt(self, *arguments: str) -> None:
        results = self._target / "run_results.json"
        with os_errors_explained(self._target):
            results.unlink(missing_ok=True)
        result = self._run_dbt(*arguments)
        if result.returncode:
            if faults := count_results([results]).faults:
                lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
                raise OlistError("\n".join([f"dbt {arguments[0]} fails:", *lines]))
            raise failed_command(f"dbt {arguments[0]} fails", result, "")

    def _run_dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        with os_errors_explained(self._target):
            self._target.mkdir(parents=True, exist_ok=True)
        return self._tree.run_dbt(
            [*arguments, "--quiet"],
            self._target,
            {"OLIST_DBT_SCHEMA": self._schema},
        )


def _kept_schema(digest: str) -> str:
    return f"served_{short(digest)}"


def _mart_facts(facts: dict[str, Any]) -> dict[str, MartFacts]:
    return {
        name: MartFacts(mart["rows"], date.fromisoformat(mart["day"]) if mart["day"] else None)
        for name, mart in facts.items()
    }
