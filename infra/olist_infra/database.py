"""The environment's database: one schema for each layer and one for what governs the data."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.naming import GOVERNANCE_SCHEMA, Layer

_PURPOSES = {
    Layer.RAW: "What the landing files said: append-only text",
    Layer.STAGING: "Newest versions, cast; quarantine",
    Layer.INTERMEDIATE: "What the marts are made of",
    Layer.MARTS: "Marts that are being built and tested",
    Layer.SERVING: "Marts that passed every test; what consumers read",
    Layer.SNAPSHOTS: "History of people, sellers and products",
    Layer.MONITORING: "Quality, volume, freshness and costs",
    GOVERNANCE_SCHEMA: "Tags, policies, network rules, and who objected to the use of their data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseArgs:
    """What the database is called and how long it remembers.

    Attributes:
        name: Name of the database.
        retention_days: How far Time Travel reaches back.
        protect: Whether Pulumi refuses to delete it.
    """

    name: str
    retention_days: int
    protect: bool


class Database(pulumi.ComponentResource):
    """A database whose schemas let nobody but the deployer grant.

    Attributes:
        name: Output.
        schemas: Output of each schema's name, by layer or governance.
    """

    def __init__(
        self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:Database", name, None, opts)
        database = snowflake.Database(
            name,
            name=args.name,
            comment="The Olist analytics platform",
            data_retention_time_in_days=args.retention_days,
            drop_public_schema_on_creation=True,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.name = database.name
        self.schemas: Mapping[str, pulumi.Output[str]] = {
            schema: snowflake.Schema(
                schema,
                name=schema.upper(),
                database=database.name,
                with_managed_access="true",
                comment=purpose,
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            ).name
            for schema, purpose in _PURPOSES.items()
        }
        self.register_outputs({"name": self.name, "schemas": dict(self.schemas)})
