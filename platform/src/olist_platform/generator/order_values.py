"""What orders are worth in the long run: the truth that a spend model has to recover.

Order values come out of baskets, products and freight, and no formula gives their moments. So
they are simulated, on the data set's own products, sellers and places, with many more orders than
the data set has, each person with many of them.
"""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator.baskets import draw_baskets
from olist_platform.generator.catalog import Products, Sellers
from olist_platform.generator.places import Places
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.settings import GeneratorSettings

_ORDERS_OF_EACH = 20
_TIMES_THE_DATA = 10
_FEWEST_PEOPLE, _MOST_PEOPLE = 1_000, 50_000
_CHUNK_PEOPLE = 2_500


@dataclass(frozen=True, slots=True)
class OrderValueMoments:
    """Moments of the gross order value, and how exactly the simulation knows them.

    Attributes:
        mean_brl: Mean of an order's prices and freight, BRL.
        mean_standard_error: Of that mean.
        variance_between_people: Variance of ln(order value) between people: how alike the orders
            of one person are. Only where somebody lives, through freight, makes them alike.
        variance_standard_error: Of that variance.
        simulated_people: People behind them.
        simulated_orders: Their orders.
    """

    mean_brl: float
    mean_standard_error: float
    variance_between_people: float
    variance_standard_error: float
    simulated_people: int
    simulated_orders: int


def order_value_moments(
    settings: GeneratorSettings, catalog: tuple[Products, Sellers, Places]
) -> OrderValueMoments:
    """Return the moments of the order values of a data set's process.

    Args:
        settings: Settings of the data set.
        catalog: Its products, sellers and places.
    """
    people = _TIMES_THE_DATA * settings.orders // _ORDERS_OF_EACH
    people = min(max(people, _FEWEST_PEOPLE), _MOST_PEOPLE)
    means, logarithms, within = [], [], []
    for before in range(0, people, _CHUNK_PEOPLE):
        random = random_for(settings.seed, Stream.ORDER_VALUES, before // _CHUNK_PEOPLE)
        some = min(_CHUNK_PEOPLE, people - before)
        place = np.repeat(catalog[2].draw_customers(random, some), _ORDERS_OF_EACH)
        number = random.integers(0, settings.orders, len(place))
        baskets = draw_baskets(random, catalog, place, number, settings.orders)
        value = (baskets.totals() / 100).reshape(some, _ORDERS_OF_EACH)
        logarithm = np.log(value)
        means.append(value.mean(axis=1))
        logarithms.append(logarithm.mean(axis=1))
        within.append(logarithm.var(axis=1, ddof=1))
    mean, logarithm = np.concatenate(means), np.concatenate(logarithms)
    # A person's mean also varies by the chance of its orders; the rest is between people.
    spread = float(logarithm.var(ddof=1))
    by_chance = float(np.concatenate(within).mean()) / _ORDERS_OF_EACH
    return OrderValueMoments(
        mean_brl=float(mean.mean()),
        mean_standard_error=float(mean.std(ddof=1) / np.sqrt(people)),
        variance_between_people=spread - by_chance,
        variance_standard_error=spread * float(np.sqrt(2 / (people - 1))),
        simulated_people=people,
        simulated_orders=people * _ORDERS_OF_EACH,
    )
