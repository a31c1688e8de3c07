"""How dbt is called in an environment: its variables, its arguments, its artifacts' folder."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from olist_platform.access_model import TRANSFORMER
from olist_platform.environment import (
    DuckDBWarehouse,
    Environment,
    SnowflakeWarehouse,
    load_environment,
)
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.executables import installed_executable, run_captured, run_in_foreground
from olist_platform.naming import EnvironmentName, Layer, Workload
from olist_platform.release.bundle_manifest import dbt_manifest_path
from olist_platform.repository import repository_root, state_folder

# The reference date of a run; the var `as_of_date` goes before it.
AS_OF_DATE_VARIABLE = "OLIST_AS_OF_DATE"

DBT_PROFILE = "olist"

_SOURCES = (".sql", ".yml", ".csv", ".md")
# Of what DuckDB and the operating system say through dbt.
_LOCKED = "Could not set lock"
_DISK_FAULTS = ("No space left", "Disk quota exceeded", "File too large", "Read-only file system")
# What dbt is asked to do that opens the warehouse.
_COMMANDS_ON_WAREHOUSE = frozenset(
    [
        *("build", "clone", "compile", "docs", "retry", "run", "run-operation"),
        *("seed", "show", "snapshot", "source", "test"),
    ]
)
# As long as dbt itself asks again for a file that somebody has for a moment.
_PATIENCE_SECONDS = 7.0
_LOOK_EVERY_SECONDS = 0.5


def dbt_project_folder() -> Path:
    """Folder of the dbt project."""
    return repository_root() / "dbt"


def dbt_target_path(environment: Environment) -> Path:
    """Folder of dbt's artifacts, apart for each environment: their manifests differ."""
    return state_folder(environment.name) / "dbt"


def monitoring_export_folder(environment: Environment) -> Path:
    """Folder of what dbt leaves for the hourly checks; only of an environment on DuckDB."""
    return state_folder(environment.name) / "monitoring" / "exported"


def manifest_path(environment: Environment) -> Path:
    """The manifest that Cosmos renders; `fresh_manifest` writes it, or a release brings it."""
    released = repository_root() / dbt_manifest_path(environment.name)
    return released if released.is_file() else dbt_target_path(environment) / "manifest.json"


def shared_code_version(project: Path) -> str:
    """Return a digest of what any model may be made by: macros, and the file with the vars.

    dbt knows the text of each model and seed, but in a run neither a macro's nor all vars.

    Raises:
        OlistError: A file cannot be read.
    """
    digest = sha256()
    with os_errors_explained(project):
        # Of a project that is not there nothing is read: dbt says so, and others need none.
        for path in sorted([*project.glob("dbt_project.yml"), *project.glob("macros/**/*.sql")]):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(project)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def dbt_variables(environment: Environment, project: Path | None = None) -> dict[str, str]:
    """Return the environment variables that `dbt/profiles.yml` and the project read.

    Args:
        environment: Where dbt runs.
        project: Folder of the dbt project; that of the project here unless told.

    Raises:
        OlistError: A secret of the environment is not set on this machine, or a file of the project
            cannot be read.
    """
    variables = {
        "OLIST_ENV": environment.name.value,
        # Cosmos names both to each dbt it runs. One that is not given them likewise parses the
        # whole project again, and so does the next one that is.
        "DBT_PROFILE": DBT_PROFILE,
        "DBT_TARGET": environment.name.value,
        "OLIST_DBT_THREADS": str(environment.warehouse.threads),
        "OLIST_RAW_SCHEMA": environment.names.schema(Layer.RAW),
        "OLIST_QUARANTINE_MAX_SHARE": str(environment.dbt.quarantine_max_share),
        "OLIST_SAMPLE_SHARE": str(environment.dbt.sample_share),
        "OLIST_DBT_SHARED_CODE": shared_code_version(project or dbt_project_folder()),
        AS_OF_DATE_VARIABLE: "",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    match environment.warehouse:
        case DuckDBWarehouse(memory_limit_gib=gib):
            _refuse_marks_of_an_address(environment.duckdb_path)
            variables |= {
                "OLIST_DUCKDB_PATH": str(environment.duckdb_path),
                "OLIST_DUCKDB_MEMORY_LIMIT": f"{gib}GiB",
                "OLIST_MONITORING_EXPORT": str(monitoring_export_folder(environment)),
                "OLIST_RAW_DATABASE": environment.names.duckdb_database,
            }
        case SnowflakeWarehouse(account=account, private_key=private_key):
            names = environment.names
            sizes = {
                name: settings.size for name, settings in environment.snowflake_warehouses.items()
            }
            variables |= {
                "OLIST_SNOWFLAKE_ACCOUNT": account,
                "OLIST_SNOWFLAKE_USER": names.service_user(TRANSFORMER.name),
                "OLIST_SNOWFLAKE_ROLE": names.functional_role(TRANSFORMER.name),
                "OLIST_SNOWFLAKE_WAREHOUSE": names.warehouse(Workload.TRANSFORM),
                "OLIST_SNOWFLAKE_WAREHOUSE_SIZES": json.dumps(sizes),
                "OLIST_SNOWFLAKE_DATABASE": names.database,
                "OLIST_RAW_DATABASE": names.database,
                "DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY": private_key.read().get_secret_value(),
            }
            variables |= {
                f"OLIST_SNOWFLAKE_{layer.name}_WAREHOUSE": names.layer_warehouse(layer)
                for layer in Layer
            }
    return variables


def _refuse_marks_of_an_address(path: Path) -> None:
    """Raise OlistError where dbt would read a path as an address, and name another warehouse."""
    if any(mark in str(path) for mark in "#?"):
        raise OlistError(
            f"{path}: dbt takes '#' and '?' in a path for marks of an address",
            "move the checkout, or name another warehouse.folder in the environment's file",
        )


def dbt_path_variables(environment: Environment) -> dict[str, str]:
    """Return the variables that tell dbt where the project, profiles and artifacts lie."""
    project = dbt_project_folder()
    target = dbt_target_path(environment)
    return {
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target / "logs"),
    }


