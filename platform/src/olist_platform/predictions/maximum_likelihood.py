"""Maximum likelihood of positive parameters, with standard errors from the Hessian."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from olist_platform.predictions.arrays import Floats

NegativeLogLikelihood = Callable[[Floats], float]
"""A function of the parameters' natural logarithms; infinite where they are out of bounds."""

_STEP = 1e-3
_MOST_NEWTON_STEPS = 20
# Steps of Nelder and Mead's from each start, and then from the best of them.
_LOOK, _SEARCH = 60, 5000
# Expected gain in log likelihood of one more Newton step, below which the maximum is reached.
_SMALLEST_GAIN = 1e-6
# A parameter beyond e^-20 or e^20 has run away: the likelihood is flat there.
LARGEST_LOGARITHM = 20.0


@dataclass(frozen=True, slots=True)
class MaximumLikelihood:
    """Where a likelihood is largest.

    Attributes:
        values: The parameters.
        log_covariance: Covariance of the estimates' natural logarithms: the inverse Hessian.
        log_likelihood: At its maximum.
        fault: Why it is no maximum; None where it is one.
    """

    values: Floats
    log_covariance: Floats
    log_likelihood: float
    fault: str | None

    @property
    def standard_errors(self) -> Floats:
        """Standard errors of the parameters themselves, by the delta method."""
        errors: Floats = self.values * np.sqrt(np.maximum(np.diag(self.log_covariance), 0))
        return errors

    def error_of(self, function: Callable[[Floats], float]) -> float:
        """Return the standard error that the parameters' own gives to a function of them.

        Args:
            function: Of the parameters' natural logarithms.
        """
        at = np.log(self.values)
        steps = np.eye(len(at)) * _STEP
        slopes = [(function(at + step) - function(at - step)) / (2 * _STEP) for step in steps]
        return float(np.sqrt(np.asarray(slopes) @ self.log_covariance @ np.asarray(slopes)))


def maximise(
    function: NegativeLogLikelihood, starts: Sequence[Sequence[float]]
) -> MaximumLikelihood:
    """Return the maximum, found from the start that leads furthest in a few steps.

    Nelder and Mead's method comes near it, Newton's ends there; the search ends when one more step
    of Newton's would gain nothing.

    Args:
        function: Negative log likelihood of the parameters' logarithms.
        starts: Parameters to begin with.
    """
    near = min(
        (
            _searched(function, np.log(np.asarray(start, dtype=np.float64)), _LOOK)
            for start in starts
        ),
        key=function,
    )
    return _polished(function, _searched(function, near, _SEARCH))


def _searched(function: NegativeLogLikelihood, start: Floats, most_steps: int) -> Floats:
    result = minimize(
        function,
        start,
        method="Nelder-Mead",
        options={"adaptive": True, "xatol": 1e-3, "fatol": 1e-3, "maxiter": most_steps},
    )
    return np.asarray(result.x, dtype=np.float64)


def _polished(function: NegativeLogLikelihood, logarithms: Floats) -> MaximumLikelihood:
    value = function(logarithms)
    for _ in range(_MOST_NEWTON_STEPS):
        gradient, hessian = derivatives(function, logarithms)
        if not np.all(np.isfinite(hessian)) or np.max(np.abs(logarithms)) > LARGEST_LOGARITHM - 1:
            return _no_maximum(logarithms, value, "a parameter ran away to its bound")
        if np.min(np.linalg.eigvalsh(hessian)) <= 0:
            return _no_maximum(logarithms, value, "the likelihood has no single maximum")
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step / 2 < _SMALLEST_GAIN:
            covariance = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
            return MaximumLikelihood(np.exp(logarithms), covariance, -value, None)
        length = 1.0
        while function(logarithms - length * step) > value and length > _STEP:
            length /= 2
        logarithms = logarithms - length * step
        value = function(logarithms)
    return _no_maximum(logarithms, value, "the search for the maximum did not end")


def _no_maximum(logarithms: Floats, value: float, fault: str) -> MaximumLikelihood:
    unknown = np.full((len(logarithms), len(logarithms)), np.nan)
    return MaximumLikelihood(np.exp(logarithms), unknown, -value, fault)


def derivatives(function: NegativeLogLikelihood, at: Floats) -> tuple[Floats, Floats]:
    """Return gradient and Hessian by central differences."""
    size = len(at)
    steps = np.eye(size) * _STEP
    middle = function(at)
    above = np.array([function(at + step) for step in steps])
    below = np.array([function(at - step) for step in steps])
    hessian = np.diag((above - 2 * middle + below) / _STEP**2)
    for row in range(size):
        for column in range(row):
            both = steps[row] + steps[column]
            apart = steps[row] - steps[column]
            mixed = (
                function(at + both)
                - function(at + apart)
                - function(at - apart)
                + function(at - both)
            ) / (4 * _STEP**2)
            hessian[row, column] = hessian[column, row] = mixed
    return (above - below) / (2 * _STEP), hessian
