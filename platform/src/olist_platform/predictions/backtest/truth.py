"""The parameters that generated data were made with, and how well fits recover them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.generator.writer import TRUE_PARAMETERS_FILE
from olist_platform.predictions.backtest.figures import Area, Figure, judged
from olist_platform.predictions.model_fit import ModelFit, ModelName
from olist_platform.predictions.normal_distribution import Z_95
from olist_platform.repository import state_folder

_PURCHASES, _ORDER_VALUES = "repeat_purchases_bg_nbd_days", "order_values"
_NAMES = {"r": "shape", "alpha": "rate", "a": "dropout_a", "b": "dropout_b"}


def find_true_parameters(environment: Environment, told: Path | None) -> Path | None:
    """Return the file of true parameters; None where the data are not known to be generated.

    Args:
        environment: Whose data; what `make demo` generated for it is found by itself.
        told: The file, or the folder it lies in, where somebody said it.

    Raises:
        OlistError: There is none where somebody said.
    """
    if told is None:
        path = state_folder(environment.name) / "generated" / TRUE_PARAMETERS_FILE
        return path if path.exists() else None
    path = told / TRUE_PARAMETERS_FILE if told.is_dir() else told
    if not path.is_file():
        raise OlistError(
            f"{path} does not exist", f"`olist generate` writes {TRUE_PARAMETERS_FILE}"
        )
    return path


@dataclass(frozen=True, slots=True)
class TrueValue:
    """What an estimate should come back to.

    Attributes:
        value: The truth.
        standard_error: How exactly it is known; 0 where it is a setting.
    """

    value: float
    standard_error: float = 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """The parameters that data were generated with.

    Attributes:
        purchases: Of BG/NBD, by the model's names.
        newcomer_value: Mean order value, BRL.
        variance_between_people: Variance of ln(order value) between people.
    """

    purchases: Mapping[str, float]
    newcomer_value: TrueValue
    variance_between_people: TrueValue


def read_truth(path: Path) -> Truth:
    """Return the true parameters of a file.

    Raises:
        OlistError: The file cannot be read, or holds none.
    """
    with os_errors_explained(path):
        text = path.read_text(encoding="utf-8")
    try:
        content = json.loads(text)
        process, values = content[_PURCHASES], content[_ORDER_VALUES]
        return Truth(
            purchases={name: float(process[key]) for name, key in _NAMES.items()},
            newcomer_value=TrueValue(
                float(values["mean_brl"]), float(values["mean_standard_error"])
            ),
            variance_between_people=TrueValue(
                float(values["variance_between_people"]), float(values["variance_standard_error"])
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise OlistError(
            f"{path} holds no parameters of {_PURCHASES} or {_ORDER_VALUES}",
            "generate the data again",
        ) from error


def recovery_figures(fit: ModelFit, truth: Truth) -> list[Figure]:
    """Return what a fit estimates beside what is true."""
    if fit.model is ModelName.PURCHASES:
        return _purchase_figures(fit, truth.purchases)
    if fit.model is ModelName.SPEND and fit.fault is None:
        return _spend_figures(fit, truth)
    return []


def _purchase_figures(fit: ModelFit, truth: Mapping[str, float]) -> list[Figure]:
    figures = []
    for estimate in fit.estimates:
        interval = estimate.interval_95(is_positive=fit.model.has_positive_parameters)
        if estimate.value is None or interval is None:
            continue
        name = f"{estimate.parameter}, recovered"
        true = truth[estimate.parameter]
        figures.append(_recovered(Area.PURCHASES, name, estimate.value, true, interval))
    return figures


def _spend_figures(fit: ModelFit, truth: Truth) -> list[Figure]:
    """Return the two moments that the model's parameters say.

    Order values are made of products and freight, not of gamma distributions: p, q and gamma have
    no true values. What they come to has: the mean, and how alike a person's orders are, which is
    all that q says.
    """
    figures = []
    for key, name, true in (
        ("newcomer_value", "expected value of a first order, BRL, recovered", truth.newcomer_value),
        (
            "variance_between_people",
            "variance of ln(order value) between people (q), recovered",
            truth.variance_between_people,
        ),
    ):
        if key not in fit.metrics:
            continue
        value = fit.metrics[key]
        half = Z_95 * math.hypot(fit.metrics[f"{key}_error"], true.standard_error)
        interval = value - half, value + half
        figures.append(_recovered(Area.SPEND, name, value, true.value, interval))
    return figures


def _recovered(
    area: Area, name: str, value: float, true: float, interval: tuple[float, float]
) -> Figure:
    lower, upper = interval
    return Figure(
        area,
        name,
        value,
        "true",
        true,
        f"in its 95 % interval, {lower:.4g} to {upper:.4g}",
        judged(lower <= true <= upper),
    )
