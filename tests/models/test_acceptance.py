"""Which fits may score: a worse one, one of too little data and one that is none may not."""

from dataclasses import replace

import numpy as np
import pytest

from olist_platform.predictions import bg_nbd, churn_model
from olist_platform.predictions.acceptance import AcceptanceRule
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.churn_fitting import fit_churn
from olist_platform.predictions.churn_model import ChurnExamples
from olist_platform.predictions.maximum_likelihood import MaximumLikelihood
from olist_platform.predictions.model_fit import ModelFit, ModelName
from olist_platform.predictions.purchase_fitting import fit_purchases
from simulated_people import buyers, generated_orders, leavers

RULE = AcceptanceRule({"churn": 100, "purchases": 50, "spend": 50}, 20)
TRUTH = {"intercept": 1.0, "recency": 0.8, "orders": -0.5}
REVERSED = {"intercept": 1.0, "recency": -0.8, "orders": 0.5}
WINDOW = 180


def examples(earlier: dict[str, float], people: int = 3000) -> ChurnExamples:
    """People long ago, whose churn follows `earlier`, and later ones, who follow the truth."""
    random = np.random.default_rng(1)
    past, now = leavers(earlier, people, random), leavers(TRUTH, people, random)
    return ChurnExamples(
        people=np.concatenate([past.people, now.people]),
        features=past.features,
        matrix=np.concatenate([past.matrix, now.matrix]),
        churned=np.concatenate([past.churned, now.churned]),
        person=np.concatenate([past.person, now.person]),
        reference_date=np.concatenate(
            [past.reference_date - np.timedelta64(200, "D"), now.reference_date]
        ),
    )


def test_a_fit_no_worse_than_the_incumbent_scores() -> None:
    fit = fit_churn(examples(TRUTH), "checksum", TRUTH, WINDOW)
    verdict = RULE.judge(fit)
    assert verdict.is_accepted
    assert verdict.reason.startswith("No worse on the back-test beyond chance: log score -0.")
    assert fit.metrics["auc"] > 0.7
    assert fit.metrics["log_loss"] < fit.metrics["base_rate_log_loss"]


def test_a_worse_fit_is_refused_with_its_reason() -> None:
    """What it learnt from was another world; the incumbent knows this one."""
    fit = fit_churn(examples(REVERSED), "checksum", TRUTH, WINDOW)
    verdict = RULE.judge(fit)
    assert not verdict.is_accepted
    assert verdict.reason.startswith("Worse on the back-test beyond chance: log score -")
    assert fit.incumbent_score is not None
    assert fit.score < fit.incumbent_score
    # The reason is not that it is no estimate: without an incumbent it would score.
    assert RULE.judge(fit_churn(examples(REVERSED), "checksum", None, WINDOW)).is_accepted


def test_a_fit_of_too_little_data_is_refused() -> None:
    verdict = RULE.judge(fit_churn(examples(TRUTH, 60), "checksum", TRUTH, WINDOW))
    assert not verdict.is_accepted
    assert verdict.reason.startswith("Too little data: ")
    assert verdict.reason.endswith(" 100 are needed.")
    enough = fit_churn(examples(TRUTH), "checksum", TRUTH, WINDOW)
    for events, is_accepted in ((99, False), (100, True)):
        assert RULE.judge(replace(enough, training_events=events)).is_accepted is is_accepted


def test_a_feature_that_does_not_vary_weighs_nothing() -> None:
    """Where nobody was late yet, lateness tells nothing, and the others weigh what they did."""
    varied = examples(TRUTH)
    constant = replace(
        varied,
        features=(*varied.features, "late"),
        matrix=np.column_stack([varied.matrix, np.full(len(varied.people), 0.5)]),
    )
    expected, found = churn_model.fit(varied, 1.0), churn_model.fit(constant, 1.0)
    assert found.fault is None
    assert found.values == pytest.approx(expected.values | {"late": 0.0}, abs=1e-9)
    assert "late" not in found.standard_errors


def test_a_fit_of_nothing_is_refused() -> None:
    everything = examples(TRUTH)
    for dates in ([], everything.dates[-1:]):
        fit = fit_churn(everything.at(dates), "checksum", TRUTH, WINDOW)
        assert not RULE.judge(fit).is_accepted
        assert len(fit.estimates) == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fault": "the likelihood has no single maximum"}, "No estimate: the likelihood has no"),
        ({"score": float("nan")}, "No estimate: the data that judge are impossible by it."),
        ({"score": -np.inf}, "No estimate: the data that judge are impossible by it."),
        ({"judged_events": 19}, "Too little data: 19 people who came back in the data that judge"),
    ],
)
def test_what_is_no_estimate_is_refused(change: dict[str, object], reason: str) -> None:
    good: ModelFit = fit_churn(examples(TRUTH), "checksum", TRUTH, WINDOW)
    changed = replace(good, **change)  # type: ignore[arg-type]
    verdict = RULE.judge(changed)
    assert not verdict.is_accepted
    assert verdict.reason.startswith(reason)


def test_a_refit_of_the_same_people_scores() -> None:
    """The version before has learnt from the hold-out that judges, and is better in it for that."""
    orders = generated_orders(seed=3, orders=30_000)
    first = fit_purchases(orders, "checksum", None)
    again = fit_purchases(orders, "checksum", first.values)
    assert again.estimates == first.estimates
    assert again.incumbent_score is not None
    assert again.score < again.incumbent_score
    assert RULE.judge(again).is_accepted
    # What knows the world beyond chance better is not given up for it.
    other = replace(again, score=again.score - 3 * again.score_difference_error)
    assert not RULE.judge(other).is_accepted


def test_the_error_of_a_function_is_that_of_what_it_depends_on() -> None:
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    found = MaximumLikelihood(np.exp([0.5, -1.0]), covariance, -1.0, None)
    assert found.error_of(lambda at: float(at[0])) == pytest.approx(0.2)
    assert found.error_of(lambda at: float(at[0] - 2 * at[1])) == pytest.approx(
        (0.04 + 4 * 0.09 - 4 * 0.01) ** 0.5
    )


def test_a_likelihood_without_a_maximum_is_told() -> None:
    """Nobody bought again: every rate near 0 is as likely as the next."""
    people = 500
    nobody = Histories(
        np.zeros(people), np.zeros(people), np.linspace(10, 700, people), np.ones(people)
    )
    assert bg_nbd.fit(nobody).fault is not None
    model = BGNBD(r=0.3, alpha=20.0, a=1.2, b=2.5)
    random = np.random.default_rng(0)
    assert bg_nbd.fit(buyers(model, np.full(3000, 400.0), random)).fault is None


def test_parameters_of_other_features_are_not_compared() -> None:
    fit = fit_churn(examples(TRUTH), "checksum", {"intercept": 1.0, "gone": 2.0}, WINDOW)
    assert fit.incumbent_score is None
    verdict = RULE.judge(fit)
    assert verdict.reason == "Nothing that could be compared scored before."
    assert fit.model is ModelName.CHURN
