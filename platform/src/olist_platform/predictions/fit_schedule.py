"""When the models are fitted again: most runs find that it is not time.

Importing this module is cheap; what fits is imported when it is time to.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from olist_platform.environment import Environment
from olist_platform.moments import without_zone
from olist_platform.predictions.model_fit import ModelName
from olist_platform.predictions.parameter_store import ParameterStore, StoredFit
from olist_platform.predictions.warehouse import open_predictions
from olist_platform.project_vars import project_vars


def fit_when_due(environment: Environment, now: datetime) -> list[StoredFit]:
    """Fit every model if it is time to: none was fitted yet, or the last fit is too old.

    The var `model_fit_interval_days` says how old it may be. A fit that was not accepted counts.

    Args:
        environment: Whose warehouse.
        now: The moment, with a time zone.

    Returns:
        The versions as stored; none where it is not time.

    Raises:
        OlistError: See `fitting.fit_models`.
    """
    with open_predictions(environment) as warehouse:
        fits = ParameterStore(warehouse, environment.names).current_fits()
    if not is_due(fits, now):
        return []
    # SciPy and scikit-learn take seconds to import.
    from olist_platform.predictions.fitting import fit_models  # noqa: PLC0415

    return fit_models(environment, now)


def is_due(fits: Sequence[StoredFit], now: datetime) -> bool:
    """Whether the newest fit of some model is older than the interval, or there is none."""
    interval = timedelta(days=project_vars()["model_fit_interval_days"])
    moment = without_zone(now)
    newest = {fit.model: fit.fitted_at for fit in fits if fit.fitted_at is not None}
    return any(model not in newest or newest[model] <= moment - interval for model in ModelName)
