"""The parameters that generated data were made with, and how well fits recover them."""

import json
from collections.abc import Mapping
from pathlib import Path

from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.generator.writer import TRUE_PARAMETERS_FILE
from olist_platform.predictions.backtest.figures import Area, Figure, judged
from olist_platform.predictions.model_fit import ModelFit
from olist_platform.repository import state_folder

_PROCESS = "repeat_purchases_bg_nbd_days"
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


def true_purchases(path: Path) -> Mapping[str, float]:
    """Return the true parameters of the purchase model, by the model's names.

    Raises:
        OlistError: The file cannot be read, or holds none.
    """
    with os_errors_explained(path):
        text = path.read_text(encoding="utf-8")
    try:
        process = json.loads(text)[_PROCESS]
        return {name: float(process[key]) for name, key in _NAMES.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise OlistError(
            f"{path} holds no parameters of the process {_PROCESS}", "generate the data anew"
        ) from error


def recovery_figures(fit: ModelFit, truth: Mapping[str, float]) -> list[Figure]:
    """Return each parameter of a fit beside the true one."""
    figures = []
    for estimate in fit.estimates:
        interval = estimate.interval_95(is_positive=fit.model.has_positive_parameters)
        if estimate.value is None or interval is None:
            continue
        lower, upper = interval
        true = truth[estimate.parameter]
        figures.append(
            Figure(
                Area.PURCHASES,
                f"{estimate.parameter}, recovered",
                estimate.value,
                "true",
                true,
                f"in its 95 % interval, {lower:.4g} to {upper:.4g}",
                judged(lower <= true <= upper),
            )
        )
    return figures
