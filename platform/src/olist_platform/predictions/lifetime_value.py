"""Lifetime value: what a person will leave in the days to come, and how sure that is.

The formulas of `int_customer_lifetime_value`, for any day of the past.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import betaprime

from olist_platform.predictions.arrays import Booleans, Floats, Integers, sums_by
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
class Futures:
    """Futures that were drawn, one element a person who buys in one of them.

    Attributes:
        draws: How many futures.
        draw: Which future, from 0.
        person: Which of the people, from 0.
        margin: What the person leaves in it, BRL.
    """

    draws: int
    draw: Integers
    person: Integers
    margin: Floats

    def totals(self, group: Integers, groups: int) -> Floats:
        """Return the margin of each group of people, one row a future.

        Args:
            group: Group of each person, from 0; below 0 for who is in none.
            groups: How many groups.
        """
        own = group[self.person]
        inside = own >= 0
        cell = self.draw[inside] * groups + own[inside]
        sums = sums_by(cell, self.margin[inside], self.draws * groups)
        return sums.reshape(self.draws, groups)


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
        it is taken as if everybody who buys at all bought the largest number not in the tail, and
        whoever buys more were beyond any bound: too wide, never too narrow.
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
        """Return the probability of at most so much margin, 0 or above."""
        bounded = np.vstack([values.at_least, np.zeros(len(margin))])
        total = 1 - bounded[0]
        scale = (self.spend.gamma + people.spent) * self.margin_rate
        tail = self.spend.q + self.spend.p * people.valued_orders
        for number in range(1, len(bounded)):
            exactly = bounded[number - 1] - bounded[number]
            below = betaprime.cdf(margin / scale, number * self.spend.p, tail)
            total = total + exactly * below
        return np.asarray(total, dtype=np.float64)

    def interval_probability(self, people: PeopleThen, values: LifetimeValues) -> Floats:
        """Return the probability that each person's margin lies in its 95 % interval.

        It is above 95 % where a number of orders carries more probability than a tail may have.
        """
        above = 1 - self.distribution(values.upper_95, people, values)
        below = np.where(
            values.lower_95 > 0, self.distribution(values.lower_95, people, values), 0.0
        )
        return np.asarray(1 - above - below, dtype=np.float64)

    def draw_futures(
        self,
        people: PeopleThen,
        values: LifetimeValues,
        draws: int,
        random: np.random.Generator,
        paid: Floats | None = None,
    ) -> Futures:
        """Draw futures of all people together.

        Args:
            people: The people.
            values: What is expected of them.
            draws: How many futures.
            random: Source of chance.
            paid: Values of orders that were placed, BRL. With them an order is worth what one of
                them was, scaled to what the model expects of its person; without them it comes
                from the model's own distribution, whose tail is lighter.
        """
        scale = (self.spend.gamma + people.spent) * self.margin_rate
        tail = self.spend.q + self.spend.p * people.valued_orders
        expected = self.spend.expected_value(people.valued_orders, people.spent) * self.margin_rate
        number, person, margin = [], [], []
        for draw in range(draws):
            chance = random.random(len(people.spent))
            buyers = np.flatnonzero(chance < values.at_least[0])
            orders = (chance[buyers] < values.at_least[:, buyers]).sum(axis=0)
            if paid is None:
                spent = random.gamma(orders * self.spend.p) / random.gamma(tail[buyers])
                left = scale[buyers] * spent
            else:
                multiples = random.choice(paid, int(orders.sum())) / paid.mean()
                owner = np.repeat(np.arange(len(buyers)), orders)
                left = expected[buyers] * sums_by(owner, multiples, len(buyers))
            number.append(np.full(len(buyers), draw, dtype=np.int64))
            person.append(buyers.astype(np.int64))
            margin.append(left)
        return Futures(
            draws, np.concatenate(number), np.concatenate(person), np.concatenate(margin)
        )
