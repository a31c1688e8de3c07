"""Fitting: every model on the warehouse's data, judged, stored, told of where it may not score."""

import hashlib
import os
from datetime import datetime
from pathlib import Path

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.environment import Environment
from olist_platform.predictions.acceptance import AcceptanceRule
from olist_platform.predictions.churn_fitting import fit_churn
from olist_platform.predictions.fit_alerts import tell_fit, tell_verdict
from olist_platform.predictions.model_fit import ModelFit, ModelName
from olist_platform.predictions.parameter_store import ParameterStore, StoredFit
from olist_platform.predictions.purchase_fitting import fit_purchases
from olist_platform.predictions.spend_fitting import fit_spend
from olist_platform.predictions.training_data import (
    TrainingData,
    compile_training_sql,
    read_training_data,
)
from olist_platform.predictions.warehouse import open_predictions
from olist_platform.project_vars import project_vars


def fit_models(environment: Environment, now: datetime) -> list[StoredFit]:
    """Fit every model, store what was found, and raise an alert for each that may not score.

    On DuckDB the warehouse is closed again when this returns.

    Args:
        environment: Whose warehouse.
        now: The moment, with a time zone: it is stored, and changes nothing else.

    Returns:
        The versions as stored.

    Raises:
        OlistError: dbt cannot compile the training data, staging is not built, or the warehouse
            cannot be reached.
    """
    with open_predictions(environment) as warehouse:
        scoring = ParameterStore(warehouse, environment.names).scoring()
    sql = compile_training_sql(environment)
    with open_predictions(environment) as warehouse:
        data = read_training_data(warehouse, sql)
    rule = AcceptanceRule.of(project_vars())
    judged = [(fit, rule.judge(fit)) for fit in fits_of(data, scoring)]
    with open_predictions(environment, read_only=False) as warehouse:
        store = ParameterStore(warehouse, environment.names)
        stored = store.append(judged, code_version(), now)
    tell_fit(environment, now)
    for fit, verdict in judged:
        tell_verdict(environment, fit, verdict, rule, now)
    return stored


def fits_of(data: TrainingData, scoring: dict[ModelName, StoredFit]) -> list[ModelFit]:
    """Return the fit of each model.

    Args:
        data: What they learn from and are judged by.
        scoring: The versions that score now.
    """
    former = {model: fit.values for model, fit in scoring.items()}
    window_days = int(project_vars()["churn_window_days"])
    return [
        fit_churn(data.churn, data.churn_checksum, former.get(ModelName.CHURN), window_days),
        fit_purchases(data.orders, data.orders_checksum, former.get(ModelName.PURCHASES)),
        fit_spend(data.orders, data.orders_checksum, former.get(ModelName.SPEND)),
    ]


def code_version() -> str:
    """Return what tells the code that fitted: its commit, or a hash of its files."""
    if commit := os.environ.get("OLIST_GIT_SHA"):
        return commit
    project = dbt_project_folder()
    files = [
        *Path(__file__).parent.glob("*.py"),
        *project.glob("analyses/*.sql"),
        *project.glob("macros/customers/*.sql"),
    ]
    content = hashlib.sha256()
    for path in sorted(files, key=lambda each: each.name):
        content.update(path.read_bytes())
    return f"sha256:{content.hexdigest()[:16]}"
