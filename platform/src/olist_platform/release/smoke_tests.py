"""Smoke tests of the marts that readers are about to get, against those that they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class MartFacts:
    """What is known of a published mart.

    Attributes:
        rows: How many it has.
        as_of_date: Reference date of its figures; None where it has no such column.
    """

    rows: int
    as_of_date: date | None


def smoke_faults(
    marts: Mapping[str, MartFacts],
    served: Mapping[str, MartFacts],
    wanted: tuple[str, ...],
    smallest_row_share: float,
) -> tuple[str, ...]:
    """Return what speaks against handing marts to their readers; empty when nothing does.

    dbt's tests have judged the rows by then. These judge what a test of a single mart cannot: that
    all are there, of one day, and that readers do not suddenly lose rows or days.

    Args:
        marts: What was built, by name.
        served: What readers have now; empty at first.
        wanted: The marts that the release publishes.
        smallest_row_share: Rows that a mart may come down to, as a share of those served.
    """
    faults = [f"{name} is not built" for name in wanted if name not in marts]
    faults += [f"{name} has no row" for name, facts in sorted(marts.items()) if not facts.rows]
    days = {facts.as_of_date for facts in marts.values() if facts.as_of_date is not None}
    if len(days) > 1:
        faults.append(f"the marts are of several days: {', '.join(map(str, sorted(days)))}")
    for name, facts in sorted(marts.items()):
        before = served.get(name)
        if before is None:
            continue
        if facts.rows and facts.rows < smallest_row_share * before.rows:
            faults.append(
                f"{name} has {facts.rows:,} rows, less than {smallest_row_share:.0%} of the"
                f" {before.rows:,} that readers have"
            )
        if facts.as_of_date and before.as_of_date and facts.as_of_date < before.as_of_date:
            faults.append(
                f"{name} is of {facts.as_of_date}, older than the {before.as_of_date} that"
                " readers have"
            )
    return tuple(faults)
