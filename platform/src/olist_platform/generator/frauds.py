"""Frauds and faults put into a data set on purpose, with the truth of which orders they are.

Each is a copy of an ordinary order (delivered, one item, one payment), so that lane, category and
time are real ones, and changed in what the fraud changes. Detection is judged against the truth.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.source_catalog import dataset_named

FRAUDS_FILE = "injected_frauds.csv"
DATASETS = ("orders", "order_items", "payments", "customers")
"""What an injected order has rows in."""

_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_HOUR, _DAY = 3600, 86_400
_EVENTS = (
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
)
_STREAM = 77


class FraudKind(StrEnum):
    """What is put in. The last two are faults of records, no frauds.

    `bust_out`: a new person buys twice in the ordinary way, and dearly on the next day, on as many
    installments as there are. `card_testing`: many small payments by cards within an hour.
    `freight_abuse`: a cheap item at an absurd freight. `colluding_seller`: people who never bought
    before buy one seller's goods at a multiple of their price, delivered the same day.
    `value_spike`: one order at a large multiple. `midnight_burst`: several orders of a person in
    the dead of one night. `payment_mismatch`: the payment is not what the order costs.
    `impossible_timestamps`: it was delivered before it was handed over.
    """

    BUST_OUT = "bust_out"
    CARD_TESTING = "card_testing"
    FREIGHT_ABUSE = "freight_abuse"
    COLLUDING_SELLER = "colluding_seller"
    VALUE_SPIKE = "value_spike"
    MIDNIGHT_BURST = "midnight_burst"
    PAYMENT_MISMATCH = "payment_mismatch"
    IMPOSSIBLE_TIMESTAMPS = "impossible_timestamps"


@dataclass(frozen=True, slots=True)
class _Order:
    """How one injected order differs from the order it is a copy of.

    Attributes:
        buyer: Number of the person within the case.
        second: Purchase, seconds after midnight of the case's day.
        price: Factor on the item's price.
        freight: Factor on its freight.
        paid: Factor on what is paid.
        payments: Number of payments it is split into.
        installments: Of its payment; None as it was.
        delivery_days: Days to the delivery; None as it was.
        is_scrambled: Whether it is delivered before it is handed over.
    """

    second: int
    buyer: int = 0
    price: float = 1.0
    freight: float = 1.0
    paid: float = 1.0
    payments: int = 1
    installments: int | None = None
    delivery_days: float | None = None
    is_scrambled: bool = False


@dataclass(frozen=True, slots=True)
class InjectedFrauds:
    """Rows to add, and the truth.

    Attributes:
        rows: Text rows by dataset name, with the catalog's columns.
        truth: order_id, kind and case of each injected order.
    """

    rows: Mapping[str, pl.DataFrame]
    truth: pl.DataFrame


def inject_frauds(
    frames: Mapping[str, pl.DataFrame],
    rate: float,
    seed: int,
    kinds: tuple[FraudKind, ...] = tuple(FraudKind),
) -> InjectedFrauds:
    """Return frauds and faults of every kind, as many orders of each.

    Args:
        frames: Rows of orders, order_items, payments and customers, all text.
        rate: Injected orders as a share of those that are there, above 0 to 0.5.
        seed: Equal seeds and rows give equal frauds.
        kinds: Which kinds.

    Raises:
        OlistError: The rate is out of bounds, or there are too few ordinary orders to copy.
    """
    if not 0 < rate <= 0.5:  # noqa: PLR2004 - the bounds that the message names
        raise OlistError(f"the rate of frauds is {rate}", "give a share above 0, up to 0.5")
    random = np.random.default_rng([seed, _STREAM])
    templates = _templates(frames)
    orders_of_a_kind = max(1, round(rate * len(frames["orders"]) / len(kinds)))
    plan: list[dict[str, object]] = []
    case = 0
    for kind in kinds:
        placed = 0
        while placed < orders_of_a_kind:
            orders = _CASES[kind](random)
            copied = _copied(random, templates, kind, len(orders))
            day = copied["day"][0]
            for order, template in zip(orders, copied["order_id"].to_list(), strict=True):
                plan.append(_planned(seed, (case, len(plan)), kind, order, (template, day)))
            placed += len(orders)
            case += 1
    return _rows(pl.DataFrame(plan, infer_schema_length=None), templates)


def inject_into_files(folder: Path, rate: float, seed: int) -> int:
    """Add frauds to the files of a data set, and write the truth beside them.

    Args:
        folder: The data set's folder.
        rate: Injected orders as a share of those that are there.
        seed: Equal seeds and files give equal frauds.

    Returns:
        The number of injected orders.

    Raises:
        OlistError: A file is missing or cannot be written, or frauds are there already.
    """
    if (folder / FRAUDS_FILE).exists():
        raise OlistError(
            f"{folder / FRAUDS_FILE}: these files hold frauds already", "generate them again"
        )
    paths = {name: folder / dataset_named(name).file_name for name in DATASETS}
    with os_errors_explained(folder):
        frames = {name: pl.read_csv(path, infer_schema=False) for name, path in paths.items()}
        injected = inject_frauds(frames, rate, seed)
        partial = []
        for name, path in paths.items():
            whole = pl.concat([frames[name], injected.rows[name]])
            partial.append((path.with_name(f".{path.name}.part"), path))
            whole.write_csv(partial[-1][0])
        partial.append((folder / f".{FRAUDS_FILE}.part", folder / FRAUDS_FILE))
        injected.truth.write_csv(partial[-1][0])
        for written, path in partial:
            written.replace(path)
    return len(injected.truth)


def _bust_out(random: np.random.Generator) -> list[_Order]:
    noon = 12 * _HOUR
    dear = [
        _Order(
            _DAY + noon + number * _HOUR,
            price=float(random.uniform(8, 16)),
            installments=int(random.integers(12, 21)),
        )
        for number in range(2)
    ]
    return [_Order(noon), _Order(noon + 5 * _HOUR), *dear]


def _card_testing(random: np.random.Generator) -> list[_Order]:
    start = int(random.integers(9, 22)) * _HOUR
    return [
        _Order(
            start + number * 600, price=0.2, payments=int(random.integers(5, 10)), installments=1
        )
        for number in range(4)
    ]


def _freight_abuse(random: np.random.Generator) -> list[_Order]:
    second = int(random.integers(9, 22)) * _HOUR
    return [_Order(second, price=0.3, freight=float(random.uniform(8, 25)))]


def _colluding_seller(random: np.random.Generator) -> list[_Order]:
    return [
        _Order(
            int(random.integers(9, 22)) * _HOUR + number,
            buyer=number,
            price=float(random.uniform(8, 14)),
            delivery_days=float(random.uniform(0.2, 0.6)),
        )
        for number in range(5)
    ]


def _value_spike(random: np.random.Generator) -> list[_Order]:
    return [_Order(int(random.integers(9, 22)) * _HOUR, price=float(random.uniform(15, 40)))]


def _midnight_burst(random: np.random.Generator) -> list[_Order]:
    return [
        _Order(
            int(random.integers(2 * _HOUR, 5 * _HOUR)),
            price=float(random.uniform(3, 8)),
        )
        for _ in range(5)
    ]


def _payment_mismatch(random: np.random.Generator) -> list[_Order]:
    second = int(random.integers(9, 22)) * _HOUR
    return [_Order(second, paid=float(random.choice([0.4, 0.6, 1.5, 2.5])))]


def _impossible_timestamps(random: np.random.Generator) -> list[_Order]:
    return [_Order(int(random.integers(9, 22)) * _HOUR, is_scrambled=True)]


_CASES: dict[FraudKind, Callable[[np.random.Generator], list[_Order]]] = {
    FraudKind.BUST_OUT: _bust_out,
    FraudKind.CARD_TESTING: _card_testing,
    FraudKind.FREIGHT_ABUSE: _freight_abuse,
    FraudKind.COLLUDING_SELLER: _colluding_seller,
    FraudKind.VALUE_SPIKE: _value_spike,
    FraudKind.MIDNIGHT_BURST: _midnight_burst,
    FraudKind.PAYMENT_MISMATCH: _payment_mismatch,
    FraudKind.IMPOSSIBLE_TIMESTAMPS: _impossible_timestamps,
}


def _templates(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the ordinary orders with all that is copied of them, in the order of identifiers."""
    orders, items, payments, customers = (
        frames[name].select(dataset_named(name).header).unique() for name in DATASETS
    )
    single_item = items.filter(pl.len().over("order_id") == 1)
    single_payment = payments.filter(pl.len().over("order_id") == 1)
    moments = [
        pl.col(name).str.to_datetime(_TIME_FORMAT, strict=False)
        for name in ("order_purchase_timestamp", *_EVENTS, "order_estimated_delivery_date")
    ]
    templates = (
        orders.filter((pl.col("order_status") == "delivered") & (pl.len().over("order_id") == 1))
        .with_columns(moments)
        .join(single_item, on="order_id")
        .join(single_payment, on="order_id")
        .join(customers.unique("customer_id", keep="none"), on="customer_id")
        .with_columns(pl.col("price", "freight_value").cast(pl.Float64, strict=False))
        .drop_nulls(["order_purchase_timestamp", *_EVENTS, "price", "freight_value"])
        .with_columns(day=pl.col("order_purchase_timestamp").dt.date())
        .sort("order_id")
    )
    if templates.is_empty():
        raise OlistError(
            "no ordinary order (delivered, one item, one payment) to make frauds of",
            "inject into more orders",
        )
    return templates


