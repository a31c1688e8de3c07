"""Gamma-Gamma: what a person's orders are worth (Fader and Hardie, 2013), by order.

An order's value comes from gamma(p, a rate), and people's rates from gamma(q, gamma). How alike the
orders of one person are is all that q says. Orders have a heavier tail than the model. Maximum
likelihood would take it for differences between people; so q comes from comparing the orders of
those who bought again (analysis of variance). And it would expect less than what is paid on
average; so gamma is what makes the expectation the mean, and p is the likeliest given both. Errors
are those of estimating equations (the sandwich), which hold whatever tail the orders have.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln, polygamma
from scipy.stats import betaprime

from olist_platform.predictions.arrays import Floats, Integers, counts_by, sums_by
from olist_platform.predictions.maximum_likelihood import (
    LARGEST_LOGARITHM,
    maximise,
)

PARAMETERS = ("p", "q", "gamma")
_SHAPES_TO_START = (1.5, 5.0)
_SMALLEST_Q, _LARGEST_Q = 1e-3, 1e7
# How far q is moved to see what p and gamma owe to it, as a share.
_Q_STEP = 0.01
# How far the mean is moved to see what p owes to it, as a share.
_STEP = 1e-3


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The three parameters; `gamma` is in BRL."""

    p: float
    q: float
    gamma: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "GammaGamma":
        """Return the model of parameters by name."""
        return cls(**{name: values[name] for name in PARAMETERS})

    def expected_value(self, orders: Floats, spent: Floats) -> Floats:
        """Return the expected value of a person's next order, BRL.

        Args:
            orders: Orders so far.
            spent: Their value together, BRL.
        """
        expected: Floats = self.p * (self.gamma + spent) / (self.q + self.p * orders - 1)
        return expected

    def quantile(self, level: Floats, further: Floats, orders: Floats, spent: Floats) -> Floats:
        """Return a quantile of what further orders are worth together, BRL."""
        scale = self.gamma + spent
        found: Floats = scale * betaprime.ppf(level, further * self.p, self.q + self.p * orders)
        return found

    def log_density(self, value: Floats, orders: Floats, spent: Floats) -> Floats:
        """Return the logarithm of the predictive density of one further order, per BRL."""
        shape, tail, scale = self.p, self.q + self.p * orders, self.gamma + spent
        density: Floats = (
            gammaln(shape + tail)
            - gammaln(shape)
            - gammaln(tail)
            + (shape - 1) * np.log(value)
            + tail * np.log(scale)
            - (shape + tail) * np.log(scale + value)
        )
        return density


@dataclass(frozen=True, slots=True)
class OrderValues:
    """Orders of a value above 0, one element an order.

    Attributes:
        person: Number of the person, from 0.
        value: BRL.
    """

    person: Integers
    value: Floats


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the orders of one person are.

    Attributes:
        variance: Variance of ln(order value) between people.
        standard_error: Of that variance, by the jackknife over people.
        repeat_buyers: People with several orders, whom it rests on.
    """

    variance: float
    standard_error: float
    repeat_buyers: int


@dataclass(frozen=True, slots=True)
class GammaGammaFit:
    """An estimate of the three parameters.

    Attributes:
        model: The estimate.
        standard_errors: By name; that of q is missing where q is a bound and no estimate, and those
            of p and gamma are then given that q.
        newcomer_value: Expected value of a first order, BRL: the mean of all orders.
        newcomer_value_error: Its standard error.
        likeness: What q rests on.
        fault: Why it is no estimate; None where it is one.
    """

    model: GammaGamma
    standard_errors: Mapping[str, float]
    newcomer_value: float
    newcomer_value_error: float
    likeness: Likeness
    fault: str | None


def likeness_of_orders(orders: OrderValues) -> Likeness:
    """Return the variance between people, by one-way analysis of variance of repeat buyers."""
    count = counts_by(orders.person)
    keep = count >= 2  # noqa: PLR2004 - one order tells nothing of likeness
    logarithm = np.log(orders.value)
    total = sums_by(orders.person, logarithm, len(count))[keep]
    squares = sums_by(orders.person, logarithm**2, len(count))[keep]
    count = count[keep]
    people = len(count)
    if people < 3:  # noqa: PLR2004 - the jackknife leaves one of them out
        return Likeness(0.0, np.inf, people)
    within = squares - total**2 / count
    sums = np.array([np.ones(people), count, count**2, total, total**2 / count, within])
    whole = sums.sum(axis=1)
    left_out = _variance_between(whole[:, None] - sums)
    spread = float(np.sum((left_out - left_out.mean()) ** 2)) * (people - 1) / people
    return Likeness(float(_variance_between(whole[:, None])[0]), float(np.sqrt(spread)), people)


def _variance_between(sums: Floats) -> Floats:
    people, orders, squared_counts, total, between, within = sums
    mean_square_between = (between - total**2 / orders) / (people - 1)
    mean_square_within = within / (orders - people)
    typical_count = (orders - squared_counts / orders) / (people - 1)
    variance: Floats = (mean_square_between - mean_square_within) / typical_count
    return variance


@dataclass(frozen=True, slots=True)
class _GivenQ:
    """Estimates of p and gamma for a q.

    Attributes:
        values: p and gamma.
        standard_errors: Of both.
        mean: Mean order value, BRL.
        mean_error: Its standard error.
        fault: Why it is no estimate.
    """

    values: Floats
    standard_errors: Floats
    mean: float
    mean_error: float
    fault: str | None


def fit(orders: OrderValues) -> GammaGammaFit:
    """Return the estimate of p, q and gamma.

    The variance between people is at least its own standard error: what cannot be told from none is
    not taken for none.
    """
    likeness = likeness_of_orders(orders)
    variance = max(likeness.variance, likeness.standard_error)
    if not np.isfinite(variance):
        return _no_fit(likeness, "nobody bought often enough to compare their orders")
    if not polygamma(1, _LARGEST_Q) < variance < polygamma(1, _SMALLEST_Q):
        return _no_fit(likeness, "the variance between people is out of bounds")
    q = float(brentq(lambda value: polygamma(1, value) - variance, _SMALLEST_Q, _LARGEST_Q))
    if q <= 1:
        return _no_fit(likeness, "q is not above 1: the model expects no finite order value")
    sums = _sums(orders)
    given = _given(q, sums)
    errors = dict(zip(("p", "gamma"), given.standard_errors.tolist(), strict=True))
    is_estimated = likeness.variance >= likeness.standard_error
    if is_estimated and given.fault is None:
        errors["q"] = likeness.standard_error / abs(float(polygamma(2, q)))
        moved = (_given(q * (1 + _Q_STEP), sums).values - given.values) / (q * _Q_STEP)
        errors["p"] = float(np.hypot(errors["p"], moved[0] * errors["q"]))
        errors["gamma"] = float(np.hypot(errors["gamma"], moved[1] * errors["q"]))
    p, gamma = given.values.tolist()
    return GammaGammaFit(
        GammaGamma(p, q, gamma), errors, given.mean, given.mean_error, likeness, given.fault
    )


def _no_fit(likeness: Likeness, fault: str) -> GammaGammaFit:
    unknown = GammaGamma(np.nan, np.nan, np.nan)
    return GammaGammaFit(unknown, {}, np.nan, np.nan, likeness, fault)


def _sums(orders: OrderValues) -> tuple[Floats, Floats, Floats]:
    """Return the number, the value and the sum of logarithms of each person's orders."""
    count = counts_by(orders.person)
    spent = sums_by(orders.person, orders.value, len(count))
    logarithms = sums_by(orders.person, np.log(orders.value), len(count))
    has_any = count > 0
    return count[has_any], spent[has_any], logarithms[has_any]


