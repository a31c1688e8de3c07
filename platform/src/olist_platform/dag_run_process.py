"""The process in which Airflow runs a DAG; `olist_platform.dag_run` starts and watches it.

    python -m olist_platform.dag_run_process <order file> <report file>

It is Airflow's own `DAG.test`: a DAG run in the metadata database, every task instance through the
Task SDK with its retries, without scheduler and server. Importing this module is cheap; Airflow is
imported when it runs, because its settings are read then.
"""

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from olist_platform.airflow_home import is_ready, mark_ready

_POKE_SECONDS = 1


def main() -> int:
    """Run what the order file says; the report tells the rest."""
    order, report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])
    dag_id = order["dag_id"]
    _end_with_the_parent()
    # Most of what is imported and read stays to the end, and is never searched for garbage.
    gc.disable()
    from airflow.utils import db  # noqa: PLC0415

    home = Path(os.environ["AIRFLOW_HOME"])
    if not is_ready(home):
        db.initdb()
        mark_ready(home)
    last_run = _close_interrupted_runs(dag_id)

    from airflow.dag_processing.dagbag import BundleDagBag  # noqa: PLC0415

    # As a bundle the folder is importable, as it is in a scheduler. Of its files only this DAG's
    # is read: each renders the dbt project again.
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    bag = BundleDagBag(
        dag_folder=folder / f"{dag_id}.py", bundle_path=folder, bundle_name="dags-folder"
    )
    dag = bag.dags.get(dag_id)
    if dag is None:
        faults = [*bag.import_errors.values(), f"there is no DAG '{dag_id}'"]
        # The last line of a traceback is the exception with its message.
        fault = faults[0].strip().splitlines()[-1]
        _write(report, {"import_error": fault.removeprefix("olist_platform.errors.OlistError: ")})
        return 1
    _write_to_database(bag)
    # Deadlines are the scheduler's; without one, DAG.test ends in an error (apache/airflow 73428).
    dag.deadline = None
    plan = _plan(dag)
    for task in dag.tasks:
        _make_it_run_here(task, report.parent)
    _start_airflows_api()
    gc.freeze()
    gc.enable()
    with _as_it_was_read(bag), _failures_passed_on_at_once():
        if not order["resume"]:
            _write(report, {"last_run": last_run, "tasks": plan})
            run = dag.test(run_conf=order["conf"])
        else:
            with _last_run_reopened(dag) as reopened:
                if reopened is None:
                    fault = f"no run of {dag_id} has failed: nothing to resume"
                    _write(report, {"import_error": fault})
                    return 1
                _write(report, {"last_run": last_run, "tasks": plan, "resumed": reopened.run_id})
                run = dag.test(logical_date=reopened.logical_date)
    return 0 if run.state == "success" else 1


