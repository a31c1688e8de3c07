"""What dbt said of its runs inside a DAG run: where it is kept, how it counts."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_platform.dbt_command import dbt_target_path
from olist_platform.environment import Environment

_TEST_TYPES = ("test", "unit_test")
_HOOK = "operation"
# What dbt says of a node that failed.
FAULTS = ("error", "fail", "runtime error")


@dataclass(frozen=True, slots=True)
class DbtCounts:
    """How the nodes of a DAG run fared; of a node that ran again, its last result counts."""

    models_built: int = 0
    tests_passed: int = 0
    tests_warned: int = 0
    tests_failed: int = 0
    skipped: int = 0
    # A line for each node in error: its name and dbt's message.
    faults: tuple[str, ...] = ()

    @property
    def tests(self) -> int:
        """How many tests ran."""
        return self.tests_passed + self.tests_warned + self.tests_failed


def node_name(unique_id: str) -> str:
    """Return what people call a node; a unit test's id holds its model's name before its own."""
    parts = unique_id.split(".")
    return parts[3] if parts[0] == "unit_test" else parts[2]


def dbt_runs_folder(environment: Environment, run_id: str) -> Path:
    """Folder of every run_results.json of a DAG run."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", run_id)
    return dbt_target_path(environment) / "runs" / safe


def kept_run_results(folder: Path, task_id: str, try_number: int) -> list[Path]:
    """Return what dbt said in a task's try: one file, or more where the run was resumed."""
    return sorted(folder.glob(f"{task_id}.try{try_number}.*.json"))


def next_run_results(folder: Path, task_id: str, try_number: int) -> Path:
    """Return where the results of a task's try are kept, beside those that are kept already."""
    kept = kept_run_results(folder, task_id, try_number)
    return folder / f"{task_id}.try{try_number}.{len(kept) + 1}.json"


def count_run_results(folder: Path) -> DbtCounts:
    """Count the results kept of a DAG run; a folder that is missing counts nothing."""
    return count_results(_oldest_first(folder))


def last_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Return dbt's last result of each node of a DAG run, by unique id."""
    paths = _oldest_first(folder)
    return {result["unique_id"]: result for path in paths for result in _results(path)}


def last_invocation_id(folder: Path) -> str | None:
    """Return dbt's identifier of the last invocation kept of a DAG run, or None without any."""
    for path in reversed(_oldest_first(folder)):
        if identifier := invocation_id(path):
            return identifier
    return None


def invocation_id(path: Path) -> str | None:
    """Return dbt's identifier of the invocation that wrote a run_results.json, if it is whole."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["metadata"]["invocation_id"])
    except (OSError, ValueError, KeyError):
        return None


def count_results(paths: Sequence[Path]) -> DbtCounts:
    """Count the results of some invocations, the last of them last."""
    results = {result["unique_id"]: result for path in paths for result in _results(path)}
    built = passed = warned = failed = skipped = 0
    faults = []
    for unique_id, result in results.items():
        kind, status = unique_id.split(".")[0], result["status"]
        if status in FAULTS:
            faults.append(f"{node_name(unique_id)}: {' '.join(str(result['message']).split())}")
        if status == "skipped":
            skipped += 1
        elif kind in _TEST_TYPES:
            passed += status == "pass"
            warned += status == "warn"
            failed += status in FAULTS
        elif kind != _HOOK:
            built += status == "success"
    return DbtCounts(built, passed, warned, failed, skipped, tuple(faults))


def _oldest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)


def _results(path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from json.loads(path.read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        # A killed run may leave half a file; the counts are then of what is whole.
        return
