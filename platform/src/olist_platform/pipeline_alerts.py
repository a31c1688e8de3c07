"""Alerts of DAG runs: what a failed task means, in dbt's own words where dbt was at work.

A task that failed raises what is its own fault and nothing else: what dbt held back because of
another node is left to that node's task, and tasks that never ran call nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from olist_platform.alerts.alert import Alert, Measurement
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.dbt_run_results import FAULTS, node_name
from olist_platform.environment import Environment
from olist_platform.errors import BudgetUsedUpError, OlistError, SourceLateError
from olist_platform.landing.csv_header import tells_of_another_header
from olist_platform.landing.layout import MisplacedFileError, parse_landing_path

# What a run that found no fresh extract tells of.
LANDING = (Signal.FRESHNESS, "landing")
_RUNS_DBT = "dbt_producer_watcher"
# What a landing file that was refused is a sign of, and what is said of it.
_REJECTIONS = {
    Signal.LOAD_REJECTED: "cannot be loaded",
    Signal.SCHEMA_DRIFT: "have other columns than the source catalog declares",
}
_KEPT = "; nothing is published, the former marts stay"


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task that failed on its last try.

    Attributes:
        dag_id: Its DAG.
        task_id: Its id, with its groups.
        owner: Its owner.
        message: What its error says.
        node: The dbt node whose run or tests it shows; None for other tasks.
        is_of_tests: Whether it shows the node's tests.
        runs_dbt: Whether it runs dbt for a whole stage, or judges one.
        rejected: Landing files that could not be loaded, reason by path.
        holds_publication: Whether the marts wait for it.
        log: Address of its log.
        error: The platform's error that it failed of; None for any other.
    """

    dag_id: str
    task_id: str
    owner: str
    message: str
    node: str | None = None
    is_of_tests: bool = False
    runs_dbt: bool = False
    rejected: Mapping[str, str] | None = None
    holds_publication: bool = False
    log: str | None = None
    error: OlistError | None = None

    @property
    def consequence(self) -> str:
        """What follows for the readers of the marts, as the end of a sentence."""
        return _KEPT if self.holds_publication else ""


def alerts_of(
    failed: FailedTask,
    environment: Environment,
    results: Mapping[str, Mapping[str, Any]],
    manifest: Mapping[str, Any],
) -> list[Alert]:
    """Return the alerts that a failed task raises.

    Args:
        failed: The task.
        environment: Where it failed.
        results: dbt's last result of each node of the DAG run, by unique id.
        manifest: dbt's manifest.
    """
    if failed.rejected:
        return list(_rejections(failed, failed.rejected, environment))
    if failed.node is None and not failed.runs_dbt:
        return [_task_alert(failed, environment)]
    directory = _Directory(environment, manifest)
    faults = {node for node, result in results.items() if result["status"] in FAULTS}
    own = {node for node in faults if _is_own(node, failed, directory)}
    if own:
        return [_node_alert(node, results[node], failed, directory) for node in sorted(own)]
    if faults:
        return []
    # dbt did not get as far as a node: all tasks of its stage fail, and tell of the one that ran it
    # as one.
    group = failed.task_id.split(".", maxsplit=1)[0]
    ran_dbt = replace(failed, task_id=f"{group}.{_RUNS_DBT}") if failed.node else failed
    return [_task_alert(ran_dbt, environment)]


def settled_by(dag_id: str, task_id: str) -> list[tuple[Signal, str]]:
    """Return what is over when a task succeeded; whether the budget is, monitoring says."""
    own = (Signal.TASK_FAILURE, f"{dag_id}.{task_id}")
    return [own, LANDING] if task_id == "preflight.check_landing" else [own]


def settled_by_loading(dataset: str) -> list[tuple[Signal, str]]:
    """Return what of a dataset is over when everything that landed could be loaded."""
    return [(signal, _rejected_subject(signal, dataset)) for signal in _REJECTIONS]


def node_subject(dag_id: str, unique_id: str) -> tuple[Signal, str]:
    """Return what an alert of a dbt node is about."""
    kind, name = unique_id.split(".", maxsplit=1)[0], node_name(unique_id)
    return (
        (Signal.TEST_FAILURE, name) if kind == "test" else (Signal.TASK_FAILURE, f"{dag_id}.{name}")
    )


