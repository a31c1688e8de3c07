"""The parameters of every generated process: aggregates of the real data, never its rows.

Sources: the published totals of the full data set (counts by month, hour, weekday, state,
status, payment type, score), and medians, spreads and shares measured on a real sample of 4,000
orders. The tables by state, city, category and card value lie beside this module in
`calibration_tables/`. `true_parameters.json` repeats these values next to the generated files.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Published:
    """Totals of the published data set."""

    orders: int = 99_441
    people: int = 96_096
    items: int = 112_650
    payments: int = 103_886
    reviews: int = 99_224
    products: int = 32_951
    sellers: int = 3_095
    geolocation_rows: int = 1_000_163
    zip_prefixes: int = 19_015
    first_day: date = date(2016, 9, 4)
    last_day: date = date(2018, 10, 17)


PUBLISHED = Published()

ORDERS_BY_MONTH: dict[str, int] = {
    "2016-09": 4,
    "2016-10": 324,
    "2016-11": 0,
    "2016-12": 1,
    "2017-01": 800,
    "2017-02": 1780,
    "2017-03": 2682,
    "2017-04": 2404,
    "2017-05": 3700,
    "2017-06": 3245,
    "2017-07": 4026,
    "2017-08": 4331,
    "2017-09": 4285,
    "2017-10": 4631,
    "2017-11": 7544,
    "2017-12": 5673,
    "2018-01": 7269,
    "2018-02": 6728,
    "2018-03": 7211,
    "2018-04": 6939,
    "2018-05": 6873,
    "2018-06": 6167,
    "2018-07": 6292,
    "2018-08": 6512,
    "2018-09": 16,
    "2018-10": 4,
}
"""Purchases by month of the published data set; they sum to its orders."""

DAILY_LEVEL_BY_STAGE: tuple[float, ...] = (
    # January 2017 to August 2018 without the days of Black Friday. It is stretched over any other
    # date range; the empty first and last months of the published one are not.
    *(26, 64, 86, 80, 119, 108, 130, 140, 143, 149),
    *(170, 180, 234, 240, 233, 231, 222, 206, 203, 210),
)
"""Orders of an ordinary day at equal steps from the start to the end of a date range."""

WEEKDAY_LEVEL: tuple[float, ...] = (1.140, 1.124, 1.095, 1.039, 0.994, 0.766, 0.842)
"""Orders of a weekday relative to the average day, Monday first."""

ORDERS_BY_HOUR: tuple[int, ...] = (
    *(2394, 1170, 510, 272, 206, 188, 502, 1231, 2967, 4785, 6177, 6578),
    *(5995, 6518, 6569, 6454, 6675, 6150, 5769, 5982, 6193, 6217, 5816, 4123),
)
"""Purchases by local hour of the day, 0 to 23."""

BLACK_FRIDAY_LEVEL: dict[int, float] = {
    -2: 1.15,
    -1: 1.5,
    0: 6.7,
    1: 3.7,
    2: 2.6,
    3: 2.0,
    4: 1.8,
    5: 1.4,
    6: 1.2,
}
"""Factor on an ordinary day's orders by days from Black Friday, the fourth Friday of November."""

HOLIDAY_LEVEL: dict[tuple[int, int], float] = {
    (12, 24): 0.45,
    (12, 25): 0.55,
    (12, 31): 0.50,
    (1, 1): 0.45,
}
"""Factor on an ordinary day's orders by month and day."""


@dataclass(frozen=True, slots=True)
class RepeatPurchases:
    """BG/NBD process of a person's further orders, time in days from the first one.

    A person buys at a rate drawn from Gamma(shape, rate); after each further order the person
    stops for good with a probability drawn from Beta(dropout_a, dropout_b). Purchases after the
    last day of ordinary trade do not happen.
    """

    shape: float = 0.0077
    rate: float = 3.0
    dropout_a: float = 4.4
    dropout_b: float = 0.6


REPEAT_PURCHASES = RepeatPurchases()

ORDERS_BY_STATUS: dict[str, int] = {
    "delivered": 96_478,
    "shipped": 1_107,
    "canceled": 625,
    "unavailable": 609,
    "invoiced": 314,
    "processing": 301,
    "created": 5,
    "approved": 2,
}

CANCELED_APPROVED_SHARE = 0.774
"""Share of canceled orders that had been approved."""

