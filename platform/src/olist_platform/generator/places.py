"""Zip prefixes: where customers and sellers live, and how far apart."""

from dataclasses import dataclass

import numpy as np

from olist_platform.generator.arrays import Flags, Floats, Integers, cumulative, draw_index
from olist_platform.generator.calibration import DIRT, PUBLISHED
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.reference_tables import Cities, cities
from olist_platform.generator.settings import GeneratorSettings

_EARTH_RADIUS_KM = 6_371.0
_SMALLEST_PREFIX_COUNT = 400
_SIZE_EXPONENT = 0.6
_LARGEST_SPREAD_DEGREES = 0.10
_EASTERNMOST_LONGITUDE = -34.84
"""The coast at Brazil's east; a prefix is on land."""


@dataclass(frozen=True, slots=True)
class Places:
    """The zip prefixes of a data set, one element a prefix.

    Attributes:
        prefix: First five digits of the CEP as a number.
        city: Row of the table of cities.
        latitude: Degrees of the prefix's centre.
        longitude: Degrees of the prefix's centre.
        customer_probabilities: Cumulative share of customers.
        seller_probabilities: Cumulative share of sellers.
        in_geolocation: Whether the geolocation file has the prefix.
    """

    prefix: Integers
    city: Integers
    latitude: Floats
    longitude: Floats
    customer_probabilities: Floats
    seller_probabilities: Floats
    in_geolocation: Flags

    def draw_customers(self, rng: np.random.Generator, count: int) -> Integers:
        """Draw the rows of customers' prefixes."""
        return draw_index(rng, self.customer_probabilities, count)

    def draw_sellers(self, rng: np.random.Generator, count: int) -> Integers:
        """Draw the rows of sellers' prefixes."""
        return draw_index(rng, self.seller_probabilities, count)

    def distance_km(self, origin: Integers, destination: Integers) -> Floats:
        """Return great-circle distances between prefixes, given by their rows."""
        latitude, longitude = np.radians(self.latitude), np.radians(self.longitude)
        half_chord = (
            np.sin((latitude[origin] - latitude[destination]) / 2) ** 2
            + np.cos(latitude[origin])
            * np.cos(latitude[destination])
            * np.sin((longitude[origin] - longitude[destination]) / 2) ** 2
        )
        distance: Floats = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(half_chord))
        return distance


def build_places(settings: GeneratorSettings) -> Places:
    """Return the zip prefixes: 19,015 at the published size, fewer for a smaller data set."""
    rng = random_for(settings.seed, Stream.PLACES)
    table = cities()
    count = _prefixes_by_city(settings, table)
    city = np.repeat(np.arange(len(table.name)), count)
    prefix = np.concatenate(
        [
            np.sort(rng.choice(np.arange(first, last + 1), size=size, replace=False))
            for first, last, size in zip(table.zip_first, table.zip_last, count, strict=True)
        ]
    )
    # A large city spreads further than a town.
    spread = np.clip(0.012 * np.log1p(table.customer_share[city] * 5_000), 0.01, None)
    spread = np.minimum(spread, _LARGEST_SPREAD_DEGREES)
    popularity = rng.lognormal(0.0, 0.8, len(city))
    within_city = popularity / np.bincount(city, popularity)[city]
    absent = rng.random(len(city)) < DIRT.zip_prefixes_without_geolocation_share
    return Places(
        prefix=prefix.astype(np.int64),
        city=city,
        latitude=table.latitude[city] + rng.normal(0.0, spread),
        longitude=np.minimum(
            table.longitude[city] + rng.normal(0.0, spread), _EASTERNMOST_LONGITUDE
        ),
        customer_probabilities=cumulative(table.customer_share[city] * within_city),
        seller_probabilities=cumulative(table.seller_share[city] * within_city),
        in_geolocation=~(absent & settings.dirt),
    )


def _prefixes_by_city(settings: GeneratorSettings, table: Cities) -> Integers:
    wanted = PUBLISHED.zip_prefixes * min(1.0, settings.size) ** _SIZE_EXPONENT
    wanted = max(wanted, _SMALLEST_PREFIX_COUNT)
    available = table.zip_last - table.zip_first + 1
    weight = table.customer_share**0.7
    # Cities with few CEPs are full at once; what they cannot take goes to the others.
    scale = wanted / weight.sum()
    for _ in range(8):
        count = np.clip(np.round(weight * scale), 1, available)
        scale *= wanted / count.sum()
    whole: Integers = np.clip(np.round(weight * scale), 1, available).astype(np.int64)
    return whole
