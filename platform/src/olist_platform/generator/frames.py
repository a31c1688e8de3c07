"""Generated arrays as frames with the files' columns and values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from olist_platform.generator.arrays import Flags, Floats, Integers
from olist_platform.generator.baskets import Baskets
from olist_platform.generator.calibration import DIRT, PUBLISHED
from olist_platform.generator.catalog import Products, Sellers
from olist_platform.generator.city_spellings import odd_spelling
from olist_platform.generator.identifiers import IdentifierKind, identifiers, zip_text
from olist_platform.generator.payments import Payments
from olist_platform.generator.places import Places
from olist_platform.generator.quotas import quota
from olist_platform.generator.reference_tables import categories, cities, plain
from olist_platform.generator.reviews import Reviews
from olist_platform.generator.timelines import NEVER, Timelines


@dataclass(frozen=True, slots=True)
class OrderKeys:
    """Identifiers of a chunk's orders, one element an order."""

    order: pl.Series
    customer: pl.Series
    person: pl.Series


def customers_frame(keys: OrderKeys, places: Places, place: Integers) -> pl.DataFrame:
    """Return the customers file's rows; `place` is the row of each one's zip prefix."""
    return pl.DataFrame(
        {
            "customer_id": keys.customer,
            "customer_unique_id": keys.person,
            "customer_zip_code_prefix": zip_text(places.prefix[place]),
            "customer_city": _plain_cities().gather(places.city[place]),
            "customer_state": _states().gather(places.city[place]),
        }
    )


def orders_frame(keys: OrderKeys, timelines: Timelines) -> pl.DataFrame:
    """Return the orders file's rows."""
    return pl.DataFrame(
        {
            "order_id": keys.order,
            "customer_id": keys.customer,
            "order_status": _text(timelines.status),
            "order_purchase_timestamp": _moments(timelines.purchased),
            "order_approved_at": _moments(timelines.approved),
            "order_delivered_carrier_date": _moments(timelines.shipped),
            "order_delivered_customer_date": _moments(timelines.delivered),
            "order_estimated_delivery_date": _moments(timelines.estimated),
        }
    )


def items_frame(
    keys: OrderKeys,
    baskets: Baskets,
    timelines: Timelines,
    products: tuple[pl.Series, pl.Series],
    kept: Flags,
) -> pl.DataFrame:
    """Return the items file's rows.

    Args:
        keys: Identifiers of the orders.
        baskets: The items.
        timelines: For the shipping limits.
        products: Identifier of each product, and that of its seller.
        kept: Which items are in the file.
    """
    product_ids, seller_ids = products
    order, product = baskets.order[kept], baskets.product[kept]
    return pl.DataFrame(
        {
            "order_id": keys.order.gather(order),
            "order_item_id": baskets.number[kept],
            "product_id": product_ids.gather(product),
            "seller_id": seller_ids.gather(product),
            "shipping_limit_date": _moments(timelines.shipping_limit[order]),
            "price": _money(baskets.price[kept]),
            "freight_value": _money(baskets.freight[kept]),
        }
    )


def payments_frame(keys: OrderKeys, payments: Payments) -> pl.DataFrame:
    """Return the payments file's rows."""
    return pl.DataFrame(
        {
            "order_id": keys.order.gather(payments.order),
            "payment_sequential": payments.sequential,
            "payment_type": _text(payments.kind),
            "payment_installments": payments.installments,
            "payment_value": _money(payments.value),
        }
    )


def reviews_frame(
    keys: OrderKeys, reviews: Reviews, review_ids: pl.Series, texts: tuple[pl.Series, pl.Series]
) -> pl.DataFrame:
    """Return the reviews file's rows.

    Args:
        keys: Identifiers of the orders.
        reviews: The reviews.
        review_ids: Their identifiers.
        texts: Title and message of each one, as its owner wrote them.
    """
    title, message = texts
    return pl.DataFrame(
        {
            "review_id": review_ids,
            "order_id": keys.order.gather(reviews.order),
            "review_score": reviews.score,
            "review_comment_title": title,
            "review_comment_message": message,
            "review_creation_date": _moments(reviews.created),
            "review_answer_timestamp": _moments(reviews.answered),
        }
    )


