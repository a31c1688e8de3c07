"""A fit of one model: its estimates, what they rest on, and how they did on unseen data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from olist_platform.predictions.normal_distribution import Z_95


class ModelName(StrEnum):
    """The models whose parameters are fitted."""

    CHURN = "churn"
    PURCHASES = "purchases"
    SPEND = "spend"

    @property
    def has_positive_parameters(self) -> bool:
        """Whether its parameters are positive, so that their logarithms have the intervals."""
        return self is not ModelName.CHURN


@dataclass(frozen=True, slots=True)
class Estimate:
    """One parameter.

    Attributes:
        parameter: Its name.
        value: Its estimate; None where the fit gave none.
        standard_error: None where the method gives none.
    """

    parameter: str
    value: float | None
    standard_error: float | None

    def interval_95(self, *, is_positive: bool) -> tuple[float, float] | None:
        """Return the bounds of its 95 % interval; None without a standard error."""
        if self.value is None or self.standard_error is None:
            return None
        if not is_positive:
            half = Z_95 * self.standard_error
            return self.value - half, self.value + half
        factor = float(np.exp(Z_95 * self.standard_error / self.value))
        return self.value / factor, self.value * factor


@dataclass(frozen=True, slots=True)
class ModelFit:
    """What a fit found.

    Attributes:
        model: The model.
        estimates: Its parameters.
        training_window: Days that the data cover, first and last.
        training_rows: Rows that it was fitted on.
        training_events: Of the rarer outcome among them.
        judged_events: Of the rarer outcome in the data that judge.
        data_checksum: SHA-256 of those rows.
        fitted_with: Library and method.
        metrics: Figures of the back-test by name.
        fault: Why it is no estimate; None where it is one.
        score: Mean log score of the judged data by a fit of what was known before; high is good.
        incumbent_score: The same by the version that scores now; None without one.
        score_difference_error: Standard error of the mean difference of the two.
    """

    model: ModelName
    estimates: tuple[Estimate, ...]
    training_window: str
    training_rows: int
    training_events: int
    judged_events: int
    data_checksum: str
    fitted_with: str
    metrics: Mapping[str, float]
    fault: str | None
    score: float
    incumbent_score: float | None
    score_difference_error: float

    @property
    def values(self) -> dict[str, float]:
        """The estimates by parameter, without those that are missing."""
        return {each.parameter: each.value for each in self.estimates if each.value is not None}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a fit may score, and why."""

    is_accepted: bool
    reason: str
