"""Likelihoods and intervals against implementations of their own, whatever the numbers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import polygamma

from olist_platform.predictions import bg_nbd, gamma_gamma
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.gamma_gamma import GammaGamma
from olist_platform.predictions.lifetime_value import LifetimeValueModel
from olist_platform.predictions.person_orders import PeopleThen
from olist_platform.predictions.wilson import wilson_interval
from simulated_people import buyers, spenders

POSITIVE = st.floats(0.05, 8)
MODELS = st.builds(BGNBD, r=POSITIVE, alpha=st.floats(0.5, 50), a=POSITIVE, b=POSITIVE)


def history(repeats: int, active: float, observed: float) -> Histories:
    values = [np.array([float(value)]) for value in (repeats, active, observed, 1)]
    return Histories(*values)


@settings(max_examples=200)
@given(
    model=MODELS, repeats=st.integers(0, 20), share=st.floats(0, 1), observed=st.floats(0.1, 900)
)
def test_the_likelihood_is_that_of_another_implementation(
    model: BGNBD, repeats: int, share: float, observed: float
) -> None:
    """By the four factors of Fader, Hardie and Lee's note on its implementation, in pure Python."""
    active = share * observed if repeats else 0.0
    r, alpha, a, b, log_gamma = model.r, model.alpha, model.a, model.b, math.lgamma
    first = log_gamma(r + repeats) - log_gamma(r) + r * math.log(alpha)
    second = log_gamma(a + b) + log_gamma(b + repeats) - log_gamma(b) - log_gamma(a + b + repeats)
    third = (1 / (alpha + observed)) ** (r + repeats)
    fourth = 0.0
    if repeats > 0:
        fourth = a / (b + repeats - 1) * (1 / (alpha + active)) ** (r + repeats)
    expected = first + second + math.log(third + fourth)
    found = float(bg_nbd.log_likelihood(model, history(repeats, active, observed))[0])
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(
    model=st.builds(BGNBD, r=POSITIVE, alpha=st.floats(20, 200), a=POSITIVE, b=POSITIVE),
    repeats=st.integers(0, 8),
    share=st.floats(0.01, 1),
    observed=st.floats(30, 900),
    days=st.floats(1, 365),
)
def test_probabilities_are_probabilities(
    model: BGNBD, repeats: int, share: float, observed: float, days: float
) -> None:
    """None outside 0 to 1, fewer orders are likelier, and their sum is the closed expectation."""
    people = history(repeats, share * observed if repeats else 0.0, observed)
    alive = float(model.probability_alive(people)[0])
    assert 0 <= alive <= 1
    at_least = [float(model.probability_of_at_least(k, people, days)[0]) for k in range(1, 300)]
    assert all(0 <= value <= alive + 1e-12 for value in at_least)
    assert all(more <= fewer + 1e-12 for fewer, more in itertools.pairwise(at_least))
    expected = float(model.expected_orders(people, days)[0])
    assert expected == pytest.approx(math.fsum(at_least), rel=1e-6, abs=1e-9)


def test_futures_are_those_of_the_process() -> None:
    """People drawn: how many place how many orders, against what was predicted of newcomers."""
    model = BGNBD(r=0.6, alpha=30.0, a=1.5, b=3.0)
    people = 60_000
    drawn = buyers(model, np.full(people, 200.0), np.random.default_rng(3))
    newcomer = history(0, 0, 0)
    for orders in range(1, 5):
        share = float((drawn.repeats >= orders).mean())
        predicted = float(model.probability_of_at_least(orders, newcomer, 200)[0])
        assert predicted == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / people))
    mean, error = float(drawn.repeats.mean()), float(drawn.repeats.std()) / math.sqrt(people)
    assert float(model.expected_orders(newcomer, 200)[0]) == pytest.approx(mean, abs=4 * error)


