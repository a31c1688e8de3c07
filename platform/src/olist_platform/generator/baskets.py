"""What an order holds: items, their products, prices and freight."""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator import calibration
from olist_platform.generator.arrays import Floats, Integers, draw_value, within_groups
from olist_platform.generator.calibration import FREIGHT
from olist_platform.generator.catalog import Products, Sellers
from olist_platform.generator.places import Places

_VOLUMETRIC_DIVISOR = 6
_VOLUMETRIC_FROM_G = 10_000
_STABLE_PRICE_CENTS = 2_000
_DISCOUNT_STEPS = np.array([1.0, 1.0, 1.0, 1.0, 0.95, 0.9, 1.08])


@dataclass(frozen=True, slots=True)
class Baskets:
    """The items of a chunk, one element an item, ordered by order.

    Attributes:
        order: Row of the order in the chunk.
        number: Number of the item within the order, from 1.
        product: Row of the product.
        price: BRL cents.
        freight: BRL cents.
        first: Row of the first item of each order, one element an order.
    """

    order: Integers
    number: Integers
    product: Integers
    price: Integers
    freight: Integers
    first: Integers

    def totals(self) -> Integers:
        """Return price plus freight of each order, BRL cents."""
        return np.add.reduceat(self.price + self.freight, self.first)


def draw_baskets(
    rng: np.random.Generator,
    catalog: tuple[Products, Sellers, Places],
    customer_place: Integers,
    number_in_data: Integers,
    all_orders: int,
) -> Baskets:
    """Draw the items of each order.

    Args:
        rng: Random numbers.
        catalog: Products, sellers and places.
        customer_place: Row of the customer's zip prefix, one element an order.
        number_in_data: Which order of the data set each one is, from 0.
        all_orders: Orders of the whole data set.
    """
    products, sellers, places = catalog
    orders = len(customer_place)
    size = draw_value(rng, calibration.ORDERS_BY_ITEMS, orders)
    order = np.repeat(np.arange(orders), size)
    number = within_groups(size) + 1
    first = np.cumsum(size) - size
    product = _draw_products(rng, products, number, (number_in_data, all_orders), first)
    pair = _rank_of_product(order, product)
    price = _paid_price(rng, products, product, pair)
    return Baskets(
        order=order,
        number=number,
        product=product,
        price=price,
        freight=_freight(
            rng,
            products,
            product=product,
            pair=pair,
            price=price,
            distance=places.distance_km(
                sellers.place[products.seller[product]], customer_place[order]
            ),
        ),
        first=first,
    )


def _draw_products(
    rng: np.random.Generator,
    products: Products,
    number: Integers,
    position: tuple[Integers, int],
    first: Integers,
) -> Integers:
    cumulative_share = products.sale_probabilities
    product = np.searchsorted(cumulative_share, rng.random(len(number)), side="right")
    product[first] = _first_sales(products, product[first], position)
    fate = rng.random(len(number))
    anywhere = rng.random(len(number))
    for item in range(2, int(number.max()) + 1):
        rows = np.flatnonzero(number == item)
        previous = product[rows - 1]
        seller = products.seller[previous]
        start = np.searchsorted(products.seller, seller, side="left")
        stop = np.searchsorted(products.seller, seller, side="right")
        low = np.where(start > 0, cumulative_share[start - 1], 0.0)
        aim = low + anywhere[rows] * (cumulative_share[stop - 1] - low)
        same_seller = np.clip(np.searchsorted(cumulative_share, aim, side="right"), start, stop - 1)
        is_same = fate[rows] < calibration.FURTHER_ITEM_SAME_PRODUCT
        is_near = fate[rows] < (
            calibration.FURTHER_ITEM_SAME_PRODUCT + calibration.FURTHER_ITEM_SAME_SELLER
        )
        product[rows] = np.where(is_same, previous, np.where(is_near, same_seller, product[rows]))
    return product.astype(np.int64)


def _first_sales(products: Products, drawn: Integers, position: tuple[Integers, int]) -> Integers:
    """Give each product one sale, spread evenly over all orders of the data set."""
    order, all_orders = position
    count = len(products.seller)
    turn = (order + 1) * count // all_orders
    is_turn = turn != order * count // all_orders
    return np.where(is_turn, turn - 1, drawn)


def _rank_of_product(order: Integers, product: Integers) -> Integers:
    """Number the pairs of order and product: items of a pair share price and freight."""
    changes = np.ones(len(order), dtype=np.bool_)
    changes[1:] = (order[1:] != order[:-1]) | (product[1:] != product[:-1])
    return np.cumsum(changes) - 1


def _paid_price(
    rng: np.random.Generator, products: Products, product: Integers, pair: Integers
) -> Integers:
    """Return list prices with the changes that shops make over time."""
    factor = _DISCOUNT_STEPS[rng.integers(0, len(_DISCOUNT_STEPS), int(pair[-1]) + 1)][pair]
    listed = products.price[product]
    # A changed price keeps the list price's ending.
    changed = (listed * factor).astype(np.int64) // 100 * 100 + listed % 100
    paid = np.where((factor == 1.0) | (listed < _STABLE_PRICE_CENTS), listed, changed)
    return np.minimum(paid, round(calibration.PRICE_RANGE[1] * 100))


def _freight(
    rng: np.random.Generator,
    products: Products,
    *,
    product: Integers,
    pair: Integers,
    price: Integers,
    distance: Floats,
) -> Integers:
    pairs = int(pair[-1]) + 1
    volume = products.length[product] * products.height[product] * products.width[product]
    volumetric = volume / _VOLUMETRIC_DIVISOR
    weight = products.weight[product].astype(np.float64)
    weight = np.where(volumetric > _VOLUMETRIC_FROM_G, np.maximum(weight, volumetric), weight)
    log_freight = (
        FREIGHT.intercept
        + FREIGHT.distance * np.log(distance + 50)
        + FREIGHT.weight * np.log(weight + 1_000)
        + FREIGHT.price * np.log(price / 100)
        + rng.laplace(0.0, FREIGHT.noise_scale, pairs)[pair]
    )
    free = (rng.random(pairs) < FREIGHT.free_share)[pair]
    cents = np.round(np.exp(log_freight) * 100).astype(np.int64)
    return np.where(free, 0, cents)
