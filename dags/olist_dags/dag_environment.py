"""The environment of this Airflow: OLIST_ENV names it and nothing stands in for it."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from olist_platform.dbt_command import dbt_variables, make_dbt_folders, manifest_path
from olist_platform.environment import Environment, load_environment, parse_environment_name
from olist_platform.errors import OlistError
from olist_platform.release.running_release import running_release
from olist_platform.repository import HOME_VARIABLE

ENVIRONMENT_VARIABLE = "OLIST_ENV"
# The folder these DAGs are of. Those of a release take environments and dbt project from nowhere
# else, whatever checkout the library was installed from.
_HOME = Path(__file__).resolve().parents[2]
if running_release(_HOME) is not None:
    os.environ[HOME_VARIABLE] = str(_HOME)

# Cosmos runs dbt in a temporary clone and looks for its artifacts there; these would lead dbt
# away from it.
_DBT_PATH_VARIABLES = ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DBT_TARGET_PATH", "DBT_LOG_PATH")


def current_environment() -> Environment:
    """Return the environment that OLIST_ENV names.

    Raises:
        OlistError: The variable is unset or names no environment, or its file is faulty.
    """
    name = os.environ.get(ENVIRONMENT_VARIABLE)
    if not name:
        raise OlistError(
            f"{ENVIRONMENT_VARIABLE} is not set: it names the environment the DAGs run in"
            " (local, dev or prod)"
        )
    return _environment_named(name)


# Every task asks for it, and a run on one machine has all of them in one process.
@cache
def _environment_named(name: str) -> Environment:
    try:
        return load_environment(parse_environment_name(name))
    except OlistError as error:
        # Airflow shows the message of an import error, so the mend has to be part of it.
        message = f"{ENVIRONMENT_VARIABLE}={name}: {error.message}; {error.mend}"
        raise OlistError(message, error.mend) from error


def release_tags() -> list[str]:
    """Return the tag that shows the release of these DAGs; none for those of a checkout."""
    release = running_release(_HOME)
    return [f"release {release.manifest.short_commit}"] if release else []


def require_manifest(environment: Environment) -> None:
    """Check that the manifest Cosmos renders is there.

    Raises:
        OlistError: It is missing; the message holds the command that writes it.
    """
    path = manifest_path(environment)
    if not path.is_file():
        mend = f"run: olist dbt --env {environment.name} -- parse"
        raise OlistError(f"{path}: the dbt manifest is missing; {mend}", mend)


def give_dbt_its_variables(context: Any) -> None:  # noqa: ARG001 - Airflow calls it with one
    """Set what dbt/profiles.yml reads, in the task's own process and just before it runs.

    As operator arguments the values would be stored with the task's rendered fields, and one of
    them is a private key.
    """
    for name in _DBT_PATH_VARIABLES:
        os.environ.pop(name, None)
    environment = current_environment()
    make_dbt_folders(environment)
    os.environ.update(dbt_variables(environment))
    # dbt's log of everything takes a tenth of its time and would go with Cosmos' clone. What dbt
    # says is in the task's log.
    os.environ["DBT_LOG_LEVEL_FILE"] = "none"
