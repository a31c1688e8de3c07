"""Identifiers: 32 hexadecimal characters that look random and never collide within a kind."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from olist_platform.generator.arrays import Integers
from olist_platform.generator.random_streams import Stream, sequence_for

_TWO_DIGITS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="S2")


class IdentifierKind(IntEnum):
    """What an identifier identifies. The numbers are part of the generated data."""

    ORDER = 0
    CUSTOMER = 1
    PERSON = 2
    PRODUCT = 3
    SELLER = 4
    REVIEW = 5


def identifiers(seed: int, kind: IdentifierKind, counters: Integers) -> pl.Series:
    """Return the identifiers of counters; different counters have different ones.

    Args:
        seed: Seed of the data set.
        kind: What they identify; kinds do not share identifiers.
        counters: Running numbers from 0.
    """
    keys = sequence_for(seed, Stream.IDENTIFIERS, int(kind)).generate_state(2, np.uint64)
    # The first half alone is unique: the mixing is a bijection of 64 bits.
    first = _mix(counters.astype(np.uint64) + keys[0])
    second = _mix(first ^ keys[1])
    raw = np.column_stack([first, second]).astype("<u8").view(np.uint8)
    return text_series(_TWO_DIGITS[raw].view(np.uint8).reshape(len(counters), 32))


def text_series(characters: npt.NDArray[np.uint8]) -> pl.Series:
    """Return ASCII text of fixed width, one row of characters per value, without copying."""
    count, width = characters.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    array = pa.Array.from_buffers(
        pa.large_string(),
        count,
        [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))],
    )
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)  # noqa: S101 - narrows the type; an array gives one
    return series


def zip_text(prefixes: Integers) -> pl.Series:
    """Return zip prefixes as text of five characters with leading zeros."""
    powers = np.array([10_000, 1_000, 100, 10, 1], dtype=np.int64)
    digits = prefixes[:, None] // powers % 10 + ord("0")
    return text_series(digits.astype(np.uint8))


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64 bits one to one (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
