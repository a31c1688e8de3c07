"""People drawn from the processes that the models assume, so that estimates have a truth."""

import numpy as np

from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.churn_model import ChurnExamples
from olist_platform.predictions.gamma_gamma import GammaGamma, OrderValues


def buyers(model: BGNBD, observed_days: Floats, random: np.random.Generator) -> Histories:
    """People of the BG/NBD process, seen for so many days each, one order at a time."""
    people = len(observed_days)
    rate = np.maximum(random.gamma(model.r, 1 / model.alpha, people), 1e-300)
    stop = random.beta(model.a, model.b, people)
    repeats, last, day = np.zeros(people), np.zeros(people), np.zeros(people)
    going = np.ones(people, dtype=np.bool_)
    while going.any():
        day = np.where(going, day + random.standard_exponential(people) / rate, day)
        going &= day <= observed_days
        repeats += going
        last = np.where(going, day, last)
        going &= random.random(people) >= stop
    return Histories(repeats, last, observed_days, np.ones(people))


def spenders(
    model: GammaGamma, orders: int, people: int, random: np.random.Generator
) -> OrderValues:
    """People of the Gamma-Gamma process with so many orders each."""
    rate = random.gamma(model.q, 1 / model.gamma, people)
    person = np.repeat(np.arange(people), orders)
    return OrderValues(person, random.gamma(model.p, 1 / rate[person]))


def leavers(weights: dict[str, float], people: int, random: np.random.Generator) -> ChurnExamples:
    """People at one date whose churn follows a logistic regression."""
    features = tuple(name for name in weights if name != "intercept")
    matrix = random.normal(size=(people, len(features)))
    log_odds = weights["intercept"] + matrix @ np.array([weights[name] for name in features])
    return ChurnExamples(
        people=np.array([f"p{number}" for number in range(people)], dtype=np.object_),
        features=features,
        matrix=matrix,
        churned=random.random(people) < 1 / (1 + np.exp(-log_odds)),
        person=np.arange(people),
        reference_date=np.full(people, np.datetime64("2018-01-01")),
    )