CANCELED_SHIPPED_SHARE = 0.155
"""Share of those that had reached the carrier too."""

ORDERS_BY_ITEMS: dict[int, int] = {
    1: 88_863,
    2: 7_516,
    3: 1_322,
    4: 505,
    5: 204,
    6: 198,
    7: 22,
    8: 8,
    9: 3,
    10: 8,
    11: 4,
    12: 5,
    13: 1,
    14: 2,
    15: 2,
    20: 2,
    21: 1,
}
"""Orders by their number of items."""

FURTHER_ITEM_SAME_PRODUCT = 0.77
FURTHER_ITEM_SAME_SELLER = 0.12
"""What a further item of an order is; otherwise it is any product of any seller."""

PRICE_ENDINGS: dict[int, float] = {
    90: 0.37,
    0: 0.285,
    99: 0.19,
    50: 0.035,
    80: 0.02,
    49: 0.02,
    20: 0.01,
    98: 0.01,
    95: 0.01,
    89: 0.01,
    30: 0.01,
    65: 0.01,
    60: 0.01,
    97: 0.01,
}
"""Cents at the end of a price, by share."""

PRICE_RANGE = (0.85, 6_735.0)
"""Lowest and highest item price, BRL."""

PRICE_TAIL_SHARE = 0.11
PRICE_TAIL_FACTOR = 1.7
PRICE_BODY_FACTOR = 0.88
"""Share of products in the heavy tail, and factors on a category's spread in tail and body."""


@dataclass(frozen=True, slots=True)
class Freight:
    """Log-linear freight of one item, BRL, with Laplace noise.

    ln freight = intercept + distance * ln(km + 50) + weight * ln(g + 1000) + price * ln(BRL)
    + noise. The weight is the volumetric one (cm3 / 6) where that is larger and over 10 kg.
    """

    intercept: float = -1.635
    distance: float = 0.279
    weight: float = 0.32
    price: float = 0.067
    noise_scale: float = 0.23
    free_share: float = 0.0038


FREIGHT = Freight()


@dataclass(frozen=True, slots=True)
class SellerProcess:
    """How sellers differ.

    Attributes:
        volume_sigma: Spread of the log number of products of a seller.
        quality_sigma: Spread of seller quality on the scale of the review's latent score, whose
            whole spread is 1 within orders delivered on time.
        handling_per_quality: Change of log handling time for one unit of quality.
        main_category_share: Share of a seller's products in the seller's main category.
    """

    volume_sigma: float = 1.8
    quality_sigma: float = 0.30
    handling_per_quality: float = -0.6
    main_category_share: float = 0.85


SELLERS = SellerProcess()

PRODUCT_POPULARITY_SIGMA = 1.9
"""Spread of the log expected number of sales beyond a product's first."""

APPROVAL_HOURS: dict[str, tuple[float, ...]] = {
    "credit_card": (0.02, 0.141, 0.199, 0.267, 0.362, 0.642, 1.25, 22.3, 25.1, 67.8, 160.0),
    "boleto": (0.25, 6.2, 15.5, 29.7, 36.1, 41.1, 55.5, 77.0, 87.2, 124.0, 240.0),
    "voucher": (0.02, 0.142, 0.201, 0.29, 0.56, 6.1, 23.8, 25.4, 41.9, 60.0, 120.0),
    "debit_card": (0.02, 0.134, 0.234, 0.743, 1.07, 4.6, 12.6, 23.6, 24.0, 35.4, 60.0),
}
"""Hours from purchase to approval by payment type, at the probabilities below."""

