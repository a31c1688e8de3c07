"""A fit of the churn model: judged on the latest date, then estimated from all of them."""

from collections.abc import Mapping

import numpy as np

from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.churn_model import (
    INTERCEPT,
    ChurnExamples,
    ChurnModel,
    choose_strength,
    churn_probabilities,
    dates_known_at,
    fit,
)
from olist_platform.predictions.hold_out import paired_error
from olist_platform.predictions.model_fit import Estimate, ModelFit, ModelName
from olist_platform.predictions.probability_metrics import log_losses, measure


def judged_model(examples: ChurnExamples, window_days: int) -> tuple[ChurnModel, ChurnExamples]:
    """Return the model of the dates that were known at the latest one, and the latest one.

    Windows of the dates that it learns from had ended by then: neither an outcome nor a feature is
    shared with what judges.
    """
    if not examples.dates:
        nobody = examples.at([])
        return fit(nobody, 1.0), nobody
    latest = examples.dates[-1]
    strength = choose_strength(examples, latest, window_days)
    known = dates_known_at(examples, latest, window_days)
    return fit(examples.at(known), strength), examples.at([latest])


def fit_churn(
    examples: ChurnExamples, checksum: str, incumbent: Mapping[str, float] | None, window_days: int
) -> ModelFit:
    """Return the fit of people at reference dates.

    Args:
        examples: The people.
        checksum: Of their rows.
        incumbent: Parameters that score now; None without any.
        window_days: Days after a reference date in which who does not buy has churned.
    """
    judge, latest = judged_model(examples, window_days)
    final = fit(examples, judge.strength)
    losses = _losses(judge.values, latest) if judge.fault is None else None
    former = None if incumbent is None else _losses(dict(incumbent), latest)
    metrics: dict[str, float] = {"strength": final.strength}
    if losses is not None and len(losses):
        figures = measure(latest.churned, judge.probabilities(latest))
        base_rate = float(
            examples.at(dates_known_at(examples, latest.dates[-1], window_days)).churned.mean()
        )
        baseline = measure(latest.churned, np.full(len(losses), base_rate))
        metrics |= {
            "auc": figures.auc,
            "log_loss": figures.log_loss,
            "base_rate_log_loss": baseline.log_loss,
            "brier": figures.brier,
            "base_rate_brier": baseline.brier,
        }
    if former is not None and len(former):
        metrics["incumbent_log_loss"] = float(former.mean())
    names = (INTERCEPT, *examples.features)
    values = final.values
    return ModelFit(
        model=ModelName.CHURN,
        estimates=tuple(
            Estimate(
                name,
                values[name] if np.isfinite(values[name]) else None,
                final.standard_errors.get(name),
            )
            for name in names
        ),
        training_window=f"{examples.dates[0]} to {examples.dates[-1]}, {window_days} days after"
        if examples.dates
        else "none",
        training_rows=len(examples.churned),
        training_events=examples.returned,
        judged_events=latest.returned,
        data_checksum=checksum,
        fitted_with="scikit-learn LogisticRegression, L2 on standardised features; standard errors"
        " robust to people seen at several dates",
        metrics={name: round(value, 9) for name, value in metrics.items()},
        fault=final.fault or judge.fault,
        score=float("nan") if losses is None or not len(losses) else -float(losses.mean()),
        incumbent_score=None if former is None or not len(former) else -float(former.mean()),
        # What judges has learnt from the earlier dates only; what would score knows all of them.
        score_difference_error=float(
            np.hypot(paired_error(losses, former), judge.error_of_score(latest))
        )
        if losses is not None and len(losses)
        else float("inf"),
    )


def _losses(values: dict[str, float], examples: ChurnExamples) -> Floats | None:
    if any(name not in values for name in (INTERCEPT, *examples.features)):
        # Parameters of other features cannot be compared with these.
        return None
    return log_losses(examples.churned, churn_probabilities(values, examples))
