"""One pass of monitoring: look, judge, tell, remember."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.monitoring.check_result import CheckResult
from olist_platform.monitoring.evaluation import evaluate
from olist_platform.monitoring.expectations import Expectations
from olist_platform.monitoring.history import append_history
from olist_platform.monitoring.monitored_warehouse import open_monitored_warehouse
from olist_platform.monitoring.node_directory import NodeDirectory
from olist_platform.monitoring.observation import WAREHOUSE, OpenWarehouse, observe
from olist_platform.monitoring.settlement import Settlement, settle

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class MonitoringPass:
    """What a pass found and did.

    Attributes:
        at: Its moment.
        results: What every check said.
        settlement: What it changed in the outbox.
        recorded: How many figures went to the history.
    """

    at: datetime
    results: list[CheckResult]
    settlement: Settlement
    recorded: int

    @property
    def failing(self) -> list[CheckResult]:
        """What fails."""
        return [result for result in self.results if result.is_failing]


def run_checks(
    environment: Environment,
    clock: Clock,
    open_warehouse: OpenWarehouse = open_monitored_warehouse,
) -> MonitoringPass:
    """Look at everything, judge it, raise and resolve alerts, append the figures to the history.

    People are told by `alerts.router.deliver_due`. Nothing waits for a build, and no build waits.

    Args:
        environment: What to look at.
        clock: Returns the moment, with a time zone.
        open_warehouse: Opens what may be asked of the warehouse.

    Raises:
        OlistError: The outbox or the history cannot be used. Alerts come first: they are raised
            even where the figures cannot be kept.
    """
    now = clock()
    expectations = Expectations.of_project()
    observation = observe(environment, now, expectations, open_warehouse)
    results = evaluate(environment, observation, expectations, NodeDirectory.of(environment))
    settlement = settle(environment, results, observation.open_alerts, now)
    on_file = isinstance(environment.warehouse, DuckDBWarehouse)
    # Where the warehouse cannot be reached, its history cannot either; that is told of already.
    can_record = on_file or WAREHOUSE not in observation.problems
    recorded = append_history(environment, results, now) if can_record else 0
    return MonitoringPass(now, results, settlement, recorded)
