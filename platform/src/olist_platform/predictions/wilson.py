"""Wilson's score interval of a share (1927), which holds for few observations too."""

import math

from olist_platform.predictions.normal_distribution import Z_95


def wilson_interval(successes: float, trials: float, z: float = Z_95) -> tuple[float, float]:
    """Return the bounds of a share, 0 to 1.

    Args:
        successes: Observations that count, 0 to `trials`.
        trials: All observations; none at all bounds nothing: 0 and 1.
        z: Half width in standard deviations of a normal distribution; 95 % unless told.

    Raises:
        ValueError: There are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    denominator = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / denominator
    half = z / denominator * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == trials else min(1.0, centre + half)
    return lower, upper
