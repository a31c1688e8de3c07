"""How good probabilities of a yes or no are, and the base rate beside them."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from olist_platform.predictions.arrays import Booleans, Floats
from olist_platform.predictions.wilson import wilson_interval

_SMALLEST = 1e-15
_CALIBRATION_GROUPS = 10


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """People of similar predicted probability.

    Attributes:
        people: How many.
        predicted: Mean predicted probability.
        observed: Share to whom it happened.
        lower_95: Lower bound of that share (Wilson).
        upper_95: Upper bound.
    """

    people: int
    predicted: float
    observed: float
    lower_95: float
    upper_95: float

    @property
    def holds(self) -> bool:
        """Whether the predicted share lies within what chance allows."""
        return self.lower_95 <= self.predicted <= self.upper_95


@dataclass(frozen=True, slots=True)
class ProbabilityMetrics:
    """Figures of probabilities.

    Attributes:
        auc: Area under the ROC curve; 0.5 is chance; not a number where all did the same.
        log_loss: Mean negative log probability of what happened.
        brier: Mean squared error.
    """

    auc: float
    log_loss: float
    brier: float


def log_losses(happened: Booleans, probability: Floats) -> Floats:
    """Return the negative log probability of what happened, one by one."""
    kept = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    losses: Floats = -np.where(happened, np.log(kept), np.log1p(-kept))
    return losses


def measure(happened: Booleans, probability: Floats) -> ProbabilityMetrics:
    """Return the figures of probabilities, held against what happened."""
    both = 0 < int(happened.sum()) < len(happened)
    return ProbabilityMetrics(
        auc=float(roc_auc_score(happened, probability)) if both else float("nan"),
        log_loss=float(log_losses(happened, probability).mean()),
        brier=float(((probability - happened) ** 2).mean()),
    )


def calibration(
    happened: Booleans, probability: Floats, groups: int = _CALIBRATION_GROUPS
) -> list[CalibrationGroup]:
    """Return groups of about equal size, least likely first; equal probabilities stay together."""
    order = np.argsort(probability, kind="stable")
    edges = np.linspace(0, len(order), groups + 1).astype(np.int64)
    bounds = np.unique(np.searchsorted(probability[order], probability[order][edges[1:-1]]))
    parts = np.split(order, bounds[(bounds > 0) & (bounds < len(order))])
    return [_group(happened[part], probability[part]) for part in parts if len(part)]


def _group(happened: Booleans, probability: Floats) -> CalibrationGroup:
    count = int(happened.sum())
    lower, upper = wilson_interval(count, len(happened))
    return CalibrationGroup(
        people=len(happened),
        predicted=float(probability.mean()),
        observed=count / len(happened),
        lower_95=lower,
        upper_95=upper,
    )
