"""A private Airflow for runs on this machine: its folder, its settings, its random keys.

Every setting is an environment variable of the process that is started; no airflow.cfg is
committed or edited, and nothing of a person's own Airflow is read or changed.
"""

import importlib.metadata
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from olist_platform.airflow_settings import common_settings
from olist_platform.dag_source import DagSource
from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executables import installed_executable
from olist_platform.locks import held_alone
from olist_platform.repository import state_folder

_KEYS = "keys.json"
_READY = "ready"


def airflow_home(environment: Environment) -> Path:
    """Folder of an environment's private Airflow."""
    return state_folder(environment.name) / "airflow"


def airflow_database(home: Path) -> Path:
    """File of the database of the private Airflow in `home`."""
    return home / "airflow.db"


def prepare_airflow_home(environment: Environment) -> Path:
    """Return the folder of the private Airflow, with keys and fit to be migrated or used.

    A folder whose migration was interrupted, or that another Airflow release made, has no
    matching mark of readiness and is recreated: it holds history only.

    Raises:
        OlistError: The folder cannot be written.
    """
    home = airflow_home(environment)
    with os_errors_explained(home):
        if not is_ready(home):
            shutil.rmtree(home, ignore_errors=True)
        (home / "logs").mkdir(parents=True, exist_ok=True)
        if not _read_keys(home):
            _write_keys(home)
    return home


def migrated_airflow_home(environment: Environment) -> Path:
    """Return the folder of the private Airflow with its database made or brought up to date.

    Raises:
        OlistError: Airflow is not installed, the folder cannot be written, or Airflow refuses.
    """
    home = prepare_airflow_home(environment)
    if not is_ready(home):
        migration = subprocess.run(  # noqa: S603 - Airflow's own executable
            [installed_executable("airflow"), "db", "migrate"],
            env=airflow_process_variables(environment, home),
            check=False,
            capture_output=True,
            text=True,
        )
        if migration.returncode:
            raise OlistError(f"Airflow's database cannot be migrated:\n{migration.stderr}")
        mark_ready(home)
    return home


def is_ready(home: Path) -> bool:
    """Whether this Airflow release finished migrating the folder's database."""
    try:
        mark = (home / _READY).read_text(encoding="utf-8")
    except OSError:
        return False
    return mark == _mark() and airflow_database(home).is_file() and bool(_read_keys(home))


def mark_ready(home: Path) -> None:
    """Record that the database is migrated; call it after everything else is done."""
    (home / _READY).write_text(_mark(), encoding="utf-8")


def airflow_variables(environment: Environment, home: Path) -> dict[str, str]:
    """Return every setting of an Airflow in `home`, as the variables Airflow reads."""
    keys = _read_keys(home)
    return common_settings() | {
        "OLIST_ENV": environment.name.value,
        "AIRFLOW_HOME": str(home),
        # An airflow.cfg is only ever a generated one; nobody's edits there shall matter.
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        # Without a schedule nothing starts by itself, so there is nothing to hold back.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(environment.airflow.schedule is not None),
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{airflow_database(home)}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cosmos"),
    }


def airflow_process_variables(
    environment: Environment, home: Path, dags: DagSource | None = None
) -> dict[str, str]:
    """Return all variables of a process of the Airflow in `home`.

    Those of a person's own Airflow or dbt are left out; the folder of this interpreter's tools
    comes first on the PATH, because Airflow starts its helpers by name.

    Args:
        environment: Whose Airflow.
        home: Its folder.
        dags: Whose DAGs it runs; the checkout's, where it runs none.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "DBT_", "_AIRFLOW"))
    }
    tools = str(installed_executable("airflow").parent)
    path = os.pathsep.join([tools, inherited.get("PATH", "")])
    own = airflow_variables(environment, home) | (dags.variables if dags else {})
    return inherited | own | {"PATH": path}


@contextmanager
def the_only_run(environment: Environment) -> Iterator[None]:
    """Hold the place for the one user of the private Airflow; the system frees it with the process.

    Raises:
        OlistError: Another process holds it.
    """
    home = airflow_home(environment)
    home.parent.mkdir(parents=True, exist_ok=True)
    taken = OlistError(f"another DAG run is going on in {home}", "wait for its end, or stop it")
    with held_alone(home.parent / "airflow.lock", taken):
        yield


def _mark() -> str:
    return importlib.metadata.version("apache-airflow")


def _write_keys(home: Path) -> None:
    path = home / _KEYS
    path.touch(mode=0o600)
    keys = {name: secrets.token_hex(32) for name in ("api", "jwt")}
    path.write_text(json.dumps(keys), encoding="utf-8")


def _read_keys(home: Path) -> dict[str, str]:
    try:
        keys = json.loads((home / _KEYS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return keys if isinstance(keys, dict) and {"api", "jwt"} <= set(keys) else {}
