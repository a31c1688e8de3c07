"""What an environment of this machine has published, asked and changed by tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.publication import publish
from olist_workspace import Workspace

INVOCATION = "0f3a8e51-0000-4000-8000-c2d94b760001"


@dataclass(frozen=True)
class Published:
    """The published copy of a workspace; OLIST_HOME has to name the workspace."""

    workspace: Workspace

    @property
    def environment(self) -> Environment:
        return load_environment(EnvironmentName.LOCAL)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.workspace.serving), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        [(value,)] = self.rows(sql)
        return value

    @property
    def as_of(self) -> date:
        day = self.one("select max(as_of_date) from publication")
        assert isinstance(day, date)
        return day

    @property
    def published_at(self) -> datetime:
        moment = self.one("select max(published_at) from publication")
        assert isinstance(moment, datetime)
        return moment.replace(tzinfo=UTC)

    def change(self, *statements: str) -> None:
        with duckdb.connect(str(self.workspace.serving)) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put the copy back as it was when the block is left."""
        before = self.workspace.serving.read_bytes()
        try:
            yield
        finally:
            self.workspace.serving.write_bytes(before)


def publish_workspace(workspace: Workspace) -> Published:
    """Publish the marts of a workspace that OLIST_HOME names."""
    publish(load_environment(EnvironmentName.LOCAL), INVOCATION)
    return Published(workspace)