APPROVAL_PROBABILITIES: tuple[float, ...] = (
    *(0.0, 0.05, 0.25, 0.5, 0.65, 0.75, 0.82, 0.9, 0.95, 0.99, 1.0),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Handling, transport and promise, in days.

    Handling (approval to carrier) is log-normal. Transport (carrier to customer) is log-normal
    around the median of its distance; a stray parcel takes a multiple of it. The promise
    (purchase to estimated delivery) is promise_intercept + promise_distance * ln(km + 50), times
    the stage's factor, plus normal noise.
    """

    handling_log_mean: float = 0.22
    handling_log_sigma: float = 1.05
    transit_log_sigma_near: float = 0.72
    transit_log_sigma_far: float = 0.45
    stray_share: float = 0.05
    stray_factor: float = 3.0
    promise_intercept: float = -5.0
    promise_distance: float = 4.69
    promise_noise: float = 5.0
    promise_minimum: int = 3


DELIVERY = Delivery()

TRANSIT_KM: tuple[float, ...] = (0, 60, 150, 250, 400, 700, 1_150, 2_000, 3_200)
TRANSIT_DAYS: tuple[float, ...] = (1.2, 1.4, 2.7, 5.6, 6.4, 7.1, 9.8, 15.8, 21.0)
"""Median days of transport at some distances; logs are interpolated in between."""

STAGE_KNOTS: tuple[float, ...] = (0.0, 0.05, 0.17, 0.21, 0.26, 0.5, 0.8, 0.86, 0.91, 0.96, 1.0)
PROMISE_BY_STAGE: tuple[float, ...] = (2.2, 2.2, 1.75, 1.3, 1.1, 1.0, 1.0, 1.12, 0.85, 0.64, 0.62)
TRANSIT_BY_STAGE: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 0.75, 0.72, 0.68, 0.68)
"""Factors on promise and transport by the share of the date range that has passed."""

BLACK_FRIDAY_CONGESTION = (-4, 20, 1.30)
"""First and last day from Black Friday, and the factor on transport."""

TRANSPORT_CRISES: tuple[tuple[date, date, float], ...] = (
    (date(2018, 2, 1), date(2018, 3, 26), 1.75),
)
"""Purchases in between travel longer: the postal strike of 2018."""

CARRIER_BY_HOUR: tuple[int, ...] = (
    *(112, 57, 16, 8, 4, 8, 33, 34, 86, 113, 140, 180),
    *(216, 294, 430, 362, 221, 209, 266, 284, 276, 235, 209, 146),
)
DELIVERED_BY_HOUR: tuple[int, ...] = (
    *(118, 68, 34, 12, 10, 11, 8, 17, 28, 55, 64, 91),
    *(172, 193, 213, 292, 314, 324, 369, 374, 358, 318, 268, 187),
)
ANSWERED_BY_HOUR: tuple[int, ...] = (
    *(250, 238, 172, 98, 42, 32, 23, 21, 47, 113, 209, 289),
    *(237, 218, 198, 166, 191, 143, 159, 193, 217, 223, 240, 267),
)
"""Events by local hour of the day, 0 to 23, in the sample."""

SHIPPING_LIMIT_DAYS: dict[int, float] = {
    2: 0.046,
    3: 0.029,
    4: 0.172,
    5: 0.104,
    6: 0.403,
    7: 0.091,
    8: 0.038,
    9: 0.025,
    10: 0.023,
    11: 0.016,
    12: 0.011,
    14: 0.011,
    16: 0.016,
    19: 0.015,
}
"""Days from approval to the seller's limit for handing over to the carrier, by share."""

ORDERS_BY_PAYMENT_PLAN: dict[str, float] = {
    "credit_card": 0.7439,
    "boleto": 0.1990,
    "debit_card": 0.0154,
    "voucher": 0.0163,
    "credit_card+voucher": 0.0226,
    "credit_card+credit_card": 0.0028,
}
"""What pays an order, by share of orders."""

VOUCHERS_PER_ORDER: dict[int, float] = {
    1: 0.79,
    2: 0.13,
    3: 0.03,
    4: 0.02,
    5: 0.01,
    6: 0.008,
    8: 0.005,
    11: 0.004,
    14: 0.002,
    26: 0.001,
}

VOUCHER_SHARE_BETA = (1.6, 0.9)
"""Beta distribution of the share of an order that vouchers pay beside a card."""


@dataclass(frozen=True, slots=True)
class ReviewProcess:
    """Ordered probit of the score: a latent score of spread 1 cut at four points.

    Attributes:
        cuts: Latent score below which the stars are 1, 2, 3 and 4.
        several_items: Shift for several items of one seller.
        several_sellers: Shift for several sellers.
        unreviewed_share: Share of orders without a review.
    """

    cuts: tuple[float, float, float, float] = (-1.59, -1.395, -1.02, -0.380)
    several_items: float = -0.42
    several_sellers: float = -1.15
    unreviewed_share: float = 0.0077


REVIEWS = ReviewProcess()

LATE_SHIFT_DAYS: tuple[float, ...] = (0, 1, 3, 5, 7, 10)
LATE_SHIFT: tuple[float, ...] = (0, -0.30, -0.98, -1.52, -1.90, -2.12)
"""Shift of the latent score by days of delay, linear in between."""

UNDELIVERED_SHIFT: dict[str, float] = {
    "shipped": -1.60,
    "canceled": -2.20,
    "unavailable": -2.10,
    "invoiced": -1.75,
    "processing": -2.60,
    "created": -2.00,
    "approved": -2.00,
}

MESSAGE_SHARE_BY_SCORE: tuple[float, ...] = (0.773, 0.68, 0.435, 0.31, 0.361)
TITLE_SHARE_BY_SCORE: tuple[float, ...] = (0.152, 0.135, 0.100, 0.100, 0.115)
"""Share of reviews with a message and with a title, for 1 to 5 stars."""

ANSWER_LOG_DAYS = (0.43, 0.95)
"""Mean and spread of the log days from the review's invitation to its answer."""

REVIEW_DELAY_ON_TIME: dict[int, float] = {1: 0.947, 0: 0.030, 2: 0.014, 3: 0.004, 5: 0.005}
"""Days from delivery to the invitation of an order delivered on time, by share."""

REVIEW_DELAY_LATE: dict[int, float] = {2: 0.68, 3: 0.15, 1: 0.06, 4: 0.05, 5: 0.04, 6: 0.02}
"""Days from the estimated date to the invitation of any other order, by share."""


@dataclass(frozen=True, slots=True)
class ProductProcess:
    """Attributes of products beyond those that go by category.

    The log weight's deviation is a shifted log-normal of log spread `weight_skew`: light parcels
    crowd together, heavy ones do not.
    """

    name_length_mean: float = 50.0
    name_length_sigma: float = 9.0
    description_log_mean: float = 6.35
    description_log_sigma: float = 0.79
    weight_volume_correlation: float = 0.75
    weight_skew: float = 0.25


PRODUCTS = ProductProcess()

PRODUCTS_BY_PHOTOS: dict[int, int] = {
    1: 16_489,
    2: 6_263,
    3: 3_860,
    4: 2_428,
    5: 1_484,
    6: 968,
    7: 343,
    8: 192,
    9: 105,
    10: 95,
    11: 46,
    12: 35,
    13: 9,
    14: 5,
    15: 8,
    17: 7,
    18: 2,
    19: 1,
    20: 1,
}


@dataclass(frozen=True, slots=True)
class Dirt:
    """Faults of the real files: shares, or counts per 99,441 orders of the published data.

    A field that ends in `_count` is a count; counts scale with the orders and are exact.
    """

    products_without_category_share: float = 610 / 32_951
    products_without_size_count: int = 2
    seller_city_spelling_share: float = 0.015
    geolocation_duplicate_share: float = 261_831 / 1_000_163
    geolocation_accent_share: float = 0.165
    geolocation_odd_spelling_share: float = 0.01
    geolocation_points_abroad_count: int = 40
    zip_prefixes_without_geolocation_share: float = 0.005
    carrier_before_approval_share: float = (1_359 - 166) / 97_658
    carrier_before_purchase_count: int = 166
    delivered_before_carrier_count: int = 23
    delivered_without_date_count: int = 8
    delivered_without_approval_count: int = 14
    canceled_with_delivery_count: int = 6
    orders_without_payment_count: int = 1
    payments_not_defined_count: int = 3
    payments_of_no_installments_count: int = 2
    payment_rounding_share: float = 0.0030
    payment_interest_share: float = 0.0033
    orders_with_several_reviews_share: float = 547 / 99_441
    repeat_orders_sharing_a_review_share: float = 789 / 3_345
    comment_line_break_share: float = 0.083
    comment_comma_share: float = 0.36
    comment_quote_share: float = 0.004
    comment_emoji_share: float = 0.007
    comment_capitals_share: float = 0.04


DIRT = Dirt()

WITHOUT_ITEMS_SHARE: dict[str, float] = {
    "unavailable": 603 / 609,
    "canceled": 164 / 625,
    "created": 1.0,
    "invoiced": 2 / 314,
    "shipped": 1 / 1_107,
}
"""Share of a status's orders that lack items; part of the dirt."""

CHUNK_ORDERS = 100_000
"""Orders made at a time; memory is bounded by it. A change of it changes the generated data."""
