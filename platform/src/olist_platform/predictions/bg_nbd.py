"""BG/NBD: how often people buy again, and whether they still will (Fader, Hardie and Lee, 2005).

A person buys at a rate from gamma(r, alpha) a day, and stops for good after each further order with
a probability from beta(a, b). Nobody can stop before a second order. dbt scores by the same
formulas in `int_purchase_outlook` and `int_customer_lifetime_value`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaln, gammaln, hyp2f1

from olist_platform.predictions.arrays import Floats, sums_by
from olist_platform.predictions.maximum_likelihood import (
    LARGEST_LOGARITHM,
    MaximumLikelihood,
    maximise,
)

PARAMETERS = ("r", "alpha", "a", "b")
_STARTS = ((0.01, 2.0, 2.0, 0.5), (0.2, 20.0, 1.0, 2.0))
# The closed form of the expectation has a removable pole at a = 1.
_POLE = 1e-6
# Nearly everybody's history is that of others too, once days are rounded so little.
_STEP_DAYS = 0.25


@dataclass(frozen=True, slots=True)
class BGNBD:
    """The four parameters; rates are per day."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "BGNBD":
        """Return the model of parameters by name."""
        return cls(**{name: values[name] for name in PARAMETERS})

    def probability_alive(self, histories: "Histories") -> Floats:
        """Return the probability that each person still is a customer, 0 to 1."""
        repeats = histories.repeats
        later = np.maximum(repeats, 1)
        odds_gone = (
            self.a
            / (self.b + later - 1)
            * ((self.alpha + histories.observed_days) / (self.alpha + histories.active_days))
            ** (self.r + repeats)
        )
        alive: Floats = np.where(repeats > 0, 1 / (1 + odds_gone), 1.0)
        return alive

    def probability_of_at_least(self, orders: int, histories: "Histories", days: float) -> Floats:
        """Return the probability of at least so many orders within the days to come, 0 to 1.

        Given a customer it is that of so many events of a gamma-Poisson count, times that of not
        stopping after any but the last of them.
        """
        repeats = histories.repeats
        elapsed = days / (self.alpha + histories.observed_days + days)
        events = betainc(orders, self.r + repeats, elapsed)
        survives = np.exp(
            betaln(self.a, self.b + repeats + orders - 1) - betaln(self.a, self.b + repeats)
        )
        probability: Floats = self.probability_alive(histories) * events * survives
        return probability

    def expected_orders(self, histories: "Histories", days: float) -> Floats:
        """Return the expected orders within the days to come (their equation 10)."""
        a = self.a + _POLE if abs(self.a - 1) < _POLE else self.a
        repeats, until = histories.repeats, self.alpha + histories.observed_days
        hyper = hyp2f1(
            self.r + repeats, self.b + repeats, a + self.b + repeats - 1, days / (until + days)
        )
        shrunk = (until / (until + days)) ** (self.r + repeats)
        expected: Floats = (
            self.probability_alive(histories)
            * (a + self.b + repeats - 1)
            / (a - 1)
            * (1 - shrunk * hyper)
        )
        return np.maximum(expected, 0)


@dataclass(frozen=True, slots=True)
class Histories:
    """What BG/NBD knows of people, one element each.

    Attributes:
        repeats: Orders after the first.
        active_days: Days from the first order to the last.
        observed_days: Days from the first order to the end of observation.
        weights: How many people have exactly this history.
    """

    repeats: Floats
    active_days: Floats
    observed_days: Floats
    weights: Floats

    def counted(self) -> "Histories":
        """Return each different history once, with its weight; days to a quarter."""
        table = np.column_stack(
            [
                self.repeats,
                (self.active_days / _STEP_DAYS).round() * _STEP_DAYS,
                (self.observed_days / _STEP_DAYS).round() * _STEP_DAYS,
            ]
        )
        rows, number = np.unique(table, axis=0, return_inverse=True)
        weights = sums_by(number.ravel(), self.weights, len(rows))
        return Histories(rows[:, 0], rows[:, 1], rows[:, 2], weights)


def log_likelihood(model: BGNBD, histories: Histories) -> Floats:
    """Return the log likelihood of each history (their equation 6)."""
    x, r, alpha, a, b = histories.repeats, model.r, model.alpha, model.a, model.b
    rates = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    goes_on = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + histories.observed_days)
    with np.errstate(divide="ignore"):
        stopped = np.where(
            x > 0,
            betaln(a + 1, b + np.maximum(x, 1) - 1)
            - betaln(a, b)
            - (r + x) * np.log(alpha + histories.active_days),
            -np.inf,
        )
    total: Floats = rates + np.logaddexp(goes_on, stopped)
    return total


def fit(histories: Histories) -> MaximumLikelihood:
    """Return the maximum likelihood estimate of r, alpha, a and b."""
    counted = histories.counted()

    def negative(logarithms: Floats) -> float:
        if np.max(np.abs(logarithms)) > LARGEST_LOGARITHM:
            return np.inf
        model = BGNBD(*np.exp(logarithms))
        return -float(counted.weights @ log_likelihood(model, counted))

    return maximise(negative, _STARTS)
