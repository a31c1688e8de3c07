"""What dbt has parsed, once in a test session, for workspaces that would parse the same again."""

import hashlib
import pprint
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dbt.adapters.duckdb.credentials import DuckDBCredentials

from made_once import made_once
from olist_platform.dbt_command import dbt_variables
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT, Workspace


class ParsedProject:
    """Lets workspaces start from what dbt has parsed of the checkout's project."""

    def __init__(self, folder: Path, make: Callable[[str], Workspace]) -> None:
        """Keep the original in `folder`, which the workers of a session share."""
        self._folder = folder
        self._make = make

    def give(self, workspace: Workspace) -> None:
        """Let the workspace's first dbt parse only what differs from the checkout's project.

        Whoever asks first has the original made; whoever asks meanwhile waits.
        """
        original = self._folder / "partial_parse.msgpack"
        made_once(original, lambda: self._parse(original))
        workspace.parsed.parent.mkdir(parents=True, exist_ok=True)
        _copy_parsed(original, original, workspace.parsed, workspace.warehouse)

    def _parse(self, original: Path) -> None:
        made = self._make("parsed")
        made.olist("dbt", "--", "parse", "--quiet")
        _copy_parsed(made.parsed, made.warehouse, original, original)


def adopt_parsed(workspace: Workspace, copied_from: Workspace) -> None:
    """Let dbt take what it parsed in another workspace, whose data were copied, for its own."""
    _copy_parsed(workspace.parsed, copied_from.warehouse, workspace.parsed, workspace.warehouse)


def _copy_parsed(source: Path, its_warehouse: Path, target: Path, warehouse: Path) -> None:
    """Copy what dbt parsed for one warehouse as if it had been parsed for another.

    dbt refuses what was parsed for a warehouse at another path, though no model knows the path.
    """
    content = source.read_bytes()
    former, new = (_connection_checksum(path).encode() for path in (its_warehouse, warehouse))
    assert former in content, "dbt makes its checksum of a connection in another way now"
    target.write_bytes(content.replace(former, new))


@cache
def _connection_checksum(warehouse: Path) -> str:
    """dbt's checksum of the local environment's connection, if its warehouse lay there."""
    environment = load_environment(EnvironmentName.LOCAL, ROOT / "environments")
    credentials = DuckDBCredentials(
        database=environment.duckdb_path.stem,
        schema="olist",
        path=str(warehouse),
        settings={
            "memory_limit": dbt_variables(environment)["OLIST_DUCKDB_MEMORY_LIMIT"],
            "TimeZone": "UTC",
        },
    )
    connection = pprint.pformat(sorted(credentials.connection_info()))
    return hashlib.sha256(connection.encode()).hexdigest()
