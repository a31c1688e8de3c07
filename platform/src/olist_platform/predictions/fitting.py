"""Fitting: every model on the warehouse's data, judged, stored, told of where it may not score."""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from olist_platform.alerts.alert import Alert, Measurement, fingerprint_of
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.router import raise_alert, resolve
from olist_platform.dbt_command import dbt_project_folder
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.moments import without_zone
from olist_platform.predictions.acceptance import AcceptanceRule
from olist_platform.predictions.churn_fitting import fit_churn
from olist_platform.predictions.model_fit import ModelFit, ModelName, Verdict
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

_OWNER = "analytics_engineering"
_EVERY_MODEL = "every model"


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
    resolve(environment, fingerprint_of(environment.name, Signal.MODEL_FIT, _EVERY_MODEL), now)
    for fit, verdict in judged:
        _tell(environment, fit, verdict, rule, now)
    return stored


def fit_when_due(environment: Environment, now: datetime) -> list[StoredFit]:
    """Fit every model if it is time to: none was fitted yet, or the last fit is too old.

    The var `model_fit_interval_days` says how old it may be. A fit that was not accepted counts.

    Args:
        environment: Whose warehouse.
        now: The moment, with a time zone.

    Returns:
        The versions as stored; none where it is not time.

    Raises:
        OlistError: See `fit_models`.
    """
    with open_predictions(environment) as warehouse:
        fits = ParameterStore(warehouse, environment.names).current_fits()
    if not is_due(fits, now):
        return []
    return fit_models(environment, now)


def tell_no_fit(environment: Environment, error: OlistError, now: datetime) -> None:
    """Raise the alert that nothing could be fitted at all.

    Args:
        environment: Where.
        error: Why.
        now: The moment, with a time zone.
    """
    alert = Alert(
        environment=environment.name,
        signal=Signal.MODEL_FIT,
        subject=_EVERY_MODEL,
        severity=Severity.MEDIUM,
        owner=_OWNER,
        summary="No model could be fitted; the versions before go on scoring.",
        details=(error.message, *([error.mend] if error.mend else [])),
    )
    raise_alert(environment, alert, now)


def is_due(fits: Sequence[StoredFit], now: datetime) -> bool:
    """Whether the newest fit of some model is older than the interval, or there is none."""
    interval = timedelta(days=project_vars()["model_fit_interval_days"])
    moment = without_zone(now)
    newest = {fit.model: fit.fitted_at for fit in fits if fit.fitted_at is not None}
    return any(model not in newest or newest[model] <= moment - interval for model in ModelName)


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


def _tell(
    environment: Environment, fit: ModelFit, verdict: Verdict, rule: AcceptanceRule, now: datetime
) -> None:
    if verdict.is_accepted:
        resolve(environment, fingerprint_of(environment.name, Signal.MODEL_FIT, fit.model), now)
        return
    needed = rule.minimum_events[fit.model]
    is_thin = fit.training_events < needed
    alert = Alert(
        environment=environment.name,
        signal=Signal.MODEL_FIT,
        subject=fit.model.value,
        severity=Severity.LOW if is_thin else Severity.MEDIUM,
        owner=_OWNER,
        summary="A fit of the model may not score; the version before it goes on scoring.",
        measurement=Measurement(
            value=fit.training_events, at_least=needed, unit="events to learn from"
        )
        if is_thin
        else None,
        details=(verdict.reason, f"Data of {fit.training_window}, {fit.training_rows} rows"),
    )
    raise_alert(environment, alert, now)
