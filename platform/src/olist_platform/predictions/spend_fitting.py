"""A fit of the spend model: judged on the orders of a hold-out, then estimated from all."""

from collections.abc import Mapping
from datetime import date

import numpy as np
from scipy.stats import norm

from olist_platform.predictions import gamma_gamma
from olist_platform.predictions.arrays import Floats, counts_by, sums_by
from olist_platform.predictions.gamma_gamma import GammaGamma, OrderValues
from olist_platform.predictions.hold_out import hold_out_start, paired_error
from olist_platform.predictions.model_fit import Estimate, ModelFit, ModelName
from olist_platform.predictions.person_orders import PersonOrders


def fit_spend(
    orders: PersonOrders, checksum: str, incumbent: Mapping[str, float] | None
) -> ModelFit:
    """Return the fit of the values of people's orders.

    Args:
        orders: Valid orders of people.
        checksum: Of their rows.
        incumbent: Parameters that score now; None without any.
    """
    start = hold_out_start(orders)
    known, everything = orders.values_until(start), orders.values_until(orders.last_day)
    final, judge = gamma_gamma.fit(everything), gamma_gamma.fit(known)
    later = _orders_after(orders, start)
    metrics = {
        "variance_between_people": final.likeness.variance,
        "variance_between_people_error": final.likeness.standard_error,
        "newcomer_value": final.newcomer_value,
        "newcomer_value_error": final.newcomer_value_error,
    }
    scores = former = None
    if judge.fault is None and len(later[0]):
        scores = judge.model.log_density(*later)
        metrics |= {
            "log_score": float(scores.mean()),
            "lognormal_log_score": _lognormal_score(known, later[0]),
        }
    if incumbent is not None and len(later[0]):
        former = GammaGamma.of(incumbent).log_density(*later)
        metrics["incumbent_log_score"] = float(former.mean())
    values = {"p": final.model.p, "q": final.model.q, "gamma": final.model.gamma}
    return ModelFit(
        model=ModelName.SPEND,
        estimates=tuple(
            Estimate(
                name,
                values[name] if final.fault is None else None,
                final.standard_errors.get(name) if final.fault is None else None,
            )
            for name in gamma_gamma.PARAMETERS
        ),
        training_window=f"{orders.first_day} to {orders.last_day}",
        training_rows=len(everything.value),
        training_events=final.likeness.repeat_buyers,
        judged_events=len(later[0]),
        data_checksum=checksum,
        fitted_with="SciPy: q by analysis of variance of repeat buyers, gamma by the mean order"
        " value, p by maximum likelihood given both; standard errors by jackknife and sandwich",
        metrics={name: round(value, 9) for name, value in metrics.items() if np.isfinite(value)},
        fault=final.fault or judge.fault,
        score=float("nan") if scores is None else float(scores.mean()),
        incumbent_score=None if former is None else float(former.mean()),
        score_difference_error=paired_error(scores, former),
    )


def _orders_after(orders: PersonOrders, start: date) -> tuple[Floats, Floats, Floats]:
    """Return the value of each order after a day, and orders and value of its person before it."""
    until = orders.days_from_last(start)
    counts = orders.has_items & (orders.value > 0)
    before = counts & (orders.day_number <= until)
    size = len(orders.people)
    number = counts_by(orders.person[before], size)
    spent = sums_by(orders.person[before], orders.value[before], size)
    chosen = counts & (orders.day_number > until)
    person = orders.person[chosen]
    return orders.value[chosen], number[person], spent[person]


def _lognormal_score(known: OrderValues, later: Floats) -> float:
    """Return the mean log density by the baseline: everybody's orders are alike and log-normal."""
    logarithms = np.log(known.value)
    density = norm.logpdf(np.log(later), logarithms.mean(), logarithms.std()) - np.log(later)
    return float(density.mean())
