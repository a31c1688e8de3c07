"""Back-test of purchases, spend and lifetime value: fitted before a hold-out, judged in it."""

from dataclasses import dataclass

import numpy as np

from olist_platform.predictions import bg_nbd, gamma_gamma
from olist_platform.predictions.arrays import Floats, sums_by
from olist_platform.predictions.backtest.figures import Area, Figure, judged, too_thin
from olist_platform.predictions.bg_nbd import BGNBD
from olist_platform.predictions.hold_out import hold_out_start
from olist_platform.predictions.lifetime_value import (
    TAIL,
    Futures,
    LifetimeValueModel,
    LifetimeValues,
)
from olist_platform.predictions.model_fit import ModelFit
from olist_platform.predictions.normal_distribution import Z_95, Z_95_ONE_SIDED
from olist_platform.predictions.person_orders import PeopleThen, PersonOrders

_SEED = 20180829
_DRAWS = 500
_GROUP_PEOPLE = 500
# Shares of the groups of one division vary by points by chance alone; those of twenty hardly do.
_DIVISIONS = 20
_COVERAGE, _TOLERANCE = 0.95, 0.02
_TOTAL_TOLERANCE = 0.10
_AREA = Area.LIFETIME_VALUE


@dataclass(frozen=True, slots=True)
class NumberOfOrders:
    """How many people were expected to place a number of orders in the hold-out, and did.

    Attributes:
        orders: The number; the last one stands for it and more.
        expected: People expected.
        observed: People who did.
    """

    orders: int
    expected: float
    observed: int


@dataclass(frozen=True, slots=True)
class LifetimeValueBacktest:
    """What the back-test found.

    Attributes:
        figures: Its figures.
        numbers: Expected and observed numbers of orders.
        by_region: Region, and predicted and actual margin of its people, BRL.
    """

    figures: tuple[Figure, ...]
    numbers: tuple[NumberOfOrders, ...] = ()
    by_region: tuple[tuple[str, float, float], ...] = ()


def backtest_lifetime_value(
    orders: PersonOrders, margin_rate: float, minimum_events: int
) -> LifetimeValueBacktest:
    """Return the figures of lifetime value in the hold-out, a year or the longest possible.

    Args:
        orders: Valid orders of people.
        margin_rate: Contribution margin as a share of gross order value.
        minimum_events: Fewest repeat buyers before the hold-out, and buyers in it.
    """
    start = hold_out_start(orders)
    days = float((orders.last_day - start).days)
    people = orders.seen_at(start)
    bought, margin = orders.bought_between(start, orders.last_day, people.person)
    learnable = int((people.histories.repeats > 0).sum())
    purchases = bg_nbd.fit(people.histories)
    spend = gamma_gamma.fit(orders.values_until(start))
    fault = purchases.fault or spend.fault
    events = min(learnable, int((bought > 0).sum()))
    if fault is not None or events < minimum_events:
        why = fault or f"{events} people bought again, {minimum_events} are needed"
        return LifetimeValueBacktest((too_thin(_AREA, "every figure", why),))
    model = LifetimeValueModel(BGNBD(*purchases.values.tolist()), spend.model, margin_rate)
    values = model.predict(people, days)
    figures = [
        *_totals(people, values, (bought, margin), days),
        *_coverage(model, people, values, margin, orders.values_until(start).value),
    ]
    return LifetimeValueBacktest(
        tuple(figures), _numbers(values, bought), _by_region(orders, people, values, margin)
    )


def parameter_figures(fit: ModelFit, area: Area) -> list[Figure]:
    """Return the log score of a fit beside its baselines."""
    if fit.fault is not None or not np.isfinite(fit.score):
        return [too_thin(area, "hold-out log score", fit.fault or "nothing to judge by")]
    lines = []
    if fit.incumbent_score is not None:
        holds = fit.score >= fit.incumbent_score - Z_95_ONE_SIDED * fit.score_difference_error
        lines.append(
            Figure(
                area,
                "hold-out log score",
                fit.score,
                "version that scores",
                fit.incumbent_score,
                "no worse beyond chance",
                judged(holds),
            )
        )
    if "lognormal_log_score" in fit.metrics:
        lines.append(
            Figure(
                area,
                "hold-out log score of an order's value",
                fit.score,
                "log-normal, all alike",
                fit.metrics["lognormal_log_score"],
            )
        )
    return lines


def _totals(
    people: PeopleThen,
    values: LifetimeValues,
    actual: tuple[Floats, Floats],
    days: float,
) -> list[Figure]:
    bought, margin = actual
    naive_orders, naive_margin = _naive(people, days)
    predicted = float(values.expected_margin.sum())
    ratio = predicted / float(margin.sum())
    orders_ratio = float(values.expected_orders.sum()) / float(bought.sum())
    error = float(np.abs(values.expected_margin - margin).mean())
    naive_error = float(np.abs(naive_margin - margin).mean())
    span = f"{days:.0f} days"

    def wanted(actual: Floats) -> str:
        # A sum of few: it varies by the root of the sum of their squares.
        chance = Z_95 * float(np.sqrt((actual**2).sum()) / actual.sum())
        return f"within 10 %; chance of so few buyers alone is {chance:.0%} either way"

    return [
        Figure(
            Area.PURCHASES,
            f"expected / actual orders, hold-out of {span}",
            orders_ratio,
            "everybody at the average rate",
            float(naive_orders.sum()) / float(bought.sum()),
            wanted(bought),
            judged(abs(orders_ratio - 1) <= _TOTAL_TOLERANCE),
        ),
        Figure(
            _AREA,
            f"predicted / actual margin, hold-out of {span}",
            ratio,
            "everybody at the average rate",
            float(naive_margin.sum()) / float(margin.sum()),
            wanted(margin),
            judged(abs(ratio - 1) <= _TOTAL_TOLERANCE),
        ),
        Figure(
            _AREA,
            "mean absolute error of a person's margin, BRL",
            error,
            "everybody at the average rate",
            naive_error,
            "below it",
            judged(error < naive_error),
        ),
    ]


