"""Independent random streams: one for each process and chunk, all from one seed.

A stream never depends on how much another one was used, so a change of one process leaves the
others' draws as they were, and chunks could be made in any order.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream is for. The numbers are part of the generated data: never renumber them."""

    IDENTIFIERS = 0
    PLACES = 1
    SELLERS = 2
    PRODUCTS = 3
    GEOLOCATION = 4
    PEOPLE = 5
    BASKETS = 6
    PAYMENTS = 7
    TIMELINES = 8
    REVIEWS = 9
    COMMENTS = 10
    DIRT = 11
    ORDER_VALUES = 12


def sequence_for(seed: int, stream: Stream, chunk: int = 0) -> np.random.SeedSequence:
    """Return the seed of a stream: the child of the seed that `spawn` would give."""
    return np.random.SeedSequence(seed, spawn_key=(int(stream), chunk))


def random_for(seed: int, stream: Stream, chunk: int = 0) -> np.random.Generator:
    """Return the random numbers of a stream."""
    return np.random.Generator(np.random.PCG64(sequence_for(seed, stream, chunk)))
