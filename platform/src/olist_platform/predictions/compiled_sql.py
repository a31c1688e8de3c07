"""dbt's SQL of models and analyses as a first build would run it, without building anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from olist_platform.dbt_command import (
    dbt_target_path,
    read_manifest,
    run_dbt,
    start_from_what_is_parsed,
)
from olist_platform.environment import Environment
from olist_platform.errors import OlistError

Nodes = Mapping[str, Mapping[str, Any]]
"""dbt's nodes and sources by unique id; what was compiled has `compiled_code`."""

_FOLDER = "fitting"
_TESTS = ("resource_type:test", "resource_type:unit_test")


def compiled_nodes(
    environment: Environment, selection: Sequence[str], variables: str = "{}"
) -> Nodes:
    """Let dbt compile some nodes for the engine of an environment.

    No connection to a DuckDB warehouse may be open in this process: dbt opens it.

    Args:
        environment: Where their SQL will run.
        selection: dbt's `--select`.
        variables: dbt's `--vars`, as YAML.

    Raises:
        OlistError: dbt cannot compile them; the message holds dbt's own.
    """
    folder = dbt_target_path(environment) / _FOLDER
    start_from_what_is_parsed(environment, folder)
    run = run_dbt(
        environment,
        [
            *("compile", "--quiet", "--full-refresh", "--target-path", str(folder)),
            *("--vars", variables),
            *("--select", *selection),
            *("--exclude", *_TESTS),
        ],
        quiet=True,
    )
    if run.returncode:
        raise OlistError(f"dbt cannot compile {', '.join(selection)}:\n{run.stdout}{run.stderr}")
    return last_compiled_nodes(environment)


def last_compiled_nodes(environment: Environment) -> Nodes:
    """Return what `compiled_nodes` gave for an environment the last time.

    Raises:
        OlistError: Nothing was compiled yet.
    """
    manifest = read_manifest(dbt_target_path(environment) / _FOLDER / "manifest.json")
    nodes: Nodes = manifest["nodes"] | manifest["sources"]
    return nodes
