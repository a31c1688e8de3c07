"""How long something usually takes, by figures that a single odd run cannot move."""

from collections.abc import Sequence
from statistics import median

from olist_platform.monitoring.expectations import Expectations

# The median absolute deviation of a normal distribution times this is its standard deviation.
_MAD_TO_DEVIATION = 1.4826


def slowest_usual(history: Sequence[float], expectations: Expectations) -> float | None:
    """Return the longest duration that is still usual, or None if the history is too short.

    It is the median plus the largest of three: a number of robust standard deviations, so that
    what always varies may; a multiple of the median, so that what never varies may too; and some
    seconds, so that nobody is told of milliseconds.

    Args:
        history: Seconds of former runs, newest last.
        expectations: How many of them count, and the three.
    """
    runs = history[-expectations.run_history_runs :]
    if len(runs) < expectations.run_history_minimum_runs:
        return None
    middle = median(runs)
    scatter = _MAD_TO_DEVIATION * median(abs(run - middle) for run in runs)
    return middle + max(
        expectations.slow_run_deviations * scatter,
        (expectations.slow_run_factor - 1) * middle,
        expectations.slow_run_minimum_seconds,
    )
