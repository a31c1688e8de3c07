"""A release's marts, built beside those in use and handed to readers in one step."""

from collections.abc import Mapping
from typing import Protocol

from olist_platform.environment import DuckDBWarehouse
from olist_platform.release.bundle import Bundle
from olist_platform.release.duckdb_side import DuckDBSide
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.smoke_tests import MartFacts
from olist_platform.release.snowflake_side import SnowflakeSide


class SideBuild(Protocol):
    """The marts of one release; every method raises OlistError where the warehouse fails."""

    def is_built(self) -> bool:
        """Whether they stand, built on the data that is there now."""

    def build(self, former: ReleaseTree | None) -> None:
        """Build and test all models where no reader and no DAG looks."""

    def facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that were built."""

    def served_facts(self) -> Mapping[str, MartFacts]:
        """Return what is known of the marts that readers have; empty when there are none."""

    def kept_marts(self) -> str:
        """Say from when the marts are that readers had last under this release; empty if gone."""

    def is_published(self) -> bool:
        """Whether readers have this release's marts."""

    def publish(self, former_digest: str | None) -> None:
        """Hand them to readers, and keep what those had under the former release."""

    def publish_kept(self, former_digest: str | None) -> None:
        """Hand readers what they had last under this release."""

    def put_back(self, former_digest: str | None) -> None:
        """Give readers what they had under the former release, if they have this one's."""


def side_build(tree: ReleaseTree, bundle: Bundle) -> SideBuild:
    """Return the side build of a release in its environment's warehouse."""
    environment = tree.environment()
    if isinstance(environment.warehouse, DuckDBWarehouse):
        return DuckDBSide(tree, bundle)
    return SnowflakeSide(tree, bundle)