@settings(max_examples=200)
@given(trials=st.integers(1, 3000), share=st.floats(0, 1))
def test_wilsons_interval_solves_its_equation(trials: int, share: float) -> None:
    """Its ends are the shares from which the observation is z standard deviations away."""
    successes = round(share * trials)
    lower, upper = wilson_interval(successes, trials)
    assert 0 <= lower <= successes / trials <= upper <= 1
    for end in (lower, upper):
        if 0 < end < 1:
            distance = abs(successes / trials - end) / math.sqrt(end * (1 - end) / trials)
            assert distance == pytest.approx(1.959963984540054, abs=1e-6)


@settings(max_examples=25)
@given(trials=st.integers(8, 200), share=st.floats(0.02, 0.98))
def test_wilsons_interval_holds_the_truth_as_often_as_it_says(trials: int, share: float) -> None:
    counts = np.arange(trials + 1)
    weights = stats.binom.pmf(counts, trials, share)
    inside = [
        low <= share <= high for low, high in (wilson_interval(int(k), trials) for k in counts)
    ]
    # Exactly, by every possible count: below 95 % at worst in known dips near 0 and 1.
    assert float(weights @ np.array(inside)) > 0.83


def test_wilson_knows_its_bounds() -> None:
    assert wilson_interval(0, 0) == (0, 1)
    assert wilson_interval(0, 10)[0] == 0
    assert wilson_interval(10, 10)[1] == 1
    # Newcombe (1998), table 1: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    with pytest.raises(ValueError, match="11 of 10"):
        wilson_interval(11, 10)


@settings(max_examples=40)
@given(p=st.floats(0.5, 8), q=st.floats(1.5, 60), gamma=st.floats(1, 900), orders=st.integers(0, 5))
def test_spend_is_what_its_mixture_gives(p: float, q: float, gamma: float, orders: int) -> None:
    model = GammaGamma(p, q, gamma)
    known, spent = np.array([float(orders)]), np.array([30.0 * orders])
    expected = float(model.expected_value(known, spent)[0])
    scale, tail = gamma + 30.0 * orders, q + p * orders
    assert expected == pytest.approx(stats.betaprime(p, tail, scale=scale).mean(), rel=1e-9)
    at = np.array([expected])
    density = float(np.exp(model.log_density(at, known, spent))[0])
    assert density == pytest.approx(stats.betaprime(p, tail, scale=scale).pdf(expected), rel=1e-8)
    median = model.quantile(np.array([0.5]), np.array([1.0]), known, spent)
    assert stats.betaprime(p, tail, scale=scale).cdf(median[0]) == pytest.approx(0.5, abs=1e-8)


def test_an_interval_holds_what_it_says() -> None:
    """Somebody who is sure to buy has two bounds; who may well not buy has none below."""
    purchases = BGNBD(r=40.0, alpha=400.0, a=0.001, b=90.0)
    model = LifetimeValueModel(purchases, GammaGamma(p=3.0, q=6.0, gamma=100.0), margin_rate=0.1)
    histories = Histories(
        np.array([2.0, 0.0]), np.array([80.0, 0.0]), np.array([90.0, 90.0]), np.ones(2)
    )
    nobody = np.arange(2)
    valued, spent = np.array([3.0, 1.0]), np.array([90.0, 30.0])
    people = PeopleThen(nobody, histories, valued, spent, np.zeros(2), nobody)
    for days, has_lower in ((100, True), (3, False)):
        values = model.predict(people, days)
        assert ((values.lower_95 > 0) == has_lower).all()
        assert (values.lower_95 <= values.expected_margin).all()
        assert (values.expected_margin <= values.upper_95).all()
        inside = model.interval_probability(people, values)
        assert ((inside >= 0.95) & (inside < 0.999)).all(), inside


def test_likeness_is_the_variance_of_the_process() -> None:
    model = GammaGamma(p=2.0, q=5.0, gamma=100.0)
    found = gamma_gamma.likeness_of_orders(spenders(model, 3, 40_000, np.random.default_rng(1)))
    assert found.variance == pytest.approx(float(polygamma(1, 5.0)), abs=4 * found.standard_error)
    assert found.standard_error < 0.01
