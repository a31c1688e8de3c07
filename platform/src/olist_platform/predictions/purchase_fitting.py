"""A fit of the purchase model: judged on a hold-out of up to a year, then estimated from all."""

from collections.abc import Mapping

import numpy as np

from olist_platform.predictions import bg_nbd
from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.hold_out import hold_out_start, paired_error
from olist_platform.predictions.model_fit import Estimate, ModelFit, ModelName
from olist_platform.predictions.person_orders import PersonOrders


def log_probability_of(orders: Floats, model: BGNBD, histories: Histories, days: float) -> Floats:
    """Return the log probability of exactly so many orders of each person in the days to come."""
    at_least = np.ones(len(orders))
    probability = np.zeros(len(orders))
    for number in range(int(orders.max(initial=0)) + 1):
        more = model.probability_of_at_least(number + 1, histories, days)
        probability = np.where(orders == number, at_least - more, probability)
        at_least = more
    with np.errstate(divide="ignore"):
        logarithm: Floats = np.log(np.maximum(probability, 0))
    return logarithm


def fit_purchases(
    orders: PersonOrders, checksum: str, incumbent: Mapping[str, float] | None
) -> ModelFit:
    """Return the fit of people's orders.

    Args:
        orders: Valid orders of people.
        checksum: Of their rows.
        incumbent: Parameters that score now; None without any.
    """
    start = hold_out_start(orders)
    then, now = orders.seen_at(start), orders.seen_at(orders.last_day)
    final = bg_nbd.fit(now.histories)
    judge = bg_nbd.fit(then.histories)
    days = float((orders.last_day - start).days)
    bought, _ = orders.bought_between(start, orders.last_day, then.person)
    metrics = {"log_likelihood": final.log_likelihood, "hold_out_days": days}
    scores = former = None
    learning_error = 0.0
    if judge.fault is None:
        model = BGNBD(*judge.values.tolist())
        scores = log_probability_of(bought, model, then.histories, days)

        def mean_score(logarithms: Floats) -> float:
            other = BGNBD(*np.exp(logarithms).tolist())
            return float(log_probability_of(bought, other, then.histories, days).mean())

        learning_error = judge.error_of(mean_score)
        predicted = float(model.expected_orders(then.histories, days).sum())
        metrics |= {
            "log_score": float(scores.mean()),
            "predicted_orders": predicted,
            "actual_orders": float(bought.sum()),
        }
    if incumbent is not None:
        former = log_probability_of(bought, BGNBD.of(incumbent), then.histories, days)
        metrics["incumbent_log_score"] = float(former.mean())
    repeats = now.histories.repeats
    return ModelFit(
        model=ModelName.PURCHASES,
        estimates=tuple(
            Estimate(name, *_known(value, error, final.fault))
            for name, value, error in zip(
                bg_nbd.PARAMETERS, final.values, final.standard_errors, strict=True
            )
        ),
        training_window=f"{orders.first_day} to {orders.last_day}",
        training_rows=len(repeats),
        training_events=int((repeats > 0).sum()),
        judged_events=int((bought > 0).sum()),
        data_checksum=checksum,
        fitted_with="SciPy: BG/NBD by maximum likelihood (Nelder-Mead, then Newton), time in days;"
        " standard errors by the Hessian",
        metrics={name: round(value, 9) for name, value in metrics.items()},
        fault=final.fault or judge.fault,
        score=float("nan") if scores is None else float(scores.mean()),
        incumbent_score=None if former is None else float(former.mean()),
        # What judges has learnt from the time before the hold-out; what scores may know it too.
        score_difference_error=float(np.hypot(paired_error(scores, former), learning_error)),
    )


def _known(value: float, error: float, fault: str | None) -> tuple[float | None, float | None]:
    return (None, None) if fault is not None else (float(value), float(error))
