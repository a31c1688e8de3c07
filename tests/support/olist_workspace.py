"""A workspace: the checkout's code on data of its own, driven as a user drives it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
OLIST = Path(sys.executable).with_name("olist")


@dataclass(frozen=True)
class Workspace:
    """A home with the checkout's dbt project, DAGs and environments, and an empty data folder."""

    home: Path

    @property
    def warehouse(self) -> Path:
        return self.home / "data" / "local" / "olist_local.duckdb"

    @property
    def serving(self) -> Path:
        return self.home / "data" / "local" / "serving" / self.warehouse.name

    @property
    def landing(self) -> Path:
        return self.home / "data" / "local" / "landing"

    def environment_variables(self) -> dict[str, str]:
        return os.environ | {"OLIST_HOME": str(self.home), "COLUMNS": "200", "NO_COLOR": "1"}

    def olist(self, *arguments: str | Path, expect: int | None = 0) -> str:
        """Run the `olist` command; return what it printed, errors included."""
        result = subprocess.run(
            [OLIST, *map(str, arguments)],
            env=self.environment_variables(),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = result.stdout + result.stderr
        assert "Traceback" not in printed, printed
        if expect is not None:
            assert result.returncode == expect, printed
        return printed

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set search_path = 'marts,intermediate,staging,raw'")
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("set search_path = 'marts,intermediate,staging,raw'")
            for statement in statements:
                connection.execute(statement)