def _write_to_database(bag: Any) -> None:
    """Write the DAG down as it is, before it is fitted to a run in one process."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager  # noqa: PLC0415
    from airflow.dag_processing.dagbag import sync_bag_to_db  # noqa: PLC0415

    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    sync_bag_to_db(bag, bag.bundle_name, None)


def _start_airflows_api() -> None:
    """Start what tasks ask inside this process: the first one would seem to take that long.

    As with a server of its own, the first request is what it takes seconds to get ready for.
    """
    import httpx  # noqa: PLC0415
    from airflow.sdk.execution_time.supervisor import in_process_api_server  # noqa: PLC0415

    with httpx.Client(transport=in_process_api_server().transport) as client:
        client.get("http://in-process.invalid/health").raise_for_status()


@contextmanager
def _as_it_was_read(bag: Any) -> Iterator[None]:
    """Spare DAG.test reading the DAG a second time; it is in the database."""
    from airflow.dag_processing import dagbag  # noqa: PLC0415

    with (
        patch.object(dagbag, "BundleDagBag", lambda **_: bag),
        patch.object(dagbag, "sync_bag_to_db", lambda *_: None),
    ):
        yield


@contextmanager
def _failures_passed_on_at_once() -> Iterator[None]:
    """Let what fails or is skipped reach all tasks behind it in one look.

    Each look tells only those next to it, and DAG.test sleeps a second behind a look that finds no
    task to run: as many seconds as the DAG is long.
    """
    from airflow.models.dagrun import DagRun  # noqa: PLC0415

    look = DagRun.task_instance_scheduling_decisions

    def look_until_nothing_changes(run: Any, *, session: Any) -> Any:
        decisions = look(run, session=session)
        while decisions.changed_tis and not decisions.schedulable_tis:
            decisions = look(run, session=session)
        return decisions

    with patch.object(DagRun, look.__name__, look_until_nothing_changes):
        yield


@contextmanager
def _last_run_reopened(dag: Any) -> Iterator[Any]:
    """Make the last run one that goes on, and let DAG.test take it up; None if it did not fail.

    What did not succeed is as if it had never run, its tries inside; so is the task that runs dbt
    for a stage of which something failed, which then builds only what is missing. DAG.test by
    itself would clear the whole run and make another one in its place.
    """
    from airflow.models import dagrun  # noqa: PLC0415
    from airflow.models.xcom import XComModel  # noqa: PLC0415
    from airflow.serialization.definitions.dag import SerializedDAG  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from airflow.utils.state import DagRunState  # noqa: PLC0415
    from sqlalchemy import delete, select  # noqa: PLC0415

    with create_session() as session:
        query = select(dagrun.DagRun).where(dagrun.DagRun.dag_id == dag.dag_id)
        run = session.scalar(query.order_by(dagrun.DagRun.id.desc()).limit(1))
        if run is None or run.state != DagRunState.FAILED:
            yield None
            return
        instances = {each.task_id: each for each in run.get_task_instances(session=session)}
        again = _to_run_again(dag, {key: each.state for key, each in instances.items()})
        # A task that only shows how a node fared must not see what the former try told of it.
        session.execute(
            delete(XComModel).where(
                XComModel.dag_id == dag.dag_id,
                XComModel.run_id == run.run_id,
                XComModel.task_id.in_(again),
            )
        )
        for task_id in again:
            instances[task_id].state = None
            instances[task_id].try_number = 0
            instances[task_id].max_tries = dag.task_dict[task_id].retries
            instances[task_id].end_date = None
        run.state = DagRunState.RUNNING
        run.end_date = None
        session.commit()

    def the_run(*, dag: Any, session: Any, **_: Any) -> Any:
        found = session.merge(run)
        found.dag = dag
        return found

    with (
        patch.object(dagrun, "get_or_create_dagrun", the_run),
        patch.object(SerializedDAG, "clear_dags", lambda **_: 0),
    ):
        yield run


def _to_run_again(dag: Any, states: Mapping[str, str | None]) -> set[str]:
    open_tasks = {task for task, state in states.items() if state != "success"}
    stages = {task.split(".")[0] for task in open_tasks if "." in task}
    of_stages = {
        task
        for task in states
        if task.split(".")[0] in stages and task.split(".")[-1].startswith("dbt_producer_watcher")
    }
    settling = {task.task_id for task in dag.tasks if task.is_teardown}
    return (open_tasks | of_stages | settling) & set(states) & set(dag.task_dict)


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)


def _plan(dag: Any) -> dict[str, str]:
    """Return the dbt status each task watches: XCom key by task id, empty for other tasks."""
    plan = {}
    for task in dag.tasks:
        unique_id = getattr(task, "model_unique_id", None)
        kind = "tests_status" if getattr(task, "is_test_sensor", False) else "status"
        plan[task.task_id] = f"{unique_id.replace('.', '__')}_{kind}" if unique_id else ""
    return plan


def _make_it_run_here(task: Any, folder: Path) -> None:
    """Fit a task to a run that has one process and takes ready tasks in no order.

    A task that watches dbt would wait in that one process for the task that runs dbt; between its
    looks it has to give way.
    """
    if hasattr(task, "deferrable") and hasattr(task, "poke"):
        task.deferrable = False
        task.mode = "reschedule"
        task.poke_interval = _POKE_SECONDS
        task.timeout = task.execution_timeout.total_seconds()
        look = task.poke

        def poke(context: Any) -> bool:
            # Cosmos ends a deferred wait, but not this one, for a node that dbt did not report.
            return bool(look(context)) or task._get_producer_task_status(context) == "success"  # noqa: SLF001

        task.poke = poke

    def note_failure(context: Any) -> None:
        error = context.get("exception")
        text = " ".join(str(part) for part in (error, getattr(error, "mend", "")) if part)
        with (folder / "failures.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"task": task.task_id, "message": text}) + "\n")

    former = task.on_failure_callback or []
    task.on_failure_callback = [*(former if isinstance(former, list) else [former]), note_failure]


def _close_interrupted_runs(dag_id: str) -> int:
    """Fail what a killed run left unfinished, or it would take the only place for a run.

    Returns:
        The highest key of a DAG run so far.
    """
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.models.taskinstance import TaskInstance  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from airflow.utils.state import DagRunState, State, TaskInstanceState  # noqa: PLC0415
    from sqlalchemy import func, or_, select, update  # noqa: PLC0415

    with create_session() as session:
        open_runs = select(DagRun.run_id).where(
            DagRun.dag_id == dag_id, DagRun.state.in_(["queued", "running"])
        )
        # Null is a state too: not begun.
        unfinished = or_(TaskInstance.state.is_(None), TaskInstance.state.in_(State.unfinished))
        session.execute(
            update(TaskInstance)
            .where(
                TaskInstance.dag_id == dag_id, TaskInstance.run_id.in_(open_runs.scalar_subquery())
            )
            .where(unfinished)
            .values(state=TaskInstanceState.FAILED)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(DagRun)
            .where(DagRun.dag_id == dag_id, DagRun.state.in_(["queued", "running"]))
            .values(state=DagRunState.FAILED, end_date=func.current_timestamp())
            .execution_options(synchronize_session=False)
        )
        return session.scalar(select(func.max(DagRun.id))) or 0


def _end_with_the_parent() -> None:
    """End this process and everything it started once the command that started it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        import psutil  # noqa: PLC0415

        for process in psutil.Process().children(recursive=True):
            process.kill()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
