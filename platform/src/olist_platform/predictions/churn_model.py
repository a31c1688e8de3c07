"""Churn: a regularised logistic regression, trained on several past dates, judged on the latest.

What is known at a date, and what came after it, dbt gives (analysis `churn_training_set`); dbt
scores by the parameters in `int_customer_360`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from olist_platform.predictions.arrays import Booleans, Floats, Integers, Texts, sums_by
from olist_platform.predictions.probability_metrics import log_losses

INTERCEPT = "intercept"
KEY_COLUMNS = ("customer_unique_id", "reference_date", "churned")
_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Inverse strengths of regularisation that are tried, on standardised features."""
_USUAL_STRENGTH = 0.1
_MOST_ITERATIONS = 2000


@dataclass(frozen=True, slots=True)
class ChurnExamples:
    """People at reference dates.

    Attributes:
        people: Identifier of the person.
        features: Names of the features.
        matrix: Their values, one row a person and date.
        churned: Whether the person did not buy in the window after the date.
        person: Number of the person, the same at each date.
        reference_date: The dates.
    """

    people: Texts
    features: tuple[str, ...]
    matrix: Floats
    churned: Booleans
    person: Integers
    reference_date: npt.NDArray[np.datetime64]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "ChurnExamples":
        """Return the examples of the training set's rows."""
        features = tuple(name for name in frame.columns if name not in KEY_COLUMNS)
        people = frame["customer_unique_id"].rank("dense").cast(pl.Int64) - 1
        return cls(
            people=frame["customer_unique_id"].to_numpy(),
            features=features,
            matrix=frame.select(pl.col(features).cast(pl.Float64)).to_numpy(),
            churned=frame["churned"].cast(pl.Boolean).to_numpy(),
            person=people.to_numpy(),
            reference_date=frame["reference_date"].cast(pl.Date).to_numpy(),
        )

    @property
    def dates(self) -> list[date]:
        """The reference dates, oldest first."""
        found: list[date] = np.unique(self.reference_date).astype("datetime64[D]").tolist()
        return found

    def at(self, dates: Sequence[date]) -> "ChurnExamples":
        """Return the examples of some dates."""
        chosen = np.isin(self.reference_date, np.array(dates, dtype="datetime64[D]"))
        return ChurnExamples(
            self.people[chosen],
            self.features,
            self.matrix[chosen],
            self.churned[chosen],
            self.person[chosen],
            self.reference_date[chosen],
        )

    @property
    def returned(self) -> int:
        """How many came back: the rarer outcome, which limits what can be learnt."""
        return int((~self.churned).sum())


@dataclass(frozen=True, slots=True)
class ChurnModel:
    """Weights of the features on the log-odds of churn.

    Attributes:
        values: By parameter: the intercept and each feature.
        standard_errors: Likewise; robust to a person's being seen at several dates.
        covariance: Covariance of the estimates, the intercept first; empty without an estimate.
        strength: Inverse strength of the regularisation.
        fault: Why it is no estimate; None where it is one.
    """

    values: dict[str, float]
    standard_errors: dict[str, float]
    covariance: Floats
    strength: float
    fault: str | None

    def probabilities(self, examples: ChurnExamples) -> Floats:
        """Return the probability of churn of each example, 0 to 1."""
        return churn_probabilities(self.values, examples)

    def error_of_sum(self, examples: ChurnExamples) -> float:
        """Return the standard error of the sum of probabilities: how well the model knows it."""
        probability = self.probabilities(examples)
        weight = probability * (1 - probability)
        gradient = np.concatenate([[weight.sum()], examples.matrix.T @ weight])
        return float(np.sqrt(gradient @ self.covariance @ gradient))

    def error_of_score(self, examples: ChurnExamples) -> float:
        """Return the standard error of the mean log score that few people to learn from give."""
        residual = examples.churned - self.probabilities(examples)
        gradient = np.concatenate([[residual.sum()], examples.matrix.T @ residual]) / len(residual)
        return float(np.sqrt(gradient @ self.covariance @ gradient))


