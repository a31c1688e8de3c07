"""What models learn from: dbt's own SQL, run on staging as it is now.

The analyses of the dbt project say what a row is. The models between them and staging are put in
front of them as common table expressions, so that fitting, which comes before these models are
built again, never reads yesterday's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.naming import Layer
from olist_platform.predictions.churn_model import ChurnExamples
from olist_platform.predictions.compiled_sql import Nodes, compiled_nodes
from olist_platform.predictions.person_orders import PersonOrders
from olist_platform.predictions.warehouse import PredictionWarehouse

_CHURN, _ORDERS = "churn_training_set", "person_orders"
TRAINING_NODES = (_CHURN, _ORDERS, f"+{_CHURN},path:models/{Layer.INTERMEDIATE}")
"""What dbt has to compile for it."""


@dataclass(frozen=True, slots=True)
class TrainingSql:
    """The selects of the training data, for one engine.

    Attributes:
        churn: People at reference dates, with features and outcome.
        orders: Valid orders of people.
    """

    churn: str
    orders: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What models learn from.

    Attributes:
        churn: People at reference dates.
        orders: Valid orders of people.
        churn_checksum: SHA-256 of the rows of `churn`, hexadecimal.
        orders_checksum: SHA-256 of the rows of `orders`.
    """

    churn: ChurnExamples
    orders: PersonOrders
    churn_checksum: str
    orders_checksum: str


def compile_training_sql(environment: Environment, variables: str = "{}") -> TrainingSql:
    """Let dbt compile the analyses for the engine of an environment.

    No connection to a DuckDB warehouse may be open in this process: dbt opens it.

    Args:
        environment: Where they will run.
        variables: dbt's vars, as YAML.

    Raises:
        OlistError: dbt cannot compile them; the message holds dbt's own.
    """
    return training_sql(
        compiled_nodes(
            environment,
            TRAINING_NODES,
            variables,
        )
    )


def training_sql(nodes: Nodes) -> TrainingSql:
    """Return the selects of the training data, from nodes that dbt compiled."""
    return TrainingSql(churn=_inlined(nodes, _CHURN), orders=_inlined(nodes, _ORDERS))


def read_training_data(warehouse: PredictionWarehouse, sql: TrainingSql) -> TrainingData:
    """Return what models learn from.

    Raises:
        OlistError: Staging is not built, or holds no valid order.
    """
    orders = warehouse.frame(sql.orders).sort("customer_unique_id", "purchased_at", "order_id")
    if orders.is_empty():
        raise OlistError(
            "the warehouse holds no valid order: there is nothing to learn from",
            "load some data: olist land, olist load, olist dbt -- build",
        )
    churn = warehouse.frame(sql.churn).sort("reference_date", "customer_unique_id")
    return TrainingData(
        churn=ChurnExamples.of(churn),
        orders=PersonOrders.of(orders),
        churn_checksum=frame_checksum(churn),
        orders_checksum=frame_checksum(orders),
    )


def frame_checksum(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns and rows in their order, hexadecimal."""
    return hashlib.sha256(frame.write_csv(float_precision=9).encode()).hexdigest()


def _inlined(nodes: Nodes, analysis: str) -> str:
    """Return an analysis with the intermediate models it rests on in front of it."""
    [unique_id] = [key for key in nodes if key == f"analysis.olist.{analysis}"]
    order = _ancestors(nodes, unique_id, [])
    parts = []
    for each in order:
        code = nodes[each]["compiled_code"]
        for other in order:
            relation = nodes[other].get("relation_name")
            if relation:
                code = code.replace(relation, _inline_name(nodes[other]))
        parts.append(f"{_inline_name(nodes[each])} as (\n{code}\n)")
    return f"with {', '.join(parts)}\nselect * from {_inline_name(nodes[unique_id])}"


def _ancestors(nodes: Nodes, unique_id: str, found: list[str]) -> Sequence[str]:
    """Return a node behind the intermediate models that it rests on, each once."""
    for parent in nodes[unique_id]["depends_on"]["nodes"]:
        is_model = parent.startswith("model.") and nodes[parent]["fqn"][1] == Layer.INTERMEDIATE
        if is_model and parent not in found:
            _ancestors(nodes, parent, found)
    found.append(unique_id)
    return found


def _inline_name(node: Mapping[str, Any]) -> str:
    return f"inlined_{node['name']}"