def products_frame(
    rng: np.random.Generator, products: Products, ids: pl.Series, *, dirt: bool
) -> pl.DataFrame:
    """Return the products file; dirt leaves out categories with their texts, and sizes."""
    count = len(products.seller)
    frame = pl.DataFrame(
        {
            "product_id": ids,
            "product_category_name": pl.Series(categories().name).gather(products.category),
            "product_name_lenght": products.name_length,
            "product_description_lenght": products.description_length,
            "product_photos_qty": products.photos,
            "product_weight_g": products.weight,
            "product_length_cm": products.length,
            "product_height_cm": products.height,
            "product_width_cm": products.width,
        }
    )
    if not dirt:
        return frame
    nameless = np.zeros(count, dtype=np.bool_)
    wanted = round(DIRT.products_without_category_share * count)
    nameless[rng.choice(count, wanted, replace=False)] = True
    sizeless = np.zeros(count, dtype=np.bool_)
    wanted = quota(DIRT.products_without_size_count, PUBLISHED.products, 0, count)
    sizeless[rng.choice(count, wanted, replace=False)] = True
    return frame.with_columns(
        pl.when(pl.Series(~nameless)).then(pl.col(frame.columns[1:5])),
        pl.when(pl.Series(~sizeless)).then(pl.col(frame.columns[5:])),
    )


def sellers_frame(
    rng: np.random.Generator, sellers: Sellers, places: Places, ids: pl.Series, *, dirt: bool
) -> pl.DataFrame:
    """Return the sellers file; dirt spells some cities oddly."""
    city = places.city[sellers.place]
    names = _plain_cities().gather(city).to_list()
    if dirt:
        table = cities()
        odd = np.flatnonzero(rng.random(len(names)) < DIRT.seller_city_spelling_share)
        for row, variant in zip(odd, rng.integers(0, 8, len(odd)), strict=True):
            name, state = table.name[city[row]], table.state[city[row]]
            names[row] = odd_spelling(name, state, int(variant))
    return pl.DataFrame(
        {
            "seller_id": ids,
            "seller_zip_code_prefix": zip_text(places.prefix[sellers.place]),
            "seller_city": names,
            "seller_state": _states().gather(city),
        }
    )


def translation_frame(*, dirt: bool) -> pl.DataFrame:
    """Return the translation file; dirt leaves out the categories that the real one lacks."""
    table = categories()
    frame = pl.DataFrame(
        {"product_category_name": table.name, "product_category_name_english": table.english}
    )
    return frame.filter(pl.Series(table.translated)) if dirt else frame


def order_keys(seed: int, person: Integers, orders_before: int, people_before: int) -> OrderKeys:
    """Return the identifiers of a chunk's orders, their customers and people."""
    counters = np.arange(orders_before, orders_before + len(person))
    return OrderKeys(
        order=identifiers(seed, IdentifierKind.ORDER, counters),
        customer=identifiers(seed, IdentifierKind.CUSTOMER, counters),
        person=identifiers(seed, IdentifierKind.PERSON, person + people_before),
    )


def _plain_cities() -> pl.Series:
    return pl.Series([plain(name) for name in cities().name])


def _states() -> pl.Series:
    return pl.Series(cities().state)


def _text(values: npt.NDArray[np.object_]) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)


def _money(cents: Integers) -> Floats:
    """Return BRL; the file shows 89.90 as 89.9 and 35.00 as 35.0, as the real one does."""
    brl: Floats = cents / 100
    return brl


def _moments(seconds: Integers) -> pl.Series:
    moments = pl.Series(np.where(seconds == NEVER, 0, seconds) * 1_000).cast(pl.Datetime("ms"))
    nothing = pl.repeat(None, len(seconds), dtype=pl.Datetime("ms"), eager=True)
    return moments.zip_with(pl.Series(seconds != NEVER), nothing)
