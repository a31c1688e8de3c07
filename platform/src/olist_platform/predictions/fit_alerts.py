"""What is told of fits: that nothing could be fitted, and which fit may not score."""

from datetime import datetime

from olist_platform.alerts.alert import Alert, Measurement, fingerprint_of
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.router import raise_alert, resolve
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.predictions.acceptance import AcceptanceRule
from olist_platform.predictions.model_fit import ModelFit, Verdict

_OWNER = "analytics_engineering"
_EVERY_MODEL = "every model"


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


def tell_fit(environment: Environment, now: datetime) -> None:
    """Resolve the alert that nothing could be fitted at all."""
    resolve(environment, fingerprint_of(environment.name, Signal.MODEL_FIT, _EVERY_MODEL), now)


def tell_verdict(
    environment: Environment, fit: ModelFit, verdict: Verdict, rule: AcceptanceRule, now: datetime
) -> None:
    """Raise the alert of a fit that may not score, or resolve that of the model.

    Args:
        environment: Where.
        fit: What was fitted.
        verdict: Whether it may score, and why.
        rule: What it was judged by.
        now: The moment, with a time zone.
    """
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
