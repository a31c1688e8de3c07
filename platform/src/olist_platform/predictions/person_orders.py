"""Valid orders of people, and what the purchase and spend models see of them at a day."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from olist_platform.predictions.arrays import Booleans, Floats, Integers, counts_by, sums_by
from olist_platform.predictions.bg_nbd import Histories
from olist_platform.predictions.gamma_gamma import OrderValues


@dataclass(frozen=True, slots=True)
class PeopleThen:
    """The people who had a valid order by a day, and what was known of them at its end.

    Attributes:
        person: Their numbers among all people.
        histories: What BG/NBD knows; time in days, with fractions.
        valued_orders: Orders with an item.
        spent: Gross order value so far, BRL.
        margin: Contribution margin so far, BRL.
        last_date: Local date of the latest order, on the scale of `PersonOrders.day_number`.
    """

    person: Integers
    histories: Histories
    valued_orders: Floats
    spent: Floats
    margin: Floats
    last_date: Integers

    def of(self, chosen: Booleans) -> "PeopleThen":
        """Return some of the people."""
        histories = self.histories
        return PeopleThen(
            person=self.person[chosen],
            histories=Histories(
                histories.repeats[chosen],
                histories.active_days[chosen],
                histories.observed_days[chosen],
                histories.weights[chosen],
            ),
            valued_orders=self.valued_orders[chosen],
            spent=self.spent[chosen],
            margin=self.margin[chosen],
            last_date=self.last_date[chosen],
        )


@dataclass(frozen=True, slots=True)
class PersonOrders:
    """Valid orders, one element an order; those of a person follow one another in time.

    Attributes:
        people: Identifiers of the people, by number.
        regions: Region of each person's latest order, by number.
        person: Number of the person.
        day: Moment of the purchase, days with fractions from the end of observation; below 0.
        day_number: Local date of the purchase, whole days from the last day; 0 and below.
        value: Gross order value, BRL.
        has_items: Whether it has an item: without one its value is 0 and no sign of spending.
        margin: Contribution margin, BRL.
        last_day: Last day of the observation.
        first_day: Day of the first order.
    """

    people: tuple[str, ...]
    regions: tuple[str, ...]
    person: Integers
    day: Floats
    day_number: Integers
    value: Floats
    has_items: Booleans
    margin: Floats
    last_day: date
    first_day: date

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "PersonOrders":
        """Return the orders of the analysis' rows, which are sorted by person and time."""
        seconds = pl.col("purchased_at") - pl.col("observed_until")
        last = frame.group_by("customer_unique_id", maintain_order=True).last()
        return cls(
            people=tuple(last["customer_unique_id"].to_list()),
            regions=tuple(last["region"].to_list()),
            person=(frame["customer_unique_id"].rle_id()).cast(pl.Int64).to_numpy(),
            day=frame.select(seconds.dt.total_seconds() / 86400).to_series().to_numpy(),
            day_number=frame.select(
                (pl.col("purchase_date") - pl.col("observation_end")).dt.total_days()
            )
            .to_series()
            .to_numpy(),
            value=frame["order_value"].cast(pl.Float64).to_numpy(),
            has_items=frame["has_items"].cast(pl.Boolean).to_numpy(),
            margin=frame["contribution_margin"].cast(pl.Float64).to_numpy(),
            last_day=frame["observation_end"][0],
            first_day=frame["purchase_date"].min(),  # type: ignore[arg-type]
        )

    def days_from_last(self, day: date) -> int:
        """Return a day on the scale of `day_number`."""
        return (day - self.last_day).days

    @property
    def observed_days(self) -> int:
        """Days from the first order to the end of observation, both inside."""
        return (self.last_day - self.first_day).days + 1

    def seen_at(self, day: date) -> PeopleThen:
        """Return who was known at the end of a day, and how."""
        until = float(self.days_from_last(day))
        known = self.day_number <= self.days_from_last(day)
        person = self.person[known]
        count = counts_by(person, len(self.people))
        numbers = np.flatnonzero(count)
        counts = count[numbers].astype(np.int64)
        starts = np.cumsum(counts) - counts
        days = self.day[known]
        first, last = days[starts], days[starts + counts - 1]
        # Where clocks were put forward or back between the two, a day ends an hour apart.
        until = np.maximum(until, last)
        return PeopleThen(
            person=numbers,
            histories=Histories(
                repeats=count[numbers] - 1.0,
                active_days=last - first,
                observed_days=until - first,
                weights=np.ones(len(numbers)),
            ),
            valued_orders=self._sums(self.has_items, known, numbers),
            spent=self._sums(self.value, known, numbers),
            margin=self._sums(self.margin, known, numbers),
            last_date=self.day_number[known][starts + counts - 1],
        )

    def bought_between(self, after: date, until: date, numbers: Integers) -> tuple[Floats, Floats]:
        """Return orders and contribution margin of some people after a day and until another."""
        inside = (self.day_number > self.days_from_last(after)) & (
            self.day_number <= self.days_from_last(until)
        )
        orders = np.ones(len(self.day), dtype=np.bool_)
        return self._sums(orders, inside, numbers), self._sums(self.margin, inside, numbers)

    def values_until(self, day: date) -> OrderValues:
        """Return the orders of a value that were placed by the end of a day."""
        chosen = (self.day_number <= self.days_from_last(day)) & self.has_items & (self.value > 0)
        return OrderValues(self.person[chosen], self.value[chosen])

    def _sums(self, values: Floats | Booleans, chosen: Booleans, numbers: Integers) -> Floats:
        sums = sums_by(self.person[chosen], values[chosen], len(self.people))
        return sums[numbers]
