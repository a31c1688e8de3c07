"""Bounds of a normal distribution, in standard deviations."""

Z_95 = 1.959963984540054
"""Half width of the central 95 % of a normal distribution, standard deviations."""

Z_95_ONE_SIDED = 1.6448536269514722
"""Beyond so many standard deviations a difference is worse than chance makes it once in twenty."""
