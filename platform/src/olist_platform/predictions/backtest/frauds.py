"""Back-test of anomaly signals and fraud rules: injected frauds at several rates, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from olist_platform.environment import Environment
from olist_platform.generator.frauds import DATASETS, FraudKind, inject_frauds
from olist_platform.predictions.backtest.figures import Area, Figure, Outcome, judged
from olist_platform.predictions.changed_raw import detected, open_changed_raw
from olist_platform.predictions.compiled_sql import Nodes
from olist_platform.predictions.wilson import wilson_interval

_AREA = Area.ANOMALIES
RATES = (0.002, 0.01, 0.05)
"""Injected orders as shares of all orders."""
DETECTION_NODES = ("+mart_fraud_monitoring",)
"""What dbt has to compile for it."""
_SEED = 7
_FAULTS = (FraudKind.PAYMENT_MISMATCH, FraudKind.IMPOSSIBLE_TIMESTAMPS)


class FoundBy(StrEnum):
    """What has to find a kind.

    An alert is for somebody to look whether it is a fraud. A fault of a record is none: that it is
    there, an anomaly has to say.
    """

    ALERT = "alert"
    ANOMALY = "anomaly"


@dataclass(frozen=True, slots=True)
class KindBacktest:
    """How one kind was found at one rate.

    Attributes:
        kind: The kind.
        rate: Rate of all kinds together.
        found_by: What has to find it.
        orders: Injected orders.
        cases: Cases that they belong to.
        precision: Share of it among what that found of it and of honest orders.
        alert_recall: Share of the orders that fraud rules alert of.
        anomaly_recall: Share that is an anomaly.
        case_recall: Share of the cases that were found.
        lower_95: Lower bound of the share of cases (Wilson).
        upper_95: Upper bound.
    """

    kind: FraudKind
    rate: float
    found_by: FoundBy
    orders: int
    cases: int
    precision: float
    alert_recall: float
    anomaly_recall: float
    case_recall: float
    lower_95: float
    upper_95: float


@dataclass(frozen=True, slots=True)
class RegionAlerts:
    """How often honest orders of a region's customers are alerted of.

    Attributes:
        region: The region.
        orders: Honest orders.
        alerted: Share of them with an alert.
        lower_95: Lower bound of that share (Wilson).
        upper_95: Upper bound.
    """

    region: str
    orders: int
    alerted: float
    lower_95: float
    upper_95: float


@dataclass(frozen=True, slots=True)
class FraudBacktest:
    """What the back-test found.

    Attributes:
        figures: Its figures.
        kinds: By kind and rate.
        regions: Honest orders by region, at the lowest rate.
    """

    figures: tuple[Figure, ...]
    kinds: tuple[KindBacktest, ...] = ()
    regions: tuple[RegionAlerts, ...] = ()


def frauds_not_tried() -> FraudBacktest:
    """Return what the report says of an engine on which nothing is injected."""
    why = "frauds are injected on DuckDB only: on Snowflake it would take a clone of raw"
    return FraudBacktest(
        (Figure(_AREA, "every figure", None, wanted=why, outcome=Outcome.NOT_TRIED),)
    )


def backtest_frauds(
    environment: Environment, nodes: Nodes, budget: float, rates: Sequence[float] = RATES
) -> FraudBacktest:
    """Return precision and recall of alerts and anomalies, by dbt's own SQL on changed raw rows.

    Args:
        environment: Whose warehouse; it is only read.
        nodes: dbt's nodes, those of `DETECTION_NODES` compiled.
        budget: Largest share of orders that may be alerts.
        rates: Injected orders as shares of all orders.

    Raises:
        OlistError: The warehouse is not DuckDB, missing or locked.
    """
    figures: list[Figure] = []
    kinds: list[KindBacktest] = []
    regions: list[RegionAlerts] = []
    for rate in rates:
        with open_changed_raw(environment, nodes) as changed:
            injected = inject_frauds(
                {each: changed.raw_rows(each) for each in DATASETS}, rate, _SEED
            )
            orders = detected(changed, injected.rows).join(
                injected.truth, on="order_id", how="left", maintain_order="left"
            )
        figures += _figures(orders, rate, budget)
        kinds += [_of_kind(orders, FraudKind(kind), rate) for kind in FraudKind]
        if rate == min(rates):
            regions = _of_regions(orders)
    return FraudBacktest((*figures, *_fairness(regions)), tuple(kinds), tuple(regions))


def _figures(orders: pl.DataFrame, rate: float, budget: float) -> list[Figure]:
    is_fraud = pl.col("kind").is_not_null() & ~pl.col("kind").is_in(
        [each.value for each in _FAULTS]
    )
    is_injected = pl.col("kind").is_not_null()
    is_fault = is_injected & ~is_fraud
    shares = orders.select(
        injected=is_injected.mean(),
        frauds=is_fraud.mean(),
        alerts=pl.col("is_alert").mean(),
        anomalies=pl.col("is_anomaly").mean(),
        precision=is_injected.filter(pl.col("is_alert")).mean(),
        recall=pl.col("is_alert").filter(is_fraud).mean(),
        anomaly_precision=is_injected.filter(pl.col("is_anomaly")).mean(),
        anomaly_recall=pl.col("is_anomaly").filter(is_injected).mean(),
        faults_found=pl.col("is_anomaly").filter(is_fault).mean(),
        explained=pl.col("has_reason").filter(pl.col("is_alert")).mean(),
    ).row(0, named=True)
    cases = orders.filter(is_fraud).group_by("case").agg(pl.col("is_alert").any())
    found = float(cases.select(pl.col("is_alert").mean()).item())
    at = f"{rate:.1%} injected"

    def beside_random(name: str, value: float, random: float) -> Figure:
        return Figure(
            _AREA, name, value, "flagged at random", random, "above it", judged(value > random)
        )

    return [
        beside_random(f"precision of alerts, {at}", shares["precision"] or 0.0, shares["injected"]),
        beside_random(
            f"recall of fraudulent orders by alerts, {at}", shares["recall"], shares["alerts"]
        ),
        beside_random(f"recall of fraud cases by alerts, {at}", found, shares["alerts"]),
        beside_random(
            f"precision of anomalies, {at}", shares["anomaly_precision"], shares["injected"]
        ),
        beside_random(
            f"recall of frauds and faults by anomalies, {at}",
            shares["anomaly_recall"],
            shares["anomalies"],
        ),
        Figure(
            _AREA,
            f"recall of faults of records by anomalies, {at}",
            shares["faults_found"],
            "flagged at random",
            shares["anomalies"],
            "all",
            judged(shares["faults_found"] == 1),
        ),
        Figure(
            _AREA,
            f"share of orders alerted of, {at}",
            shares["alerts"],
            "budget",
            budget,
            "within the budget",
            judged(shares["alerts"] <= budget),
        ),
        Figure(
            _AREA,
            f"share of alerts that say why in a sentence, {at}",
            shares["explained"],
            "none explained",
            0.0,
            "all",
            judged(shares["explained"] == 1),
        ),
    ]


def _of_regions(orders: pl.DataFrame) -> list[RegionAlerts]:
    honest = orders.filter(pl.col("kind").is_null())
    found = []
    for region in sorted(honest["region"].unique().to_list()):
        own = honest.filter(region=region)
        alerts = int(own["is_alert"].sum())
        lower, upper = wilson_interval(alerts, len(own))
        found.append(RegionAlerts(region, len(own), alerts / len(own), lower, upper))
    return found


def _fairness(regions: Sequence[RegionAlerts]) -> list[Figure]:
    most = max(regions, key=lambda each: each.alerted)
    everywhere = sum(each.alerted * each.orders for each in regions) / sum(
        each.orders for each in regions
    )
    return [
        Figure(
            _AREA,
            f"share of honest orders alerted of, most: {most.region}",
            most.alerted,
            "all regions",
            everywhere,
            f"95 % interval {most.lower_95:.4f} to {most.upper_95:.4f}",
        )
    ]


def _of_kind(orders: pl.DataFrame, kind: FraudKind, rate: float) -> KindBacktest:
    found_by = FoundBy.ANOMALY if kind in _FAULTS else FoundBy.ALERT
    finder = f"is_{found_by}"
    own = orders.filter(pl.col("kind") == kind.value)
    cases = own.group_by("case").agg(pl.col(finder).any())
    found = int(cases[finder].sum())
    lower, upper = wilson_interval(found, len(cases))
    hits = int(own[finder].sum())
    false_hits = int(orders.filter(pl.col("kind").is_null())[finder].sum())
    return KindBacktest(
        kind=kind,
        rate=rate,
        found_by=found_by,
        orders=len(own),
        cases=len(cases),
        precision=hits / max(hits + false_hits, 1),
        alert_recall=float(own["is_alert"].cast(pl.Float64).sum()) / len(own),
        anomaly_recall=float(own["is_anomaly"].cast(pl.Float64).sum()) / len(own),
        case_recall=found / len(cases),
        lower_95=lower,
        upper_95=upper,
    )
