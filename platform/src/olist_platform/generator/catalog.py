"""Sellers and products: who sells what, how well, at what price and in what parcel."""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator import calibration
from olist_platform.generator.arrays import Floats, Integers, cumulative, draw_index, draw_value
from olist_platform.generator.calibration import PRODUCTS, PUBLISHED, SELLERS
from olist_platform.generator.places import Places
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.reference_tables import Categories, categories
from olist_platform.generator.settings import GeneratorSettings

_SELLER_EXPONENT = 0.6
_PRODUCT_EXPONENT = 0.75
_LARGEST_CATALOG = 10
"""Times the published sellers and products: the cap that bounds memory."""

_LENGTH_RANGE_CM = (16, 105)
_WIDTH_RANGE_CM = (11, 118)
_HEIGHT_RANGE_CM = (2, 105)
_WEIGHT_RANGE_G = (50, 40_425)
_WEIGHT_STEP_G, _WEIGHT_ROUNDED_FROM_G = 50, 200
_EXACT_PRICE_BELOW_BRL = 10.0


@dataclass(frozen=True, slots=True)
class Sellers:
    """The sellers, one element a seller.

    Attributes:
        place: Row of the zip prefix.
        quality: Shift of the latent review score; above 0 is better than the average.
        category: Row of the main category.
    """

    place: Integers
    quality: Floats
    category: Integers


@dataclass(frozen=True, slots=True)
class Products:
    """The products, one element a product, ordered by seller.

    Attributes:
        seller: Row of the seller.
        category: Row of the category.
        price: List price in BRL cents.
        weight: Grams.
        length: Centimetres.
        height: Centimetres.
        width: Centimetres.
        name_length: Characters.
        description_length: Characters.
        photos: Number of photos.
        sale_probabilities: Cumulative share of the sales beyond each product's first one.
    """

    seller: Integers
    category: Integers
    price: Integers
    weight: Integers
    length: Integers
    height: Integers
    width: Integers
    name_length: Integers
    description_length: Integers
    photos: Integers
    sale_probabilities: Floats


def build_sellers(settings: GeneratorSettings, places: Places) -> Sellers:
    """Return the sellers: 3,095 at the published size, growing slower than the orders."""
    count = _catalog_size(settings, PUBLISHED.sellers, _SELLER_EXPONENT)
    count = min(count, _product_count(settings))
    rng = random_for(settings.seed, Stream.SELLERS)
    return Sellers(
        place=places.draw_sellers(rng, count),
        quality=rng.normal(0.0, SELLERS.quality_sigma, count),
        category=draw_index(rng, cumulative(categories().product_share), count),
    )


def build_products(settings: GeneratorSettings, sellers: Sellers) -> Products:
    """Return the products: 32,951 at the published size; every seller has at least one."""
    rng = random_for(settings.seed, Stream.PRODUCTS)
    table = categories()
    count = _product_count(settings)
    category = draw_index(rng, cumulative(table.product_share), count)
    category[: len(sellers.category)] = sellers.category
    seller = _draw_sellers(rng, sellers, category)
    by_seller = np.argsort(seller, kind="stable")
    seller, category = seller[by_seller], category[by_seller]
    weight, length, height, width = _draw_parcels(rng, table, category)
    name_length = rng.normal(PRODUCTS.name_length_mean, PRODUCTS.name_length_sigma, count)
    description = rng.normal(PRODUCTS.description_log_mean, PRODUCTS.description_log_sigma, count)
    return Products(
        seller=seller,
        category=category,
        price=_draw_prices(rng, table, category),
        weight=weight,
        length=length,
        height=height,
        width=width,
        # Names are cut at 60 characters by most shops, hence the pile there.
        name_length=_whole(np.minimum(name_length, 60 + name_length % 4), (5, 76)),
        description_length=_whole(np.exp(description), (4, 3_992)),
        photos=draw_value(rng, calibration.PRODUCTS_BY_PHOTOS, count),
        sale_probabilities=_sale_probabilities(rng, settings, table, category),
    )


def _catalog_size(settings: GeneratorSettings, published: int, exponent: float) -> int:
    size = round(published * float(settings.size**exponent))
    return min(max(size, 1), _LARGEST_CATALOG * published)


def _product_count(settings: GeneratorSettings) -> int:
    # No more products than orders: each is sold at least once, as in the published data.
    return min(_catalog_size(settings, PUBLISHED.products, _PRODUCT_EXPONENT), settings.orders)


