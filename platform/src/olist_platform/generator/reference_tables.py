"""The calibration tables by state, city, category and card value, as arrays."""

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from olist_platform.generator.arrays import Floats, Integers

_FOLDER = Path(__file__).with_name("calibration_tables")


@dataclass(frozen=True, slots=True)
class Cities:
    """Cities of Brazil with customers or sellers; shares over the whole country sum to 1.

    Attributes:
        state: Two-letter state of each city.
        name: Official name, with accents.
        latitude: Degrees of the centre.
        longitude: Degrees of the centre.
        zip_first: First five digits of the lowest CEP of the city.
        zip_last: First five digits of its highest.
        customer_share: Share of the country's customers.
        seller_share: Share of the country's sellers.
    """

    state: tuple[str, ...]
    name: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    zip_first: Integers
    zip_last: Integers
    customer_share: Floats
    seller_share: Floats


@dataclass(frozen=True, slots=True)
class Categories:
    """Product categories; weights in g, volumes in cm3, prices in BRL, logs natural.

    Attributes:
        translated: Whether the real translation file has the category.
    """

    name: tuple[str, ...]
    english: tuple[str, ...]
    translated: tuple[bool, ...]
    product_share: Floats
    item_share: Floats
    log_price_mean: Floats
    log_price_sigma: Floats
    log_weight_mean: Floats
    log_weight_sigma: Floats
    log_volume_mean: Floats
    log_volume_sigma: Floats


def plain(text: str) -> str:
    """Spell a name as Olist does: lower case, without accents."""
    decomposed = unicodedata.normalize("NFD", text)
    return decomposed.encode("ascii", "ignore").decode().lower()


@cache
def cities() -> Cities:
    """Return the cities with shares of the whole country."""
    rows = _rows("cities.csv")
    states = {row["state"]: row for row in _rows("states.csv")}

    def country_share(kind: str) -> Floats:
        within = np.array([float(row[f"{kind}_share"]) for row in rows])
        state = np.array([row["state"] for row in rows])
        share = np.zeros(len(rows))
        for code, values in states.items():
            mine = state == code
            share[mine] = within[mine] / within[mine].sum() * float(values[f"{kind}_share"])
        normalised: Floats = share / share.sum()
        return normalised

    return Cities(
        state=tuple(row["state"] for row in rows),
        name=tuple(row["city"] for row in rows),
        latitude=_floats(rows, "latitude"),
        longitude=_floats(rows, "longitude"),
        zip_first=np.array([int(row["zip_first"]) for row in rows]),
        zip_last=np.array([int(row["zip_last"]) for row in rows]),
        customer_share=country_share("customer"),
        seller_share=country_share("seller"),
    )


@cache
def categories() -> Categories:
    """Return the categories."""
    rows = _rows("categories.csv")
    product_share = _floats(rows, "product_share")
    item_share = _floats(rows, "item_share")
    return Categories(
        name=tuple(row["category"] for row in rows),
        english=tuple(row["english"] for row in rows),
        translated=tuple(row["translated"] == "yes" for row in rows),
        product_share=product_share / product_share.sum(),
        item_share=item_share / item_share.sum(),
        log_price_mean=_floats(rows, "log_price_mean"),
        log_price_sigma=_floats(rows, "log_price_sigma"),
        log_weight_mean=_floats(rows, "log_weight_mean"),
        log_weight_sigma=_floats(rows, "log_weight_sigma"),
        log_volume_mean=_floats(rows, "log_volume_mean"),
        log_volume_sigma=_floats(rows, "log_volume_sigma"),
    )


@cache
def installments() -> tuple[Floats, tuple[dict[int, float], ...]]:
    """Return the upper ends of bands of card value, BRL, and each band's installments by share.

    The last band is open.
    """
    rows = _rows("installments.csv")
    ends = [float(row["card_value_below"]) for row in rows[:-1]]
    shares = tuple(
        {int(number): float(share) for number, share in list(row.items())[1:]} for row in rows
    )
    return np.array(ends), shares


def _rows(file_name: str) -> list[dict[str, str]]:
    with (_FOLDER / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _floats(rows: list[dict[str, str]], column: str) -> Floats:
    return np.array([float(row[column]) for row in rows])