def _copied(
    random: np.random.Generator, templates: pl.DataFrame, kind: FraudKind, count: int
) -> pl.DataFrame:
    """Return the orders to copy for a case; a colluding seller's are all of that seller."""
    if kind is FraudKind.COLLUDING_SELLER:
        seller = templates["seller_id"][int(random.integers(len(templates)))]
        templates = templates.filter(pl.col("seller_id") == seller)
    chosen: list[int] = random.integers(len(templates), size=count).tolist()
    return templates.select(pl.all().gather(chosen))


def _planned(
    seed: int,
    numbers: tuple[int, int],
    kind: FraudKind,
    order: _Order,
    copied: tuple[str, object],
) -> dict[str, object]:
    case, number = numbers
    template, day = copied
    return {
        "template": template,
        "kind": kind.value,
        "case": case,
        "day": day,
        "second": order.second,
        "new_order_id": _identifier(seed, "order", number),
        "new_customer_id": _identifier(seed, "customer", number),
        "new_person_id": _identifier(seed, "person", case, order.buyer),
        "price_factor": order.price,
        "freight_factor": order.freight,
        "paid_factor": order.paid,
        "new_payments": order.payments,
        "new_installments": order.installments,
        "new_delivery_days": order.delivery_days,
        "is_scrambled": order.is_scrambled,
    }


