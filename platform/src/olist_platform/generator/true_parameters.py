"""The parameters that a data set was made with, so that estimates can be held against them."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from olist_platform.generator import calibration
from olist_platform.generator.catalog import Products, Sellers
from olist_platform.generator.order_values import order_value_moments
from olist_platform.generator.places import Places
from olist_platform.generator.settings import GeneratorSettings


def true_parameters(
    settings: GeneratorSettings,
    catalog: tuple[Products, Sellers, Places],
    seller_ids: pl.Series,
    *,
    rows: dict[str, int],
    people: int,
    last_trading_day: int,
) -> str:
    """Return JSON text of settings, process parameters and each seller's true quality.

    Args:
        settings: Settings of the data set.
        catalog: Its products, sellers and places.
        seller_ids: Identifiers of the sellers.
        rows: Rows of each file by dataset name.
        people: Number of people.
        last_trading_day: Last day on which people come back, in days from 1970-01-01.
    """
    products, sellers, places = catalog
    quality = zip(seller_ids.to_list(), sellers.quality.tolist(), strict=True)
    content: dict[str, Any] = {
        "settings": {
            "seed": settings.seed,
            "orders": settings.orders,
            "start": settings.start.isoformat(),
            "end": settings.end.isoformat(),
            "dirt": settings.dirt,
        },
        "rows": rows,
        "people": people,
        "products": len(products.seller),
        "sellers": len(sellers.place),
        "zip_prefixes": len(places.prefix),
        "growth": {
            "orders_by_month": calibration.ORDERS_BY_MONTH
            if settings.has_published_range
            else None,
            "daily_level_by_stage": None
            if settings.has_published_range
            else calibration.DAILY_LEVEL_BY_STAGE,
            "weekday_level": calibration.WEEKDAY_LEVEL,
            "orders_by_hour": calibration.ORDERS_BY_HOUR,
            "black_friday_level_by_day": calibration.BLACK_FRIDAY_LEVEL,
            "holiday_level": {
                f"{month:02d}-{day:02d}": level
                for (month, day), level in calibration.HOLIDAY_LEVEL.items()
            },
        },
        "repeat_purchases_bg_nbd_days": asdict(calibration.REPEAT_PURCHASES)
        | {"last_trading_day": str(np.datetime64(last_trading_day, "D"))},
        "order_values": {
            name: round(value, 9)
            for name, value in asdict(order_value_moments(settings, catalog)).items()
        },
        "orders_by_status": calibration.ORDERS_BY_STATUS,
        "canceled_approved_share": calibration.CANCELED_APPROVED_SHARE,
        "canceled_shipped_share": calibration.CANCELED_SHIPPED_SHARE,
        "orders_by_items": calibration.ORDERS_BY_ITEMS,
        "further_items": {
            "same_product_share": calibration.FURTHER_ITEM_SAME_PRODUCT,
            "same_seller_share": calibration.FURTHER_ITEM_SAME_SELLER,
        },
        "prices": {
            "endings": calibration.PRICE_ENDINGS,
            "range": calibration.PRICE_RANGE,
            "tail_share": calibration.PRICE_TAIL_SHARE,
            "tail_factor": calibration.PRICE_TAIL_FACTOR,
            "body_factor": calibration.PRICE_BODY_FACTOR,
        },
        "products_process": asdict(calibration.PRODUCTS)
        | {"products_by_photos": calibration.PRODUCTS_BY_PHOTOS},
        "freight": asdict(calibration.FREIGHT),
        "sellers_process": asdict(calibration.SELLERS),
        "product_popularity_sigma": calibration.PRODUCT_POPULARITY_SIGMA,
        "delivery": asdict(calibration.DELIVERY)
        | {
            "stage_knots": calibration.STAGE_KNOTS,
            "promise_by_stage": calibration.PROMISE_BY_STAGE,
            "transit_by_stage": calibration.TRANSIT_BY_STAGE,
            "transit_km": calibration.TRANSIT_KM,
            "transit_days": calibration.TRANSIT_DAYS,
            "transport_crises": [
                [start.isoformat(), end.isoformat(), factor]
                for start, end, factor in calibration.TRANSPORT_CRISES
            ],
            "black_friday_congestion": calibration.BLACK_FRIDAY_CONGESTION,
            "approval_hours": calibration.APPROVAL_HOURS,
            "approval_probabilities": calibration.APPROVAL_PROBABILITIES,
            "carrier_by_hour": calibration.CARRIER_BY_HOUR,
            "delivered_by_hour": calibration.DELIVERED_BY_HOUR,
            "shipping_limit_days": calibration.SHIPPING_LIMIT_DAYS,
        },
        "payment_plans": calibration.ORDERS_BY_PAYMENT_PLAN,
        "vouchers_per_order": calibration.VOUCHERS_PER_ORDER,
        "voucher_share_beta": calibration.VOUCHER_SHARE_BETA,
        "review_process": asdict(calibration.REVIEWS)
        | {
            "late_shift_days": calibration.LATE_SHIFT_DAYS,
            "late_shift": calibration.LATE_SHIFT,
            "undelivered_shift": calibration.UNDELIVERED_SHIFT,
            "message_share_by_score": calibration.MESSAGE_SHARE_BY_SCORE,
            "title_share_by_score": calibration.TITLE_SHARE_BY_SCORE,
            "answer_log_days": calibration.ANSWER_LOG_DAYS,
            "answered_by_hour": calibration.ANSWERED_BY_HOUR,
            "delay_on_time": calibration.REVIEW_DELAY_ON_TIME,
            "delay_late": calibration.REVIEW_DELAY_LATE,
        },
        "dirt": asdict(calibration.DIRT) | {"without_items_share": calibration.WITHOUT_ITEMS_SHARE}
        if settings.dirt
        else None,
        "seller_quality": {seller: round(value, 6) for seller, value in quality},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