def _given(q: float, sums: tuple[Floats, Floats, Floats]) -> _GivenQ:
    """Return the likeliest p whose expectation is the mean order value, and gamma, for a q."""
    count, spent, logarithms = sums
    orders, all_logarithms = float(count.sum()), float(logarithms.sum())
    mean = float(spent.sum()) / orders
    # Nine of ten people have one order: functions of the count alone are computed once each.
    different, number = np.unique(count, return_inverse=True)
    people = np.bincount(number)

    def negative(parameters: Floats) -> float:
        if np.max(np.abs(parameters)) > LARGEST_LOGARITHM:
            return np.inf
        p = float(np.exp(parameters[0]))
        gamma = mean * (q - 1) / p
        return -float(
            people @ gammaln(q + different * p)
            + len(count) * (q * np.log(gamma) - gammaln(q))
            - orders * gammaln(p)
            + (p - 1) * all_logarithms
            - (q + count * p) @ np.log(gamma + spent)
        )

    def scores(p: float, expected: float) -> Floats:
        """Return the slope in ln p of each person's log likelihood, where gamma follows p."""
        gamma = expected * (q - 1) / p
        by_p = count * (digamma(q + count * p) - digamma(p) - np.log(gamma + spent)) + logarithms
        by_gamma = q / gamma - (q + count * p) / (gamma + spent)
        found: Floats = p * by_p - gamma * by_gamma
        return found

    found = maximise(negative, [(shape,) for shape in _SHAPES_TO_START])
    p = float(found.values[0])
    values = np.array([p, mean * (q - 1) / p])
    if found.fault is not None:
        return _GivenQ(values, np.full(2, np.nan), mean, np.nan, found.fault)
    # The two equations, of ln(mean) and ln p; what the second one owes to the mean by differences.
    above, below = scores(p, mean * (1 + _STEP)), scores(p, mean * (1 - _STEP))
    by_mean = float((above - below).sum()) / (2 * _STEP)
    slopes = np.array([[-mean * orders, 0.0], [by_mean, -1 / float(found.log_covariance[0, 0])]])
    equations = np.column_stack([spent - mean * count, scores(p, mean)])
    inverse = np.linalg.inv(slopes)
    covariance = inverse @ (equations.T @ equations) @ inverse.T
    # ln gamma is ln(mean) less ln p, but for a constant.
    turned = np.array([[0.0, 1.0], [1.0, -1.0]])
    variances = np.diag(turned @ covariance @ turned.T)
    return _GivenQ(
        values=values,
        standard_errors=values * np.sqrt(variances),
        mean=mean,
        mean_error=mean * float(np.sqrt(covariance[0, 0])),
        fault=None,
    )