def churn_probabilities(values: dict[str, float], examples: ChurnExamples) -> Floats:
    """Return the probability of churn of each example by some parameters, 0 to 1."""
    weights = np.array([values[name] for name in examples.features])
    with np.errstate(over="ignore"):
        probability: Floats = 1 / (1 + np.exp(-(values[INTERCEPT] + examples.matrix @ weights)))
    return probability


def dates_known_at(examples: ChurnExamples, day: date, window_days: int) -> list[date]:
    """Return the reference dates whose windows had ended by a day: nothing later is learnt from."""
    return [each for each in examples.dates if each + timedelta(days=window_days) <= day]


def choose_strength(examples: ChurnExamples, judged_on: date, window_days: int) -> float:
    """Return the strength that predicted best the last date known when it was `judged_on`."""
    known = dates_known_at(examples, judged_on, window_days)
    if not known:
        return _USUAL_STRENGTH
    validation = examples.at(known[-1:])
    training = examples.at(dates_known_at(examples, known[-1], window_days))
    if not (_has_both_outcomes(training) and _has_both_outcomes(validation)):
        return _USUAL_STRENGTH
    losses = {
        strength: float(
            log_losses(validation.churned, fit(training, strength).probabilities(validation)).mean()
        )
        for strength in _STRENGTHS
    }
    return min(losses, key=lambda strength: losses[strength])


def fit(examples: ChurnExamples, strength: float) -> ChurnModel:
    """Return the model of some examples.

    Args:
        examples: What it learns from.
        strength: Inverse strength of the L2 penalty on standardised weights.
    """
    if not _has_both_outcomes(examples):
        return _no_model(examples, strength, "everybody did the same: nothing can be learnt")
    mean, spread = examples.matrix.mean(axis=0), examples.matrix.std(axis=0)
    varies = spread > 0
    standardised = (examples.matrix[:, varies] - mean[varies]) / spread[varies]
    regression = LogisticRegression(C=strength, tol=1e-10, max_iter=_MOST_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            regression.fit(standardised, examples.churned)
        except ConvergenceWarning:
            return _no_model(examples, strength, "the regression did not converge")
    # The scale is folded into the weights, so that SQL takes the features as they are.
    fold = np.zeros((len(examples.features) + 1, int(varies.sum()) + 1))
    fold[0, 0] = 1
    fold[0, 1:] = -mean[varies] / spread[varies]
    fold[1 + np.flatnonzero(varies), 1 + np.arange(int(varies.sum()))] = 1 / spread[varies]
    weights = np.concatenate([regression.intercept_, regression.coef_[0]])
    covariance = fold @ _covariance(weights, standardised, examples, strength) @ fold.T
    names = (INTERCEPT, *examples.features)
    errors = np.sqrt(np.diag(covariance))
    return ChurnModel(
        values=dict(zip(names, (fold @ weights).tolist(), strict=True)),
        standard_errors={
            name: float(error) for name, error in zip(names, errors, strict=True) if error > 0
        },
        covariance=covariance,
        strength=strength,
        fault=None,
    )


def _no_model(examples: ChurnExamples, strength: float, fault: str) -> ChurnModel:
    nothing = dict.fromkeys((INTERCEPT, *examples.features), np.nan)
    return ChurnModel(nothing, {}, np.empty((0, 0)), strength, fault)


def _covariance(
    weights: Floats, standardised: Floats, examples: ChurnExamples, strength: float
) -> Floats:
    """Return the sandwich of the penalised Hessian and the scores summed by person."""
    design = np.column_stack([np.ones(len(standardised)), standardised])
    probability = 1 / (1 + np.exp(-(design @ weights)))
    penalty = np.diag([0.0] + [1 / strength] * standardised.shape[1])
    hessian = (design * (probability * (1 - probability))[:, None]).T @ design + penalty
    scores = design * (examples.churned - probability)[:, None]
    people = int(examples.person.max()) + 1
    by_person = np.column_stack([sums_by(examples.person, column, people) for column in scores.T])
    bread = np.linalg.inv(hessian)
    covariance: Floats = bread @ (by_person.T @ by_person) @ bread
    return covariance


def _has_both_outcomes(examples: ChurnExamples) -> bool:
    return 0 < examples.returned < len(examples.churned)
