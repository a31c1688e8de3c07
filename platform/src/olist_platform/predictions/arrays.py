"""Arrays of numbers, and sums of them by group."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]


def sums_by(group: Integers, values: Floats | Booleans, groups: int) -> Floats:
    """Return the sum of the values of each group, numbered from 0."""
    sums = np.bincount(group, np.asarray(values, dtype=np.float64), minlength=groups)
    return np.asarray(sums, dtype=np.float64)


def counts_by(group: Integers, groups: int = 0) -> Floats:
    """Return how many elements each group has; up to the last group that has any, or so many."""
    return np.bincount(group, minlength=groups).astype(np.float64)
