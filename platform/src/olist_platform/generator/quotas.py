"""Exact numbers of rare faults, whatever the chunks."""


def quota(count: int, of: int, before: int, rows: int) -> int:
    """Return how many of `count` faults per `of` rows fall into a chunk.

    The quotas of consecutive chunks sum to that of all of their rows, rounded.

    Args:
        count: Faults in `of` rows.
        of: Rows that have that many faults.
        before: Rows before the chunk.
        rows: Rows of the chunk.
    """
    return _rounded(count * (before + rows), of) - _rounded(count * before, of)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