def _draw_sellers(rng: np.random.Generator, sellers: Sellers, category: Integers) -> Integers:
    count = len(sellers.place)
    volume = rng.lognormal(0.0, SELLERS.volume_sigma, count)
    seller = draw_index(rng, cumulative(volume), len(category))
    in_main_category = rng.random(len(category)) < SELLERS.main_category_share
    for row in range(len(categories().name)):
        products = np.flatnonzero(in_main_category & (category == row))
        specialists = np.flatnonzero(sellers.category == row)
        if len(specialists):
            drawn = draw_index(rng, cumulative(volume[specialists]), len(products))
            seller[products] = specialists[drawn]
    seller[:count] = np.arange(count)
    return seller


def _draw_parcels(
    rng: np.random.Generator, table: Categories, category: Integers
) -> tuple[Integers, Integers, Integers, Integers]:
    count = len(category)
    correlation = PRODUCTS.weight_volume_correlation
    shared = _skewed(rng, PRODUCTS.weight_skew, count)
    own = rng.standard_normal(count) * np.sqrt(1 - correlation**2)
    log_weight = table.log_weight_mean[category] + table.log_weight_sigma[category] * shared
    log_volume = table.log_volume_mean[category] + table.log_volume_sigma[category] * (
        correlation * shared + own
    )
    # Length, width and height multiply to the volume; means and slopes are those of the sample.
    beyond_mean = log_volume - 8.884
    length = np.exp(3.309 + 0.30 * beyond_mean + rng.normal(0.0, 0.30, count))
    width = np.exp(3.032 + 0.30 * beyond_mean + rng.normal(0.0, 0.28, count))
    length = np.clip(length, *_LENGTH_RANGE_CM)
    width = np.clip(width, *_WIDTH_RANGE_CM)
    height = np.exp(log_volume) / (length * width)
    weight = np.exp(log_weight)
    # Shops round the weight of all but light goods.
    rounded = np.round(weight / _WEIGHT_STEP_G) * _WEIGHT_STEP_G
    weight = np.where(weight > _WEIGHT_ROUNDED_FROM_G, rounded, weight)
    return (
        _whole(weight, _WEIGHT_RANGE_G),
        _whole(length, _LENGTH_RANGE_CM),
        _whole(height, _HEIGHT_RANGE_CM),
        _whole(width, _WIDTH_RANGE_CM),
    )


def _skewed(rng: np.random.Generator, skew: float, count: int) -> Floats:
    """Draw from a shifted log-normal of mean 0 and spread 1."""
    variance = (np.exp(skew**2) - 1) * np.exp(skew**2)
    drawn: Floats = np.exp(skew * rng.standard_normal(count)) - np.exp(skew**2 / 2)
    drawn /= np.sqrt(variance)
    return drawn


def _draw_prices(rng: np.random.Generator, table: Categories, category: Integers) -> Integers:
    in_tail = rng.random(len(category)) < calibration.PRICE_TAIL_SHARE
    spread = table.log_price_sigma[category] * np.where(
        in_tail, calibration.PRICE_TAIL_FACTOR, calibration.PRICE_BODY_FACTOR
    )
    log_price = rng.normal(table.log_price_mean[category], spread)
    low, high = calibration.PRICE_RANGE
    price = np.clip(np.exp(log_price), low, high)
    ending = draw_value(rng, calibration.PRICE_ENDINGS, len(category))
    attractive = np.floor(price).astype(np.int64) * 100 + ending
    exact = np.round(price * 100).astype(np.int64)
    # Cheap goods are priced to the cent; an ending would distort them.
    return np.where(price < _EXACT_PRICE_BELOW_BRL, exact, attractive)


def _sale_probabilities(
    rng: np.random.Generator, settings: GeneratorSettings, table: Categories, category: Integers
) -> Floats:
    """Return the shares of sales so that, first sales included, categories get theirs."""
    popularity = rng.lognormal(0.0, calibration.PRODUCT_POPULARITY_SIGMA, len(category))
    first_sales = np.bincount(category, minlength=len(table.name)).astype(np.float64)
    all_sales = settings.orders * PUBLISHED.items / PUBLISHED.orders * table.item_share
    further_sales = np.maximum(all_sales - first_sales, 0.02 * first_sales)
    in_category = np.bincount(category, popularity, minlength=len(table.name))
    return cumulative(popularity * (further_sales / np.maximum(in_category, 1e-9))[category])


def _whole(values: Floats, limits: tuple[int, int]) -> Integers:
    return np.clip(np.round(values), *limits).astype(np.int64)
