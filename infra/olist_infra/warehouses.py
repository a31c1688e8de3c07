"""The warehouses: one for each workload, asleep when nobody asks."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.cloud_settings import WarehouseSettings
from olist_platform.naming import Names, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousesArgs:
    """What each is like, and what stops it.

    Attributes:
        names: Names of the environment.
        settings: Settings of each workload's warehouse.
        monitors: Resource monitor of each.
    """

    names: Names
    settings: Mapping[Workload, WarehouseSettings]
    monitors: Mapping[Workload, pulumi.Input[str]]


class Warehouses(pulumi.ComponentResource):
    """The warehouses.

    Attributes:
        of_workload: Output of each one's name, by workload.
    """

    def __init__(
        self, name: str, args: WarehousesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:Warehouses", name, None, opts)
        self.of_workload = {
            workload: snowflake.Warehouse(
                f"warehouse-{workload}",
                name=args.names.warehouse(workload),
                warehouse_size=settings.size,
                warehouse_type="STANDARD",
                auto_suspend=settings.auto_suspend_seconds,
                auto_resume="true",
                initially_suspended=True,
                min_cluster_count=settings.min_clusters,
                max_cluster_count=settings.max_clusters,
                scaling_policy=settings.scaling_policy,
                statement_timeout_in_seconds=settings.statement_timeout_seconds,
                statement_queued_timeout_in_seconds=settings.queue_timeout_seconds,
                resource_monitor=args.monitors[workload],
                comment=f"Pays for: {workload}",
                opts=pulumi.ResourceOptions(parent=self),
            ).name
            for workload, settings in args.settings.items()
        }
        self.register_outputs({"warehouses": dict(self.of_workload)})
