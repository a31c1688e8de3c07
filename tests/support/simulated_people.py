"""People drawn from the processes that the models assume, so that estimates have a truth."""

from datetime import date, timedelta

import numpy as np

from olist_platform.generator.people import draw_purchases
from olist_platform.generator.purchase_calendar import DAY, purchase_calendar
from olist_platform.generator.random_streams import Stream, random_for
from olist_platform.generator.settings import GeneratorSettings
from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.churn_model import ChurnExamples
from olist_platform.predictions.gamma_gamma import GammaGamma, OrderValues
from olist_platform.predictions.person_orders import PersonOrders


def buyers(model: BGNBD, observed_days: Floats, random: np.random.Generator) -> Histories:
    """People of the BG/NBD process, seen for so many days each, one order at a time."""
    people = len(observed_days)
    rate = np.maximum(random.gamma(model.r, 1 / model.alpha, people), 1e-300)
    stop = random.beta(model.a, model.b, people)
    repeats, last, day = np.zeros(people), np.zeros(people), np.zeros(people)
    going = np.ones(people, dtype=np.bool_)
    while going.any():
        day = np.where(going, day + random.standard_exponential(people) / rate, day)
        going &= day <= observed_days
        repeats += going
        last = np.where(going, day, last)
        going &= random.random(people) >= stop
    return Histories(repeats, last, observed_days, np.ones(people))


def spenders(
    model: GammaGamma, orders: int, people: int, random: np.random.Generator
) -> OrderValues:
    """People of the Gamma-Gamma process with so many orders each."""
    rate = random.gamma(model.q, 1 / model.gamma, people)
    person = np.repeat(np.arange(people), orders)
    return OrderValues(person, random.gamma(model.p, 1 / rate[person]))


def leavers(weights: dict[str, float], people: int, random: np.random.Generator) -> ChurnExamples:
    """People at one date whose churn follows a logistic regression."""
    features = tuple(name for name in weights if name != "intercept")
    matrix = random.normal(size=(people, len(features)))
    log_odds = weights["intercept"] + matrix @ np.array([weights[name] for name in features])
    return ChurnExamples(
        people=np.array([f"p{number}" for number in range(people)], dtype=np.object_),
        features=features,
        matrix=matrix,
        churned=random.random(people) < 1 / (1 + np.exp(-log_odds)),
        person=np.arange(people),
        reference_date=np.full(people, np.datetime64("2018-01-01")),
    )


def generated_orders(seed: int, orders: int) -> PersonOrders:
    """The purchases of a generated data set, each worth 100 BRL."""
    calendar = purchase_calendar(GeneratorSettings(seed=seed, orders=orders))
    drawn = draw_purchases(random_for(seed, Stream.PEOPLE), calendar, orders)
    last = calendar.last_trading_day
    known = drawn.second // DAY <= last
    second = drawn.second[known]
    _, person = np.unique(drawn.person[known], return_inverse=True)
    in_order = np.lexsort((second, person))
    second, person = second[in_order], person[in_order]
    people = int(person.max()) + 1
    day_number = second // DAY - last
    last_day = date(1970, 1, 1) + timedelta(days=last)
    return PersonOrders(
        people=tuple(map(str, range(people))),
        regions=("South",) * people,
        person=person,
        day=(second - (last + 1) * DAY) / DAY,
        day_number=day_number,
        value=np.full(len(person), 100.0),
        has_items=np.ones(len(person), dtype=np.bool_),
        margin=np.full(len(person), 20.0),
        last_day=last_day,
        first_day=last_day + timedelta(days=int(day_number.min())),
    )
