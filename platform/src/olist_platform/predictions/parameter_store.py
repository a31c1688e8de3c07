"""The table of fitted parameters: every version, accepted or not, appended and never changed.

dbt makes the table (macro `ensure_fitted_parameters_table`) and reads it in `int_model_parameters`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from olist_platform.errors import OlistError
from olist_platform.moments import without_zone
from olist_platform.naming import Layer, Names
from olist_platform.predictions.model_fit import Estimate, ModelFit, ModelName, Verdict
from olist_platform.predictions.warehouse import PredictionWarehouse

_TABLE = "fitted_model_parameters"
_DEFAULTS = "default_model_parameters"


@dataclass(frozen=True, slots=True)
class StoredFit:
    """A version as the table holds it.

    Attributes:
        model: The model.
        version: Its number, from 1.
        origin: `fitted`, or `default` of the seed.
        estimates: Its parameters.
        training_window: Days of its data.
        training_rows: Rows of its data.
        fitted_with: Library and method.
        metrics: Its figures; JSON unless it is a default.
        is_accepted: Whether it may score.
        reason: Why.
        fitted_at: When, UTC; None for a default.
    """

    model: ModelName
    version: int
    origin: str
    estimates: tuple[Estimate, ...]
    training_window: str
    training_rows: int
    fitted_with: str
    metrics: str
    is_accepted: bool
    reason: str
    fitted_at: datetime | None

    @property
    def values(self) -> dict[str, float]:
        """Its parameters by name, without those that are missing."""
        return {each.parameter: each.value for each in self.estimates if each.value is not None}

    @property
    def parameters(self) -> set[str]:
        """Names of its parameters."""
        return {each.parameter for each in self.estimates}


class ParameterStore:
    """The table, in an open warehouse."""

    def __init__(self, warehouse: PredictionWarehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._table = f"{names.schema(Layer.MONITORING)}.{_TABLE}"
        self._defaults = f"{names.schema(Layer.STAGING)}.{_DEFAULTS}"

    def fits(self) -> list[StoredFit]:
        """Return every fitted version, oldest first.

        Raises:
            OlistError: The table is not there yet.
        """
        frame = self._read(self._table)
        return _stored(frame, "fitted")

    def defaults(self) -> list[StoredFit]:
        """Return the accepted versions of the seed, oldest first.

        Raises:
            OlistError: The seed is not built yet.
        """
        frame = self._read(self._defaults).filter("is_accepted")
        missing = [
            pl.lit("Shipped with the project.").alias("reason"),
            pl.lit(None, dtype=pl.Datetime).alias("fitted_at"),
        ]
        return _stored(frame.with_columns(missing), "default")

    def scoring(self) -> dict[ModelName, StoredFit]:
        """Return the version that scores now: the newest accepted fit, else the newest default.

        `int_model_parameters` chooses by the same rule.
        """
        chosen = {fit.model: fit for fit in self.defaults()}
        return chosen | {fit.model: fit for fit in self.current_fits() if fit.is_accepted}

    def current_fits(self) -> list[StoredFit]:
        """Return the fitted versions of the parameters that models have now, oldest first.

        A version of other features cannot score any more.
        """
        needed = {fit.model: fit.parameters for fit in self.defaults()}
        return [fit for fit in self.fits() if needed.get(fit.model, set()) <= fit.parameters]

    def append(
        self, judged: Sequence[tuple[ModelFit, Verdict]], code_version: str, fitted_at: datetime
    ) -> list[StoredFit]:
        """Append the parameters of some fits as one step, each as the next version of its model.

        Args:
            judged: Fits and whether they may score.
            code_version: What fitted them.
            fitted_at: When, with a time zone.

        Returns:
            The versions as stored.
        """
        former = self.fits()
        moment = without_zone(fitted_at)
        rows, stored = [], []
        for fit, verdict in judged:
            versions = [each.version for each in former if each.model is fit.model]
            version = max(versions, default=0) + 1
            metrics = json.dumps(fit.metrics, sort_keys=True)
            shared = {
                "training_window": fit.training_window,
                "training_rows": fit.training_rows,
                "training_events": fit.training_events,
                "data_checksum": fit.data_checksum,
                "code_version": code_version,
                "fitted_with": fit.fitted_with,
                "metrics": metrics,
                "is_accepted": verdict.is_accepted,
                "reason": verdict.reason,
                "fitted_at": moment,
            }
            rows += [
                {
                    "model": fit.model.value,
                    "version": version,
                    "parameter": each.parameter,
                    "value": each.value,
                    "standard_error": each.standard_error,
                    **shared,
                }
                for each in fit.estimates
            ]
            stored.append(
                StoredFit(
                    model=fit.model,
                    version=version,
                    origin="fitted",
                    estimates=fit.estimates,
                    training_window=fit.training_window,
                    training_rows=fit.training_rows,
                    fitted_with=fit.fitted_with,
                    metrics=metrics,
                    is_accepted=verdict.is_accepted,
                    reason=verdict.reason,
                    fitted_at=moment,
                )
            )
        self._warehouse.insert(self._table, rows)
        return stored

    def _read(self, table: str) -> pl.DataFrame:
        try:
            return self._warehouse.frame(f"select * from {table}")  # noqa: S608 - a name of ours
        except Exception as error:
            if not _is_missing(error):
                raise
            raise OlistError(
                f"{table} is not in the warehouse yet: dbt makes it",
                "run `olist dbt -- build` first",
            ) from error


def _is_missing(error: Exception) -> bool:
    """Whether an engine says that there is no such table."""
    text = str(error)
    return "does not exist" in text


def _stored(frame: pl.DataFrame, origin: str) -> list[StoredFit]:
    found = []
    for (model, version), rows in frame.sort("version").group_by(
        ["model", "version"], maintain_order=True
    ):
        first = rows.row(0, named=True)
        found.append(
            StoredFit(
                model=ModelName(str(model)),
                version=int(str(version)),
                origin=origin,
                estimates=tuple(
                    Estimate(row["parameter"], row["value"], row["standard_error"])
                    for row in rows.iter_rows(named=True)
                ),
                training_window=first["training_window"],
                training_rows=first["training_rows"],
                fitted_with=first["fitted_with"],
                metrics=first["metrics"],
                is_accepted=first["is_accepted"],
                reason=first["reason"],
                fitted_at=first["fitted_at"],
            )
        )
    return found
