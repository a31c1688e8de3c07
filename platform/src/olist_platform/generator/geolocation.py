"""The geolocation file: many points a prefix, a quarter of them exact copies."""

import numpy as np
import polars as pl

from olist_platform.generator.arrays import cumulative, draw_index, pick
from olist_platform.generator.calibration import DIRT, PUBLISHED
from olist_platform.generator.city_spellings import odd_spelling
from olist_platform.generator.identifiers import zip_text
from olist_platform.generator.places import Places
from olist_platform.generator.quotas import quota
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.reference_tables import cities, plain
from olist_platform.generator.settings import GeneratorSettings

CHUNK_ROWS = 250_000
"""Rows made at a time; memory is bounded by it. A change of it changes the generated data."""

_ROWS_PER_PREFIX_AT_LEAST = 6
_POINT_SPREAD_DEGREES = 0.006
_DECIMALS = 8
"""Digits that no machine's rounding changes; the real file has up to 15, about a millimetre."""

_ABROAD = (
    (38.72, -9.14),
    (42.24, 12.51),
    (28.01, -15.54),
    (45.07, 9.34),
    (-34.59, -58.73),
    (14.59, 121.11),
    (41.61, -8.41),
    (25.99, -98.08),
)
"""Degrees of places abroad that namesakes of Brazilian streets resolve to."""


def geolocation_row_count(settings: GeneratorSettings, places: Places) -> int:
    """Return the rows of the file: 1,000,163 from the published size on, fewer below it."""
    rows = round(PUBLISHED.geolocation_rows * min(1.0, settings.size))
    return max(rows, _ROWS_PER_PREFIX_AT_LEAST * len(places.prefix))


def geolocation_chunk(
    settings: GeneratorSettings, places: Places, first_row: int, rows: int
) -> pl.DataFrame:
    """Return consecutive rows of the file.

    Args:
        settings: Settings of the data set.
        places: Its zip prefixes.
        first_row: Rows before the chunk; a multiple of the chunk's size.
        rows: Rows of the chunk.
    """
    rng = random_for(settings.seed, Stream.GEOLOCATION, first_row // CHUNK_ROWS)
    copies = round(rows * DIRT.geolocation_duplicate_share) if settings.dirt else 0
    points = rows - copies
    listed = np.flatnonzero(places.in_geolocation)
    # Every listed prefix has a point before any gets its second one.
    place = listed[draw_index(rng, cumulative(1 / (1 + np.arange(len(listed)) % 40)), points)]
    turn = np.arange(first_row, first_row + points)
    place = np.where(turn < len(listed), listed[turn % len(listed)], place)
    latitude = places.latitude[place] + rng.normal(0.0, _POINT_SPREAD_DEGREES, points)
    longitude = places.longitude[place] + rng.normal(0.0, _POINT_SPREAD_DEGREES, points)
    if settings.dirt:
        abroad = pick(
            rng,
            np.ones(points, dtype=np.bool_),
            quota(
                DIRT.geolocation_points_abroad_count, PUBLISHED.geolocation_rows, first_row, rows
            ),
        )
        where = np.array(_ABROAD)[rng.integers(0, len(_ABROAD), len(abroad))]
        latitude[abroad] = where[:, 0] + rng.normal(0.0, 0.2, len(abroad))
        longitude[abroad] = where[:, 1] + rng.normal(0.0, 0.2, len(abroad))
    city = _city_names(rng, places.city[place], dirt=settings.dirt)
    frame = pl.DataFrame(
        {
            "geolocation_zip_code_prefix": zip_text(places.prefix[place]),
            "geolocation_lat": np.round(latitude, _DECIMALS),
            "geolocation_lng": np.round(longitude, _DECIMALS),
            "geolocation_city": city,
            "geolocation_state": pl.Series(cities().state).gather(places.city[place]),
        }
    )
    source = np.concatenate([np.arange(points), rng.integers(0, points, copies)])
    return frame[source[rng.permutation(rows)]]


def _city_names(rng: np.random.Generator, city: np.ndarray, *, dirt: bool) -> pl.Series:
    table = cities()
    plain_names = [plain(name) for name in table.name]
    # Names follow one another: plain, accented, then odd spellings, each in the table's order.
    names = pl.Series(
        plain_names
        + [name.lower() for name in table.name]
        + [
            odd_spelling(name, state, variant=row)
            for row, (name, state) in enumerate(zip(table.name, table.state, strict=True))
        ]
    )
    fate = rng.random(len(city))
    odd = fate < DIRT.geolocation_odd_spelling_share
    accented = fate < DIRT.geolocation_accent_share
    spelling = np.where(odd, 2, np.where(accented, 1, 0)) if dirt else np.zeros(len(city), int)
    return names.gather(spelling * len(table.name) + city)
