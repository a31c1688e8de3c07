"""Array types and the sampling that several processes share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def cumulative(weights: npt.ArrayLike) -> Floats:
    """Return cumulative probabilities of weights; the last is exactly 1."""
    total = np.cumsum(np.asarray(weights, dtype=np.float64))
    probabilities: Floats = total / total[-1]
    return probabilities


def draw_index(rng: np.random.Generator, probabilities: Floats, count: int) -> Integers:
    """Draw positions by their cumulative probabilities."""
    return np.searchsorted(probabilities, rng.random(count), side="right").astype(np.int64)


def draw_value(rng: np.random.Generator, shares: Mapping[int, float], count: int) -> Integers:
    """Draw keys of a table by their shares."""
    keys = np.array(list(shares), dtype=np.int64)
    return keys[draw_index(rng, cumulative(list(shares.values())), count)]


def draw_second_of_day(rng: np.random.Generator, by_hour: Sequence[float], count: int) -> Integers:
    """Draw seconds after midnight by a curve of 24 hours, uniform within the hour."""
    hour = draw_index(rng, cumulative(by_hour), count)
    return hour * 3600 + rng.integers(0, 3600, count)


def pick(rng: np.random.Generator, eligible: Flags, count: int) -> Integers:
    """Pick that many different positions among the eligible ones, or all where they are fewer."""
    positions = np.flatnonzero(eligible)
    chosen = rng.choice(positions, size=min(count, len(positions)), replace=False)
    return np.sort(chosen).astype(np.int64)


def within_groups(sizes: Integers) -> Integers:
    """Return the position of each row within its group: (2, 3) gives 0, 1, 0, 1, 2."""
    starts = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum()), dtype=np.int64) - np.repeat(starts, sizes)


def object_array(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    """Return Python objects as an array that can be indexed by arrays."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array
