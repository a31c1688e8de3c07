"""Makes a whole data set, chunk by chunk, so that memory stays bounded as orders grow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from olist_platform.generator import dirt, frames
from olist_platform.generator.arrays import Floats, Integers
from olist_platform.generator.baskets import Baskets, draw_baskets
from olist_platform.generator.calibration import CHUNK_ORDERS
from olist_platform.generator.catalog import Products, Sellers, build_products, build_sellers
from olist_platform.generator.geolocation import (
    CHUNK_ROWS,
    geolocation_chunk,
    geolocation_row_count,
)
from olist_platform.generator.identifiers import IdentifierKind, identifiers
from olist_platform.generator.payments import draw_payments
from olist_platform.generator.people import draw_purchases
from olist_platform.generator.places import Places, build_places
from olist_platform.generator.purchase_calendar import PurchaseCalendar, purchase_calendar
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.review_texts import review_texts
from olist_platform.generator.reviews import Reviews, draw_reviews
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.generator.timelines import draw_timelines
from olist_platform.generator.true_parameters import true_parameters
from olist_platform.generator.writer import DatasetWriter
from olist_platform.progress import Progress

_CATALOG_DIRT = 1_000_000
"""A chunk number that no chunk of orders has."""

_GEOLOCATION_WORK = 10
"""Geolocation rows made in the time of one order."""


@dataclass(frozen=True, slots=True)
class World:
    """What all chunks share."""

    settings: GeneratorSettings
    calendar: PurchaseCalendar
    places: Places
    sellers: Sellers
    products: Products
    seller_ids: pl.Series
    product_ids: pl.Series
    seller_ids_by_product: pl.Series


def generate_dataset(
    settings: GeneratorSettings,
    folder: Path,
    progress: Progress | None = None,
    *,
    change: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Write the nine files and `true_parameters.json` into a folder.

    Files of the same names are replaced, each only when all are complete. Equal settings give
    byte-identical files.

    Args:
        settings: What to generate.
        folder: Where; made if missing.
        progress: Told of the progress of a long run; never changes the data.
        change: Changes the files that lie there, before another run may write there.

    Returns:
        Rows of each file by dataset name.

    Raises:
        OlistError: The folder is a file or cannot be written, the disk is full, or another run is
            generating there.
    """
    report = progress or _silent
    with DatasetWriter(Path(folder), byte_order_mark=settings.dirt) as writer:
        world = build_world(settings)
        rows = geolocation_row_count(settings, world.places)
        work = settings.orders + rows // _GEOLOCATION_WORK
        report(0, work)
        writer.append(_catalog_frames(world))
        people = 0
        for before in range(0, settings.orders, CHUNK_ORDERS):
            orders = min(CHUNK_ORDERS, settings.orders - before)
            chunk_frames, chunk_people = order_chunk(world, before, orders, people)
            writer.append(chunk_frames)
            people += chunk_people
            report(before + orders, work)
        for first in range(0, rows, CHUNK_ROWS):
            size = min(CHUNK_ROWS, rows - first)
            writer.append({"geolocation": geolocation_chunk(settings, world.places, first, size)})
            report(settings.orders + (first + size) // _GEOLOCATION_WORK, work)
        catalog = world.products, world.sellers, world.places
        parameters = true_parameters(
            settings,
            catalog,
            world.seller_ids,
            rows=writer.rows,
            people=people,
            last_trading_day=world.calendar.last_trading_day,
        )
        writer.publish(parameters)
        if change:
            change()
    return writer.rows


def build_world(settings: GeneratorSettings) -> World:
    """Return places, sellers, products and the calendar of a data set."""
    places = build_places(settings)
    sellers = build_sellers(settings, places)
    products = build_products(settings, sellers)
    seller_ids = identifiers(settings.seed, IdentifierKind.SELLER, np.arange(len(sellers.place)))
    return World(
        settings=settings,
        calendar=purchase_calendar(settings),
        places=places,
        sellers=sellers,
        products=products,
        seller_ids=seller_ids,
        product_ids=identifiers(
            settings.seed, IdentifierKind.PRODUCT, np.arange(len(products.seller))
        ),
        seller_ids_by_product=seller_ids.gather(products.seller),
    )


def _catalog_frames(world: World) -> dict[str, pl.DataFrame]:
    random = random_for(world.settings.seed, Stream.DIRT, _CATALOG_DIRT)
    soiled = world.settings.dirt
    return {
        "products": frames.products_frame(random, world.products, world.product_ids, dirt=soiled),
        "sellers": frames.sellers_frame(
            random, world.sellers, world.places, world.seller_ids, dirt=soiled
        ),
        "category_translation": frames.translation_frame(dirt=soiled),
    }


def order_chunk(
    world: World, before: int, orders: int, people_before: int
) -> tuple[dict[str, pl.DataFrame], int]:
    """Return the rows of consecutive orders, by dataset name, and their number of people.

    Args:
        world: What all chunks share.
        before: Orders in earlier chunks; a multiple of the chunk's size.
        orders: Orders of the chunk.
        people_before: People in earlier chunks; people never span chunks.
    """
    settings = world.settings
    seed, number = settings.seed, before // CHUNK_ORDERS
    purchases = draw_purchases(random_for(seed, Stream.PEOPLE, number), world.calendar, orders)
    random = random_for(seed, Stream.BASKETS, number)
    place = world.places.draw_customers(random, purchases.people)[purchases.person]
    catalog = world.products, world.sellers, world.places
    numbers = np.arange(before, before + orders)
    baskets = draw_baskets(random, catalog, place, numbers, settings.orders)
    payments = draw_payments(random_for(seed, Stream.PAYMENTS, number), baskets.totals())
    seller = world.products.seller[baskets.product]
    timelines = draw_timelines(
        random_for(seed, Stream.TIMELINES, number),
        settings,
        world.calendar,
        purchased=purchases.second,
        payment_type=payments.leading,
        distance=world.places.distance_km(world.sellers.place[seller[baskets.first]], place),
        seller_quality=world.sellers.quality[seller[baskets.first]],
    )
    random = random_for(seed, Stream.REVIEWS, number)
    # Customers judge what happened to them, so reviews come before the files' faults.
    reviews = draw_reviews(random, timelines, *_seller_mix(world, baskets, seller))
    has_items = np.ones(orders, dtype=np.bool_)
    if settings.dirt:
        random = random_for(seed, Stream.DIRT, number)
        position = dirt.ChunkPosition(before, orders)
        has_items = ~dirt.orders_without_items(random, timelines)
        payments = dirt.soil_payments(random, payments, timelines, has_items, position)
        reviews = dirt.soil_reviews(random, reviews, purchases)
        timelines = dirt.soil_timelines(random, timelines, position)
    keys = frames.order_keys(seed, purchases.person, before, people_before)
    products = world.product_ids, world.seller_ids_by_product
    kept = has_items[baskets.order]
    return {
        "customers": frames.customers_frame(keys, world.places, place),
        "orders": frames.orders_frame(keys, timelines),
        "order_items": frames.items_frame(keys, baskets, timelines, products, kept),
        "payments": frames.payments_frame(keys, payments),
        "reviews": _reviews_frame(settings, number, before, keys, reviews),
    }, purchases.people


def _seller_mix(
    world: World, baskets: Baskets, seller: Integers
) -> tuple[Floats, Integers, Integers]:
    """Return mean seller quality, number of sellers and number of items of each order."""
    items = np.bincount(baskets.order)
    quality = np.bincount(baskets.order, world.sellers.quality[seller]) / items
    pairs = np.unique(baskets.order * len(world.sellers.place) + seller)
    return quality, np.bincount(pairs // len(world.sellers.place)), items


def _reviews_frame(
    settings: GeneratorSettings,
    number: int,
    before: int,
    keys: frames.OrderKeys,
    reviews: Reviews,
) -> pl.DataFrame:
    random = random_for(settings.seed, Stream.COMMENTS, number)
    title, message = review_texts(random, reviews.score, dirt=settings.dirt)
    # A review that stands for several orders has one identifier and one text.
    row_of_owner = np.zeros(len(keys.order), dtype=np.int64)
    own = np.flatnonzero((reviews.owner == reviews.order) & (reviews.number == 0))
    row_of_owner[reviews.order[own]] = own
    shared = reviews.owner != reviews.order
    author = np.where(shared, row_of_owner[reviews.owner], np.arange(len(reviews.order)))
    ids = identifiers(
        settings.seed, IdentifierKind.REVIEW, (before + reviews.owner) * 2 + reviews.number
    )
    return frames.reviews_frame(keys, reviews, ids, (title.gather(author), message.gather(author)))


def _silent(done: int, work: int) -> None:
    """Take no notice of progress."""
