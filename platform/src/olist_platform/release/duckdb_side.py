"""A release's marts on DuckDB: built in a copy of the warehouse, served by a change of one name.

| file below `data/<environment>/release/builds/<digest>/` | what it is |
| --- | --- |
| `<database>.duckdb` | a copy of the warehouse, on which the release's dbt project was built |
| `serving/<database>.duckdb` | the copy of the marts that readers will get |
| `built.json` | which state of the warehouse was copied; written last |

`data/<environment>/release/kept/<digest>.duckdb` is what readers had last under a release.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from olist_platform.dbt_run_results import count_results, invocation_id
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.publication import only_publication, write_copy
from olist_platform.release.bundle import Bundle
from olist_platform.release.bundle_manifest import short
from olist_platform.release.public_marts import public_marts
from olist_platform.release.release_tree import ReleaseTree, failed_command, trees_folder
from olist_platform.release.smoke_tests import MartFacts

_BUILDS, _KEPT = "builds", "kept"
_KEPT_COPIES = 3
_FAULTS_SHOWN = 10
_GO_ON = "run the same command again: it builds on the data that is there now"


class DuckDBSide:
    """The side build of one release on this machine."""

    def __init__(self, tree: ReleaseTree, bundle: Bundle) -> None:
        self._tree = tree
        self._environment = tree.environment()
        self._marts = tuple(public_marts(bundle.dbt_manifest(self._environment.name)))
        self._working = self._environment.duckdb_path
        self._serving = self._environment.serving_path
        root = trees_folder(self._environment.name)
        self._folder = root / _BUILDS / short(bundle.digest)
        self._kept = root / _KEPT
        self._side = self._folder / self._working.name
        self._candidate = self._folder / self._serving.parent.name / self._serving.name
        self._mark = self._folder / "built.json"

    def is_built(self) -> bool:
        """Whether the marts stand, built on the data that is there now."""
        try:
            mark = json.loads(self._mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return self._candidate.is_file() and mark == self._state_of_the_data()

    def build(self, former: ReleaseTree | None) -> None:  # noqa: ARG002 - a copy needs no former
        """Copy the warehouse, and build and test everything in the copy.

        Raises:
            OlistError: There is no warehouse, somebody writes to it, or dbt fails.
        """
        with os_errors_explained(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._candidate.parent.mkdir(parents=True)
            target = self._folder / "target"
            export = self._folder / "export"
            export.mkdir()
            # Read while it is copied: nobody can write meanwhile.
            with open_warehouse(self._working, read_only=True):
                state = self._state_of_the_data()
                shutil.copyfile(self._working, self._side)
                log = self._working.with_name(f"{self._working.name}.wal")
                if log.exists():
                    shutil.copyfile(log, self._side.with_name(f"{self._side.name}.wal"))
        result = self._tree.run_dbt(
            ["build", "--quiet"],
            target,
            {
                "OLIST_DUCKDB_PATH": str(self._side),
                "OLIST_MONITORING_EXPORT": str(export),
            },
        )
        results = target / "run_results.json"
        if faults := count_results([results]).faults:
            lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
            raise OlistError("\n".join(["dbt build fails:", *lines]))
        if result.returncode:
            raise failed_command("dbt build fails", result, "see what it says")
        with os_errors_explained(self._folder):
            write_copy(
                self._environment,
                self._candidate,
                self._marts,
                invocation_id(results),
                self._side,
            )
            # Only what readers get is needed from here on.
            self._side.unlink()
            self._mark.write_text(json.dumps(state), encoding="utf-8")

    def facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that were built."""
        return self._facts(self._candidate)

    def served_facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that readers have; empty when there are none."""
        return self._facts(self._serving) if self._serving.exists() else {}

    def kept_marts(self) -> str:
        """Say from when the marts are that readers had last under this release."""
        path = self._kept_path(self._tree.digest)
        if not path.exists():
            return ""
        days = {facts.as_of_date for facts in self._facts(path).values() if facts.as_of_date}
        return f"of {max(days)}" if days else "of no date"

    def is_published(self) -> bool:
        """Whether readers have this release's marts, the built ones or the kept ones."""
        return any(self._is_served(path) for path in self._own_files())

    def publish(self, former_digest: str | None) -> None:
        """Let the built marts take the place of what readers have.

        Raises:
            OlistError: A run of the DAG has changed the data since they were built.
        """
        if not self.is_built():
            raise OlistError("the data has changed since the marts were built", _GO_ON)
        self._serve(self._candidate, former_digest)

    def publish_kept(self, former_digest: str | None) -> None:
        """Hand readers what they had last under this release.

        Raises:
            OlistError: It is not kept.
        """
        self._serve(self._kept_path(self._tree.digest), former_digest)

    def put_back(self, former_digest: str | None) -> None:
        """Give readers what they had under the former release, if they have this one's."""
        if not self.is_published():
            return
        kept = self._kept_path(former_digest) if former_digest else None
        with os_errors_explained(self._serving), only_publication(self._serving.parent):
            if kept is not None and kept.exists():
                self._replace(kept)
            else:
                self._serving.unlink(missing_ok=True)

    def _serve(self, source: Path, former_digest: str | None) -> None:
        with os_errors_explained(self._serving):
            self._serving.parent.mkdir(parents=True, exist_ok=True)
            self._kept.mkdir(parents=True, exist_ok=True)
            with only_publication(self._serving.parent):
                if former_digest and self._serving.exists() and not self.is_published():
                    _link(self._serving, self._kept_path(former_digest))
                self._replace(source)
            former = self._kept_path(former_digest) if former_digest else None
            by_age = sorted(self._kept.glob("*.duckdb"), key=lambda path: -path.stat().st_ctime_ns)
            for old in by_age[_KEPT_COPIES:]:
                if old != former:
                    old.unlink()

    def _replace(self, source: Path) -> None:
        """Let a file take the name that readers open; it keeps its own."""
        _link(source, self._serving)

    def _own_files(self) -> tuple[Path, Path]:
        return self._candidate, self._kept_path(self._tree.digest)

    def _is_served(self, path: Path) -> bool:
        return path.exists() and self._serving.exists() and self._serving.samefile(path)

    def _kept_path(self, digest: str) -> Path:
        return self._kept / f"{short(digest)}.duckdb"

    def _state_of_the_data(self) -> list[int]:
        """What changes when a run of the DAG or a load does anything to the warehouse."""
        if not self._working.exists():
            return []
        state = self._working.stat()
        return [state.st_size, state.st_mtime_ns]

    def _facts(self, path: Path) -> dict[str, MartFacts]:
        settings = self._environment.warehouse
        assert isinstance(settings, DuckDBWarehouse)  # noqa: S101 - why this class was chosen
        table = self._environment.names.publication_table
        with open_warehouse(path, read_only=True, threads=settings.threads) as connection:
            rows = connection.execute(
                f"select relation_name, row_count, as_of_date from {table}"  # noqa: S608 - ours
            ).fetchall()
        return {name: MartFacts(count, day) for name, count, day in rows}


def _link(source: Path, target: Path) -> None:
    """Give a file a further name, in one step and in place of what had it."""
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    os.link(source, partial)
    partial.replace(target)
    # A rename of one file over another name of its own does nothing.
    partial.unlink(missing_ok=True)
