"""Lifetime value: what a person will leave in the days to come, and how sure that is.

The formulas of `int_customer_lifetime_value`, for any day of the past.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import betaprime

from olist_platform.predictions.arrays import Booleans, Floats
from olist_platform.predictions.bg_nbd import BGNBD
from olist_platform.predictions.gamma_gamma import GammaGamma
from olist_platform.predictions.person_orders import PeopleThen

TAIL = 0.025
"""Probability on either side of a 95 % interval."""
_MOST_ORDERS = 200
# Probability below which further orders are left out.
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class LifetimeValues:
    """What some people are expected to leave, one element each.

    Attributes:
        expected_orders: Orders.
        expected_margin: Contribution margin, BRL.
        lower_95: Lower end of its 95 % predictive interval, BRL.
        upper_95: Upper end, BRL.
        at_least: Probability of at least 1, 2, ... orders, one row a number of orders.
    """

    expected_orders: Floats
    expected_margin: Floats
    lower_95: Floats
    upper_95: Floats
    at_least: Floats

    def of(self, chosen: Booleans) -> "LifetimeValues":
        """Return those of some of the people."""
        return LifetimeValues(
            self.expected_orders[chosen],
            self.expected_margin[chosen],
            self.lower_95[chosen],
            self.upper_95[chosen],
            self.at_least[:, chosen],
        )


@dataclass(frozen=True, slots=True)
class LifetimeValueModel:
    """Purchases, spend and the margin of it.

    Attributes:
        purchases: How often people buy.
        spend: What their orders are worth.
        margin_rate: Contribution margin as a share of gross order value.
    """

    purchases: BGNBD
    spend: GammaGamma
    margin_rate: float

    def predict(self, people: PeopleThen, days: float) -> LifetimeValues:
        """Return what people are expected to leave in the days to come."""
        histories = people.histories
        rows = []
        for orders in range(1, _MOST_ORDERS + 1):
            rows.append(self.purchases.probability_of_at_least(orders, histories, days))
            if rows[-1].max(initial=0) < _NEGLIGIBLE:
                break
        at_least = np.array(rows)
        expected_orders = self.purchases.expected_orders(histories, days)
        value = self.spend.expected_value(people.valued_orders, people.spent)
        expected = expected_orders * value * self.margin_rate
        lower, upper = self._quantiles(at_least, people)
        return LifetimeValues(
            expected_orders, expected, lower, np.maximum(upper, expected), at_least
        )

    def _quantiles(self, at_least: Floats, people: PeopleThen) -> tuple[Floats, Floats]:
        """Return the ends of the interval.

        The share of a tail that the number of orders leaves goes to their value. At the upper end
        it is taken as if everybody who buys at all bought the largest number not in the tail.
        """
        upper_orders = (at_least > TAIL).sum(axis=0).astype(np.float64)
        lower_orders = (at_least >= 1 - TAIL).sum(axis=0).astype(np.float64)
        padded = np.vstack([np.ones(at_least.shape[1]), at_least, np.zeros(at_least.shape[1])])
        every = np.arange(at_least.shape[1])
        beyond = padded[upper_orders.astype(int) + 1, every]
        at_lower = padded[lower_orders.astype(int), every]
        with np.errstate(divide="ignore", invalid="ignore"):
            upper_level = np.where(
                upper_orders > 0, 1 - (TAIL - beyond) / (at_least[0] - beyond), 0.5
            )
        lower_level = np.where(lower_orders > 0, TAIL - 1 + at_lower, 0.5)
        upper = self._value_quantile(upper_level, upper_orders, people)
        lower = self._value_quantile(lower_level, lower_orders, people)
        return lower, upper

    def _value_quantile(self, level: Floats, orders: Floats, people: PeopleThen) -> Floats:
        quantile = np.zeros(len(orders))
        some = orders > 0
        quantile[some] = self.spend.quantile(
            level[some], orders[some], people.valued_orders[some], people.spent[some]
        )
        return quantile * self.margin_rate

    def distribution(self, margin: Floats, people: PeopleThen, values: LifetimeValues) -> Floats:
        """Return the probability of at most so much margin, where it is above 0."""
        bounded = np.vstack([values.at_least, np.zeros(len(margin))])
        total = 1 - bounded[0]
        scale = (self.spend.gamma + people.spent) * self.margin_rate
        tail = self.spend.q + self.spend.p * people.valued_orders
        for number in range(1, len(bounded)):
            exactly = bounded[number - 1] - bounded[number]
            below = betaprime.cdf(margin / scale, number * self.spend.p, tail)
            total = total + exactly * below
        return np.asarray(total, dtype=np.float64)

    def draw_totals(
        self, people: PeopleThen, values: LifetimeValues, draws: int, random: np.random.Generator
    ) -> Floats:
        """Draw futures: the margin of each person in each of them, people in columns."""
        size = len(people.spent)
        scale = (self.spend.gamma + people.spent) * self.margin_rate
        tail = self.spend.q + self.spend.p * people.valued_orders
        totals = np.zeros((draws, size))
        for draw in range(draws):
            chance = random.random(size)
            buyers = np.flatnonzero(chance < values.at_least[0])
            orders = (chance[buyers] < values.at_least[:, buyers]).sum(axis=0)
            spent = random.gamma(orders * self.spend.p) / random.gamma(tail[buyers])
            totals[draw, buyers] = scale[buyers] * spent
        return totals
