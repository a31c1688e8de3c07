"""What a user chooses about a generated data set."""

from dataclasses import dataclass
from datetime import date

from olist_platform.errors import OlistError
from olist_platform.generator.calibration import PUBLISHED

_EARLIEST = date(1970, 1, 1)
_LATEST = date(2200, 1, 1)
_MOST_ORDERS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """The seed, size, date range and cleanliness of a generated data set.

    Equal settings give byte-identical files.

    Attributes:
        seed: Any integer from 0 on; another seed gives another data set.
        orders: Exact number of orders, at least 1.
        start: First day of purchases, São Paulo wall clock.
        end: Last day of purchases; approvals, deliveries and reviews may be later.
        dirt: Whether the faults of the real files are reproduced, at their real rates.
    """

    seed: int = 42
    orders: int = PUBLISHED.orders
    start: date = PUBLISHED.first_day
    end: date = PUBLISHED.last_day
    dirt: bool = True

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            OlistError: A setting is out of its range.
        """
        if self.seed < 0:
            raise OlistError(f"the seed is {self.seed}", "give an integer from 0 on")
        if not 1 <= self.orders <= _MOST_ORDERS:
            raise OlistError(
                f"the number of orders is {self.orders}", f"give 1 to {_MOST_ORDERS:,} orders"
            )
        if self.start >= self.end:
            raise OlistError(
                f"the date range ends on {self.end}, not after its start {self.start}",
                "give an end after the start",
            )
        if self.start < _EARLIEST or self.end > _LATEST:
            raise OlistError(
                f"the date range {self.start} to {self.end} is too wide",
                f"stay between {_EARLIEST} and {_LATEST}",
            )

    @property
    def size(self) -> float:
        """Orders relative to the published data set: 1.0 for 99,441 orders."""
        return self.orders / PUBLISHED.orders

    @property
    def has_published_range(self) -> bool:
        """Whether the dates are those of the published data set."""
        return (self.start, self.end) == (PUBLISHED.first_day, PUBLISHED.last_day)