def _naive(people: PeopleThen, days: float) -> tuple[Floats, Floats]:
    """Return orders and margin of everybody at the average rate so far."""
    repeats, observed = people.histories.repeats, people.histories.observed_days
    per_day = float(repeats.sum() / observed.sum())
    per_order = float(people.margin.sum() / (repeats.sum() + len(repeats)))
    orders = np.full(len(repeats), per_day * days)
    return orders, orders * per_order


def _coverage(
    model: LifetimeValueModel,
    people: PeopleThen,
    values: LifetimeValues,
    margin: Floats,
    paid: Floats,
) -> list[Figure]:
    """Return how often intervals hold what happened.

    Nearly everybody leaves nothing, and an interval from 0 holds all of them: a 95 % interval of a
    person covers more than 95 %, and the model says how much more. That is what person by person
    is held against; 95 % itself is where nothing is discrete: by the randomised probability
    integral transform (Czado, Gneiting and Held, 2009), in which a point mass counts by its parts,
    and by totals of groups of people, drawn by lot again and again. A total feels the tail of order
    values, which Gamma-Gamma has too light: it is also drawn with the values that were paid.
    """
    random = np.random.default_rng(_SEED)
    inside = float(((margin >= values.lower_95) & (margin <= values.upper_95)).mean())
    expected = float(model.interval_probability(people, values).mean())
    level = random.random(len(margin)) * (1 - values.at_least[0])
    some = margin > 0
    level[some] = model.distribution(margin[some], people.of(some), values.of(some))
    transformed = float(((level >= TAIL) & (level <= 1 - TAIL)).mean())
    figures = [
        Figure(
            _AREA,
            "coverage of the 95 % interval, person by person",
            inside,
            "expected by the model: most leave 0",
            expected,
            "within 2 points",
            judged(abs(inside - expected) <= _TOLERANCE),
        ),
        Figure(
            _AREA,
            "coverage of the 95 % interval, randomised",
            transformed,
            "nominal",
            _COVERAGE,
            "within 2 points",
            judged(abs(transformed - _COVERAGE) <= _TOLERANCE),
        ),
    ]
    groups = len(margin) // _GROUP_PEOPLE
    if groups >= 2:  # noqa: PLR2004 - one group says nothing
        name = f"coverage of the 95 % interval, totals of {_GROUP_PEOPLE} people"
        light, covered = (
            _group_coverage(
                model.draw_futures(people, values, _DRAWS, random, each), margin, random
            )
            for each in (None, paid)
        )
        figures += [
            Figure(
                _AREA,
                name,
                covered,
                "nominal",
                _COVERAGE,
                f"within 2 points ({groups} groups, divided {_DIVISIONS} times)",
                judged(abs(covered - _COVERAGE) <= _TOLERANCE),
            ),
            Figure(
                _AREA,
                f"{name}, values by Gamma-Gamma alone",
                light,
                "nominal",
                _COVERAGE,
                "below it: the model's tail of order values is light",
            ),
        ]
    return figures


def _group_coverage(futures: Futures, margin: Floats, random: np.random.Generator) -> float:
    groups = len(margin) // _GROUP_PEOPLE
    covered = []
    for _ in range(_DIVISIONS):
        group = np.full(len(margin), -1, dtype=np.int64)
        chosen = random.permutation(len(margin))[: groups * _GROUP_PEOPLE]
        group[chosen] = np.arange(len(chosen)) // _GROUP_PEOPLE
        actual = sums_by(group[chosen], margin[chosen], groups)
        lower, upper = np.quantile(futures.totals(group, groups), [TAIL, 1 - TAIL], axis=0)
        covered.append(float(((actual >= lower) & (actual <= upper)).mean()))
    return float(np.mean(covered))


def _numbers(values: LifetimeValues, bought: Floats) -> tuple[NumberOfOrders, ...]:
    most = 4
    at_least = np.vstack([np.ones(len(bought)), values.at_least, np.zeros((most, len(bought)))])
    found = []
    for orders in range(most):
        is_last = orders == most - 1
        more = 0.0 if is_last else float(at_least[orders + 1].sum())
        observed = (bought >= orders) if is_last else (bought == orders)
        found.append(
            NumberOfOrders(orders, float(at_least[orders].sum()) - more, int(observed.sum()))
        )
    return tuple(found)


def _by_region(
    orders: PersonOrders, people: PeopleThen, values: LifetimeValues, margin: Floats
) -> tuple[tuple[str, float, float], ...]:
    regions = np.array(orders.regions)[people.person]
    return tuple(
        (
            region,
            float(values.expected_margin[regions == region].sum()),
            float(margin[regions == region].sum()),
        )
        for region in sorted(set(regions.tolist()))
    )