def _identifier(*parts: object) -> str:
    text = ":".join(["fraud", *map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _rows(plan: pl.DataFrame, templates: pl.DataFrame) -> InjectedFrauds:
    moment = pl.col("plan_day").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("second"))
    purchased = pl.col("order_purchase_timestamp")
    copies = (
        plan.rename({"day": "plan_day"})
        .join(templates, left_on="template", right_on="order_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("new_installments").cast(pl.Int64),
            pl.col("new_delivery_days").cast(pl.Float64),
        )
        .with_columns(purchased_at=moment)
    )
    days = pl.col("new_delivery_days")
    carrier, delivered = "order_delivered_carrier_date", "order_delivered_customer_date"
    copies = copies.with_columns(
        *(pl.col(name) - purchased + pl.col("purchased_at") for name in _EVENTS),
        (
            (pl.col("order_estimated_delivery_date") - purchased + pl.col("purchased_at"))
            .dt.truncate("1d")
            .alias("order_estimated_delivery_date")
        ),
    ).with_columns(
        pl.when(days.is_null())
        .then(pl.col(carrier))
        .otherwise(
            pl.col("purchased_at") + (days * _DAY / 2).cast(pl.Int64) * pl.duration(seconds=1)
        )
        .alias(carrier),
        pl.when(days.is_null())
        .then(pl.col(delivered))
        .otherwise(pl.col("purchased_at") + (days * _DAY).cast(pl.Int64) * pl.duration(seconds=1))
        .alias(delivered),
    )
    copies = copies.with_columns(
        pl.when(days.is_null())
        .then(pl.col("order_approved_at"))
        .otherwise(pl.col("purchased_at"))
        .alias("order_approved_at"),
        pl.when(pl.col("is_scrambled"))
        .then(pl.col(delivered) + pl.duration(days=1))
        .otherwise(pl.col(carrier))
        .alias(carrier),
        price=(pl.col("price") * pl.col("price_factor")).round(2).clip(0.85, None),
        freight_value=(pl.col("freight_value") * pl.col("freight_factor")).round(2),
        order_purchase_timestamp=pl.col("purchased_at"),
        order_id=pl.col("new_order_id"),
        customer_id=pl.col("new_customer_id"),
        customer_unique_id=pl.col("new_person_id"),
        payment_installments=pl.coalesce(
            pl.col("new_installments").cast(pl.String), pl.col("payment_installments")
        ),
    )
    return InjectedFrauds(
        rows={
            "orders": _as_text(copies, "orders"),
            "order_items": _as_text(copies, "order_items"),
            "payments": _payments(copies),
            "customers": _as_text(copies, "customers"),
        },
        truth=copies.select("order_id", "kind", "case"),
    )


def _payments(copies: pl.DataFrame) -> pl.DataFrame:
    """Return the payments: the order's value, in as many parts of about equal size."""
    cents = ((pl.col("price") + pl.col("freight_value")) * pl.col("paid_factor") * 100).round(0)
    parts = copies.with_columns(
        cents=cents.cast(pl.Int64),
        payment_type=pl.when(
            (pl.col("new_payments") > 1) | pl.col("new_installments").is_not_null()
        )
        .then(pl.lit("credit_card"))
        .otherwise(pl.col("payment_type")),
        payment_sequential=pl.int_ranges(1, pl.col("new_payments") + 1),
    ).explode("payment_sequential")
    number, count = pl.col("payment_sequential"), pl.col("new_payments")
    amount = pl.col("cents") // count + (number <= pl.col("cents") % count).cast(pl.Int64)
    return _as_text(parts.with_columns(payment_value=(amount / 100).round(2)), "payments")


def _as_text(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    header = dataset_named(name).header
    written = [
        pl.col(column).dt.strftime(_TIME_FORMAT)
        if frame.schema[column].is_temporal()
        else pl.col(column).cast(pl.String)
        for column in header
    ]
    return frame.select(written)