def make_dbt_folders(environment: Environment) -> None:
    """Make the folders that dbt writes to and expects to be there.

    Raises:
        OlistError: One cannot be made.
    """
    folders = [dbt_target_path(environment)]
    if isinstance(environment.warehouse, DuckDBWarehouse):
        folders.append(monitoring_export_folder(environment))
    for folder in folders:
        with os_errors_explained(folder):
            folder.mkdir(parents=True, exist_ok=True)


def run_dbt(
    environment: Environment,
    arguments: Sequence[str],
    *,
    quiet: bool = False,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run dbt's own command in an environment and return how it ended.

    Args:
        environment: Where to run.
        arguments: dbt's arguments, such as `["build", "--select", "staging"]`.
        quiet: Capture the output instead of passing it through.
        variables: Environment variables that replace those of the environment.

    Raises:
        OlistError: dbt is not installed, its artifacts' folder cannot be made, or, of a captured
            dbt, another process has the warehouse open or the disk takes no more.
    """
    make_dbt_folders(environment)
    command = [str(installed_executable("dbt")), *arguments]
    is_for_a_screen = not quiet and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    process_variables = (
        # dbt would write colours into files, pipes and the errors that are made of what it says.
        {"DBT_USE_COLORS": str(is_for_a_screen)}
        | os.environ
        | dbt_variables(environment)
        | dbt_path_variables(environment)
        | dict(variables or {})
    )
    if not quiet:
        return run_in_foreground(command, process_variables, repository_root())
    result = run_captured(command, process_variables, repository_root())
    if result.returncode:
        _raise_fault_of_machine(environment, result.stdout + result.stderr)
    return result


def _raise_fault_of_machine(environment: Environment, said: str) -> None:
    """Raise OlistError for what no change of the project mends; dbt tells it in pages of Python."""
    if not any(fault in said for fault in (_LOCKED, *_DISK_FAULTS)):
        return
    place = environment.duckdb_path if _LOCKED in said else dbt_target_path(environment)
    import duckdb  # noqa: PLC0415 - takes a moment, which commands that need no dbt need not wait for

    from olist_platform.duckdb_warehouse import explain_duckdb_error  # noqa: PLC0415

    raise explain_duckdb_error(duckdb.IOException(said), place)


def run_dbt_on_free_warehouse(environment: Environment, arguments: Sequence[str]) -> int:
    """Run dbt's own command on this terminal and return its exit code.

    dbt tells of a warehouse that somebody else has open in DuckDB's words, after pages of Python's.

    Raises:
        OlistError: As `run_dbt`; or the warehouse is in use or broken, before dbt or by the time
            that it failed without having run anything.
    """
    uses_warehouse = any(argument in _COMMANDS_ON_WAREHOUSE for argument in arguments)
    if uses_warehouse:
        _require_free_warehouse(environment, _PATIENCE_SECONDS)
    results = dbt_target_path(environment) / "run_results.json"
    before = _written_at(results)
    code = run_dbt(environment, arguments).returncode
    if code and uses_warehouse and _written_at(results) == before:
        _require_free_warehouse(environment)
    return code


def _require_free_warehouse(environment: Environment, patience_seconds: float = 0) -> None:
    """Wait for the warehouse of an environment on DuckDB; raises OlistError as opening it does."""
    if not isinstance(environment.warehouse, DuckDBWarehouse):
        return
    # DuckDB takes a moment to import, which commands that only ask for a path need not wait for.
    from olist_platform.duckdb_warehouse import open_warehouse  # noqa: PLC0415

    ends_at = time.monotonic() + patience_seconds
    # dbt makes one where there is none.
    while environment.duckdb_path.exists():
        try:
            with open_warehouse(environment.duckdb_path):
                return
        except OlistError:
            if time.monotonic() > ends_at:
                raise
        time.sleep(_LOOK_EVERY_SECONDS)


def _written_at(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def fresh_manifest(environment: Environment) -> Path:
    """Return the environment's manifest, rewritten when it is not whole or older than a source.

    Raises:
        OlistError: The project does not parse; the message holds dbt's own.
    """
    manifest = manifest_path(environment)
    if manifest.is_relative_to(dbt_target_path(environment)) and _is_outdated(manifest):
        result = run_dbt(environment, ["parse"], quiet=True)
        if result.returncode:
            raise OlistError(f"the dbt project does not parse:\n{result.stdout}{result.stderr}")
    return manifest


def start_from_what_is_parsed(environment: Environment, target: Path) -> None:
    """Spare a dbt with a target folder of its own parsing what was parsed for the manifest.

    Args:
        environment: Whose manifest; it is brought up to date.
        target: The folder of that dbt's artifacts.

    Raises:
        OlistError: The project does not parse, or the folder cannot be written to.
    """
    parsed = fresh_manifest(environment).with_name("partial_parse.msgpack")
    if not parsed.exists():
        return
    known = target / parsed.name
    with os_errors_explained(target):
        if not known.exists() or known.stat().st_mtime < parsed.stat().st_mtime:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(parsed, known)


def fresh_compiled_manifest() -> Path:
    """Return a manifest that holds the SQL of every model as a first build on DuckDB runs it.

    It is compiled against an empty warehouse in memory: nothing need be built, and a warehouse
    that somebody else has open is left alone.

    Raises:
        OlistError: The project does not compile; the message holds dbt's own.
    """
    environment = load_environment(EnvironmentName.LOCAL)
    folder = dbt_target_path(environment) / "compiled-without-warehouse"
    manifest = folder / "manifest.json"
    if _is_outdated(manifest):
        result = run_dbt(
            environment,
            [
                *("compile", "--full-refresh", "--quiet", "--target-path", str(folder)),
                # Most nodes are tests, whose SQL nobody asks for here.
                *("--exclude", "resource_type:test", "resource_type:unit_test"),
            ],
            quiet=True,
            variables={"OLIST_DUCKDB_PATH": ":memory:"},
        )
        if result.returncode:
            raise OlistError(f"the dbt project does not compile:\n{result.stdout}{result.stderr}")
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a manifest of dbt holds.

    Raises:
        OlistError: It cannot be read, or is not whole: every dbt command rewrites it.
    """
    with os_errors_explained(path):
        text = path.read_text(encoding="utf-8")
    try:
        manifest: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise OlistError(
            f"{path}: dbt has not written it to its end",
            "wait for the other dbt command that is at it, if any, then run the same command again",
        ) from error
    return manifest


def _is_outdated(manifest: Path) -> bool:
    written_at = manifest.stat().st_mtime if manifest.exists() else 0.0
    # A folder is as young as the last file that was put into it or taken away.
    sources = (
        path for path in dbt_project_folder().rglob("*") if path.suffix in _SOURCES or path.is_dir()
    )
    return any(path.stat().st_mtime > written_at for path in sources) or not _is_whole(manifest)


def _is_whole(manifest: Path) -> bool:
    """Whether dbt has written it to its end; killed, or on a full disk, it leaves a part."""
    try:
        json.loads(manifest.read_bytes())
    except (OSError, ValueError):
        return False
    return True
