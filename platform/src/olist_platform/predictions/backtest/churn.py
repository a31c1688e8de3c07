"""Back-test of churn: trained on earlier dates, judged on the latest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from olist_platform.predictions.arrays import Booleans, Floats, Texts
from olist_platform.predictions.backtest.figures import Area, Figure, judged, too_thin
from olist_platform.predictions.churn_fitting import judged_model
from olist_platform.predictions.churn_model import ChurnExamples, ChurnModel, dates_known_at
from olist_platform.predictions.normal_distribution import Z_95
from olist_platform.predictions.probability_metrics import (
    CalibrationGroup,
    ProbabilityMetrics,
    calibration,
    measure,
)
from olist_platform.predictions.wilson import wilson_interval

_AREA = Area.CHURN
# Of ten groups one may lie outside its 95 % interval by chance, and a second one seldom does.
_CALIBRATED_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class RegionFairness:
    """How churn is predicted for the people of a region.

    Attributes:
        region: The region.
        people: How many.
        predicted: Mean predicted probability of coming back.
        observed: Share that came back.
        lower_95: Lower bound of that share.
        upper_95: Upper bound.
        auc: Of this region alone; not a number where nobody came back.
    """

    region: str
    people: int
    predicted: float
    observed: float
    lower_95: float
    upper_95: float
    auc: float

    @property
    def holds(self) -> bool:
        """Whether the predicted share lies within what chance allows."""
        return self.lower_95 <= self.predicted <= self.upper_95


@dataclass(frozen=True, slots=True)
class ChurnBacktest:
    """What the back-test found; empty where data are too thin."""

    figures: tuple[Figure, ...]
    calibration: tuple[CalibrationGroup, ...] = ()
    regions: tuple[RegionFairness, ...] = ()


def backtest_churn(
    examples: ChurnExamples, regions: Sequence[str], window_days: int, minimum_events: int
) -> ChurnBacktest:
    """Return the figures of churn on the latest date.

    Args:
        examples: People at reference dates.
        regions: Region of each example.
        window_days: Days after a reference date in which who does not buy has churned.
        minimum_events: Fewest people who came back, before the latest date and after it.
    """
    model, latest = judged_model(examples, window_days)
    learnt = (
        examples.at(dates_known_at(examples, latest.dates[-1], window_days))
        if latest.dates
        else None
    )
    came_back = min(latest.returned, learnt.returned if learnt else 0)
    if learnt is None or model.fault is not None or came_back < minimum_events:
        why = f"{came_back} people came back, {minimum_events} are needed"
        return ChurnBacktest((too_thin(_AREA, "every figure", why),))
    probability = model.probabilities(latest)
    base = np.full(len(probability), float(learnt.churned.mean()))
    figures, baseline = measure(latest.churned, probability), measure(latest.churned, base)
    groups = calibration(latest.churned, probability)
    fair = _by_region(
        latest, probability, np.asarray(regions, dtype=np.object_)[_is_of(examples, latest)]
    )
    return ChurnBacktest(
        (*_against_base_rate(figures, baseline), *_calibration(model, latest, groups, fair)),
        tuple(groups),
        tuple(fair),
    )


def _is_of(examples: ChurnExamples, latest: ChurnExamples) -> Booleans:
    return np.isin(examples.reference_date, np.array(latest.dates, dtype="datetime64[D]"))


def _against_base_rate(figures: ProbabilityMetrics, baseline: ProbabilityMetrics) -> list[Figure]:
    return [
        Figure(
            _AREA,
            "AUC",
            figures.auc,
            "base rate",
            0.5,
            "above 0.5",
            judged(figures.auc > 0.5),  # noqa: PLR2004
        ),
        Figure(
            _AREA,
            "log loss",
            figures.log_loss,
            "base rate",
            baseline.log_loss,
            "below it",
            judged(figures.log_loss < baseline.log_loss),
        ),
        Figure(
            _AREA,
            "Brier score",
            figures.brier,
            "base rate",
            baseline.brier,
            "below it",
            judged(figures.brier < baseline.brier),
        ),
    ]


def _calibration(
    model: ChurnModel,
    latest: ChurnExamples,
    groups: Sequence[CalibrationGroup],
    fair: Sequence[RegionFairness],
) -> list[Figure]:
    probability = model.probabilities(latest)
    expected = float((1 - probability).sum())
    ratio = expected / max(latest.returned, 1)
    # Chance is that of who comes back, and that of the people whom the model has learnt from.
    by_chance = float((probability * (1 - probability)).sum())
    half = Z_95 * float(np.hypot(np.sqrt(by_chance), model.error_of_sum(latest)))
    share = sum(group.holds for group in groups) / len(groups)
    fair_share = sum(region.holds for region in fair) / len(fair)
    return [
        Figure(
            _AREA,
            "people expected back / who came back",
            ratio,
            "exact",
            1.0,
            f"within chance, {half / max(latest.returned, 1):.3f} either way",
            judged(abs(expected - latest.returned) <= half),
        ),
        Figure(
            _AREA,
            "share of calibration groups within their 95 % interval",
            share,
            "by chance",
            0.95,
            f"{_CALIBRATED_SHARE:.0%} or more",
            judged(share >= _CALIBRATED_SHARE),
        ),
        Figure(
            _AREA,
            "share of regions predicted within their 95 % interval",
            fair_share,
            "by chance",
            0.95,
            f"{_CALIBRATED_SHARE:.0%} or more",
            judged(fair_share >= _CALIBRATED_SHARE),
        ),
    ]


def _by_region(
    latest: ChurnExamples,
    probability: Floats,
    regions: Texts,
) -> list[RegionFairness]:
    found = []
    for region in sorted(set(regions.tolist())):
        inside = regions == region
        back = int((~latest.churned[inside]).sum())
        lower, upper = wilson_interval(back, int(inside.sum()))
        found.append(
            RegionFairness(
                region=region,
                people=int(inside.sum()),
                predicted=float((1 - probability[inside]).mean()),
                observed=back / int(inside.sum()),
                lower_95=lower,
                upper_95=upper,
                auc=measure(latest.churned[inside], probability[inside]).auc,
            )
        )
    return found
