"""A workspace whose DAGs are run for real, with settings, models and data that a test breaks."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from olist_platform.alerts.kinds import Signal
from olist_platform.alerts.outbox import Outbox, StoredAlert
from olist_platform.alerts.outbox_database import OutboxDatabase
from olist_platform.environment import Environment
from olist_workspace import ROOT, Workspace
from yaml_files import read_yaml, write_yaml

_RUN = """
import dataclasses, json, sys
from olist_platform.dag_run import run_dag
from olist_platform.environment import EnvironmentName, load_environment
from olist_platform.errors import OlistError

options = json.loads(sys.argv[1])
try:
    summary = run_dag(load_environment(EnvironmentName.LOCAL), check=False, **options)
except OlistError as error:
    print(json.dumps({"error": error.message}))
else:
    print(json.dumps(dataclasses.asdict(summary), default=str))
"""


class DagScenario:
    """A copy of the project that may be changed, on a small generated data set."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.home = workspace.home
        for folder in ("dbt", "environments"):
            (self.home / folder).unlink()
            shutil.copytree(
                ROOT / folder, self.home / folder, ignore=shutil.ignore_patterns("target", "logs")
            )

    def set(self, environment: str = "local", **settings: Any) -> None:
        """Change settings, `section__key=value`."""
        path = self.home / "environments" / f"{environment}.yaml"
        content = read_yaml(path)
        for key, value in settings.items():
            section, name = key.split("__")
            content[section][name] = value
        write_yaml(path, content)

    def edit(self, model: str, change: Callable[[str], str]) -> None:
        """Change the SQL of a model."""
        [path] = (self.home / "dbt" / "models").rglob(f"{model}.sql")
        former = path.read_text(encoding="utf-8")
        changed = change(former)
        assert changed != former
        path.write_text(changed, encoding="utf-8")

    def run(self, dag_id: str = "olist_production", **options: Any) -> dict[str, Any]:
        """Run a DAG to its end and return its summary, or `error` when Airflow could not."""
        result = subprocess.run(
            [sys.executable, "-c", _RUN, json.dumps({"dag_id": dag_id} | options)],
            env=self.workspace.environment_variables(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=500,
        )
        summary: dict[str, Any] = json.loads(result.stdout)
        return summary

    def results(self, run_id: str) -> list[Path]:
        """What dbt said of its invocations of a DAG run, oldest first."""
        folder = self.home / "data" / "local" / "dbt" / "runs"
        [of_run] = [each for each in folder.iterdir() if each.name == safe(run_id)]
        return sorted(of_run.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)

    def alerts(self, *, also_resolved: bool = False) -> list[StoredAlert]:
        """Alerts in the outbox, open ones unless told.

        Without those that tell of too few orders to fit models on: a scenario has few.
        """
        path = self.home / "environments" / "local.yaml"
        settings = Environment.model_validate(read_yaml(path))
        file = self.home / "data" / "local" / "alerts" / "outbox.sqlite"
        if not file.exists():
            return []
        outbox = Outbox(OutboxDatabase.in_file(file), settings)
        stored = outbox.alerts(also_resolved=also_resolved)
        return [each for each in stored if each.alert.signal is not Signal.MODEL_FIT]


def safe(run_id: str) -> str:
    return "".join(each if each.isalnum() or each in "_.-" else "_" for each in run_id)


def states(summary: dict[str, Any]) -> dict[str, str]:
    assert "error" not in summary, summary["error"]
    return {task["task_id"]: task["state"] for task in summary["tasks"]}


def built(results: list[Path]) -> list[str]:
    """Names of the models, seeds and snapshots that dbt built in some invocations."""
    return [
        result["unique_id"].split(".")[2]
        for path in results
        for result in json.loads(path.read_text(encoding="utf-8"))["results"]
        if result["unique_id"].split(".")[0] in ("model", "seed", "snapshot")
        and result["status"] == "success"
    ]
