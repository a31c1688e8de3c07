"""The whole back-test of an environment's warehouse."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError
from olist_platform.predictions.backtest.churn import ChurnBacktest, backtest_churn
from olist_platform.predictions.backtest.figures import Area, Figure, Outcome
from olist_platform.predictions.backtest.forecasts import (
    FORECASTS_SQL,
    SALES_SQL,
    ForecastBacktest,
    backtest_forecasts,
)
from olist_platform.predictions.backtest.frauds import (
    DETECTION_NODES,
    FraudBacktest,
    backtest_frauds,
    frauds_not_tried,
)
from olist_platform.predictions.backtest.lifetime_value import (
    LifetimeValueBacktest,
    backtest_lifetime_value,
    parameter_figures,
)
from olist_platform.predictions.backtest.retention import retention_figures
from olist_platform.predictions.backtest.segments import SegmentBacktest, backtest_segments
from olist_platform.predictions.backtest.truth import (
    find_true_parameters,
    read_truth,
    recovery_figures,
)
from olist_platform.predictions.compiled_sql import compiled_nodes
from olist_platform.predictions.fitting import fits_of
from olist_platform.predictions.model_fit import ModelFit, ModelName
from olist_platform.predictions.parameter_store import ParameterStore, StoredFit
from olist_platform.predictions.training_data import (
    TRAINING_NODES,
    TrainingData,
    read_training_data,
    training_sql,
)
from olist_platform.predictions.warehouse import PredictionWarehouse, open_predictions
from olist_platform.project_vars import project_vars

_COHORTS = """
    select cohort_month, months_since_first, is_complete, cohort_size, active_customers,
        cast(ltv_to_cac as double) as ltv_to_cac, payback_month
    from marts.mart_unit_economics
"""
_SEGMENTS = "select * from staging.customer_segments"


@dataclass(frozen=True, slots=True)
class Backtest:
    """Everything that was found.

    Attributes:
        figures: The report's lines.
        scoring: The versions that score.
        fits: What a fit on these data would give, by model.
        churn: Of churn, in detail.
        lifetime_value: Of lifetime value.
        forecasts: Of the forecast.
        frauds: Of anomalies and fraud.
        segments: Of segments.
        orders: Valid orders of people in the data.
        last_day: Last day of the data.
    """

    figures: tuple[Figure, ...]
    scoring: dict[ModelName, StoredFit]
    fits: tuple[ModelFit, ...]
    churn: ChurnBacktest
    lifetime_value: LifetimeValueBacktest
    forecasts: ForecastBacktest
    frauds: FraudBacktest
    segments: SegmentBacktest
    orders: int
    last_day: date


@dataclass(frozen=True, slots=True)
class _Read:
    scoring: dict[ModelName, StoredFit]
    data: TrainingData
    forecasts: pl.DataFrame
    sales: pl.DataFrame
    cohorts: pl.DataFrame
    segments: pl.DataFrame


def run_backtest(environment: Environment, true_parameters: Path | None = None) -> Backtest:
    """Hold every model against what it had not seen, and against the truth where it is known.

    Args:
        environment: Whose warehouse.
        true_parameters: File of the parameters that the data were generated with, or its folder;
            what `make demo` generated is found by itself.

    Nothing is written. Frauds are injected on the embedded engine only, in memory: on Snowflake it
    would take a clone of raw.

    Raises:
        OlistError: The marts are not built, or the warehouse cannot be reached.
    """
    path = find_true_parameters(environment, true_parameters)
    truth = None if path is None else read_truth(path)
    # Before dbt, which makes a warehouse where there is none.
    with open_predictions(environment) as warehouse:
        scoring = ParameterStore(warehouse, environment.names).scoring()
    is_embedded = isinstance(environment.warehouse, DuckDBWarehouse)
    selection = [*TRAINING_NODES, *(DETECTION_NODES if is_embedded else ())]
    nodes = compiled_nodes(environment, selection)
    with open_predictions(environment) as warehouse:
        data = read_training_data(warehouse, training_sql(nodes))
        read = _read(warehouse, scoring, data)
    variables = project_vars()
    minimum = int(variables["model_minimum_judged_events"])
    region = dict(zip(data.orders.people, data.orders.regions, strict=True))
    churn = backtest_churn(
        data.churn,
        [region.get(person, "Unknown") for person in data.churn.people],
        int(variables["churn_window_days"]),
        minimum,
    )
    value = backtest_lifetime_value(
        data.orders, float(variables["contribution_margin_rate"]), minimum
    )
    forecasts = backtest_forecasts(read.forecasts, read.sales, variables)
    frauds = (
        backtest_frauds(environment, nodes, float(variables["fraud_alert_max_share"]))
        if is_embedded
        else frauds_not_tried()
    )
    segments = backtest_segments(data.orders, read.segments)
    fits = tuple(fits_of(data, read.scoring))
    areas = {ModelName.PURCHASES: Area.PURCHASES, ModelName.SPEND: Area.SPEND}
    lines = [
        *churn.figures,
        *(
            line
            for fit in fits
            if fit.model in areas
            for line in parameter_figures(fit, areas[fit.model])
        ),
        *(line for fit in fits if truth is not None for line in recovery_figures(fit, truth)),
        *value.figures,
        *forecasts.figures,
        *frauds.figures,
        *retention_figures(read.cohorts),
        *segments.figures,
    ]
    order = list(Area)
    return Backtest(
        figures=tuple(sorted(lines, key=lambda line: order.index(line.area))),
        scoring=read.scoring,
        fits=fits,
        churn=churn,
        lifetime_value=value,
        forecasts=forecasts,
        frauds=frauds,
        segments=segments,
        orders=len(data.orders.day),
        last_day=data.orders.last_day,
    )


def failing(backtest: Backtest) -> list[Figure]:
    """Return the lines that are not as wanted."""
    return [line for line in backtest.figures if line.outcome is Outcome.FAILS]


def _read(
    warehouse: PredictionWarehouse, scoring: dict[ModelName, StoredFit], data: TrainingData
) -> _Read:
    try:
        return _Read(
            scoring=scoring,
            data=data,
            forecasts=warehouse.frame(FORECASTS_SQL),
            sales=warehouse.frame(SALES_SQL),
            cohorts=warehouse.frame(_COHORTS),
            segments=warehouse.frame(_SEGMENTS),
        )
    except Exception as error:
        if "does not exist" in str(error):
            raise OlistError(
                "the marts are not built: back-tests read them", "run `olist dbt -- build`"
            ) from error
        raise