class _Directory:
    """Owners, parents and pages of dbt's nodes."""

    def __init__(self, environment: Environment, manifest: Mapping[str, Any]) -> None:
        self.environment = environment
        self._nodes = {**manifest["nodes"], **manifest["sources"]}

    def parents(self, unique_id: str) -> list[str]:
        parents: list[str] = self._nodes.get(unique_id, {}).get("depends_on", {}).get("nodes", [])
        return parents

    def tested(self, unique_id: str) -> str:
        """The node that a test is about: the one it is attached to, else its first parent."""
        attached = self._nodes.get(unique_id, {}).get("attached_node")
        return attached or next(iter(self.parents(unique_id)), unique_id)

    def owner(self, unique_id: str) -> str | None:
        group: str | None = self._nodes.get(unique_id, {}).get("config", {}).get("group")
        return group

    def page(self, unique_id: str) -> str | None:
        docs = self.environment.alerts.links.docs
        return f"{docs}#!/{unique_id.split('.', maxsplit=1)[0]}/{unique_id}" if docs else None


def _is_own(fault: str, failed: FailedTask, directory: _Directory) -> bool:
    """Whether a fault is what a task stands for."""
    kind = fault.split(".", maxsplit=1)[0]
    if failed.runs_dbt:
        # Whatever else failed has a task of its own; a test of a source has none.
        return kind == "test" and all(
            parent.startswith("source.") for parent in directory.parents(fault)
        )
    if failed.is_of_tests:
        return kind == "test" and failed.node in directory.parents(fault)
    return fault == failed.node


def _node_alert(
    unique_id: str, result: Mapping[str, Any], failed: FailedTask, directory: _Directory
) -> Alert:
    signal, subject = node_subject(failed.dag_id, unique_id)
    is_test = signal is Signal.TEST_FAILURE
    about = directory.tested(unique_id) if is_test else unique_id
    name = node_name(about)
    rows = result.get("failures") if is_test and result["status"] == "fail" else None
    return Alert(
        environment=directory.environment.name,
        signal=signal,
        subject=subject,
        severity=Severity.HIGH,
        owner=directory.owner(about) or failed.owner,
        summary=(
            f"A data test of {name} failed{failed.consequence}."
            if is_test
            else f"{name} could not be built{failed.consequence}."
        ),
        measurement=Measurement(value=rows, at_most=0, unit="failing rows") if rows else None,
        details=tuple(_lines(str(result["message"] or result["status"]))),
        log=failed.log,
        docs=directory.page(about),
    )


def _task_alert(failed: FailedTask, environment: Environment) -> Alert:
    (signal, subject), summary = _finding(failed)
    return Alert(
        environment=environment.name,
        signal=signal,
        subject=subject,
        severity=Severity.HIGH,
        owner=failed.owner,
        summary=summary,
        details=tuple(_lines(failed.message)),
        log=failed.log,
    )


def _finding(failed: FailedTask) -> tuple[tuple[Signal, str], str]:
    """Return what a task's alert is about, and its first sentence."""
    match failed.error:
        # What a check in front of the run found, where it is not the task that failed.
        case SourceLateError():
            return LANDING, (
                "The source is late: no fresh and whole extract has landed; the run did not begin."
            )
        case BudgetUsedUpError(subject=subject):
            return (Signal.COST_BUDGET, subject), (
                "The month's budget is used up; the run did not begin."
            )
    return (
        (Signal.TASK_FAILURE, f"{failed.dag_id}.{failed.task_id}"),
        f"The task failed on its last try{failed.consequence}.",
    )


def _rejections(
    failed: FailedTask, rejected: Mapping[str, str], environment: Environment
) -> Iterator[Alert]:
    """One for each dataset and kind of fault: its files have one cause more often than not."""
    found: dict[tuple[str, Signal], list[str]] = {}
    for path, reason in sorted(rejected.items()):
        try:
            dataset = parse_landing_path(path).dataset.name
        except MisplacedFileError:
            dataset = path.split("/", maxsplit=1)[0]
        has_drifted = tells_of_another_header(reason)
        signal = Signal.SCHEMA_DRIFT if has_drifted else Signal.LOAD_REJECTED
        found.setdefault((dataset, signal), []).append(f"{path}: {reason}")
    for (dataset, signal), lines in found.items():
        yield Alert(
            environment=environment.name,
            signal=signal,
            subject=_rejected_subject(signal, dataset),
            severity=Severity.HIGH,
            owner=failed.owner,
            summary=f"Landing files of {dataset} {_REJECTIONS[signal]}; all others are loaded.",
            measurement=Measurement(value=len(lines), at_most=0, unit="rejected files"),
            details=tuple(lines),
            log=failed.log,
        )


def _rejected_subject(signal: Signal, dataset: str) -> str:
    return f"raw.{dataset}" if signal is Signal.SCHEMA_DRIFT else dataset


def _lines(message: str) -> list[str]:
    return [line for each in message.splitlines() if (line := each.strip())] or ["no message"]
