"""Which fits may score: converged, of enough data, and no worse than what scores now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from olist_platform.predictions.model_fit import ModelFit, Verdict
from olist_platform.predictions.normal_distribution import Z_95_ONE_SIDED


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """What a fit has to have, from the vars of the dbt project.

    Attributes:
        minimum_events: Fewest of the rarer outcome to learn from, by model.
        minimum_judged_events: Fewest of them in the data that judge.
    """

    minimum_events: Mapping[str, int]
    minimum_judged_events: int

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> "AcceptanceRule":
        """Return the rule of the project's vars."""
        return cls(
            minimum_events=variables["model_minimum_events"],
            minimum_judged_events=variables["model_minimum_judged_events"],
        )

    def judge(self, fit: ModelFit) -> Verdict:
        """Return whether a fit may score, and why."""
        fault = self._too_little_data(fit) or _no_estimate(fit)
        if fault is not None:
            return Verdict(False, fault)
        if fit.incumbent_score is None or not math.isfinite(fit.incumbent_score):
            return Verdict(True, "Nothing that could be compared scored before.")
        told = f"log score {fit.score:.6f} against {fit.incumbent_score:.6f} before"
        difference = fit.score - fit.incumbent_score
        if difference < -Z_95_ONE_SIDED * fit.score_difference_error:
            return Verdict(False, f"Worse on the back-test beyond chance: {told}.")
        return Verdict(True, f"No worse on the back-test beyond chance: {told}.")

    def _too_little_data(self, fit: ModelFit) -> str | None:
        needed = self.minimum_events[fit.model]
        if fit.training_events < needed:
            return (
                f"Too little data: {fit.training_events} {_EVENTS[fit.model]} to learn from,"
                f" {needed} are needed."
            )
        if fit.judged_events < self.minimum_judged_events:
            return (
                f"Too little data: {fit.judged_events} {_JUDGED_EVENTS[fit.model]} in the data that"
                f" judge, {self.minimum_judged_events} are needed."
            )
        return None


def _no_estimate(fit: ModelFit) -> str | None:
    if fit.fault is not None:
        return f"No estimate: {fit.fault}."
    if not math.isfinite(fit.score):
        return "No estimate: the data that judge are impossible by it."
    return None


_EVENTS = {
    "churn": "people at reference dates who came back",
    "purchases": "repeat buyers",
    "spend": "repeat buyers",
}
_JUDGED_EVENTS = {
    "churn": "people who came back",
    "purchases": "people who bought again",
    "spend": "orders",
}
