"""Anomalies of volume and distribution, as the monitoring models of the build judged them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from olist_platform.alerts.kinds import Severity
from olist_platform.monitoring.check_result import Check, CheckResult, State, follow_from_first
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory

_DATASETS = ("orders", "order_items", "payments", "deliveries", "reviews")


def volume(rows: Sequence[Row], directory: NodeDirectory, now: datetime) -> list[CheckResult]:
    """Judge the rows of the newest days of each dataset.

    Args:
        rows: Rows of monitoring_volume in its detection window.
        directory: Where it is documented.
        now: The moment.

    Returns:
        A result for each dataset; those that break with the orders follow from them.
    """
    datasets = sorted({row["dataset"] for row in rows}, key=_order_of_dataset)
    docs = directory.docs_of("monitoring_volume")
    return follow_from_first(
        [
            _judged(Check.VOLUME, dataset, _of(rows, dataset=dataset), docs, now)
            for dataset in datasets
        ]
    )


def segment_volume(
    rows: Sequence[Row], volumes: Sequence[CheckResult], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge the rows of the newest days of each state and payment type.

    Args:
        rows: Rows of monitoring_segment_volume in its detection window.
        volumes: What `volume` says: where all orders break, segments only follow.
        directory: Where it is documented.
        now: The moment.
    """
    segments = sorted({(row["dimension"], row["segment"]) for row in rows})
    docs = directory.docs_of("monitoring_segment_volume")
    results = [
        _judged(
            Check.SEGMENT_VOLUME,
            f"{dimension} {segment}",
            _of(rows, dimension=dimension, segment=segment),
            docs,
            now,
        )
        for dimension, segment in segments
    ]
    roots = [each for each in volumes if each.is_failing and each.caused_by is None]
    return follow_from_first([*roots, *results])[len(roots) :]


def distribution(rows: Sequence[Row], directory: NodeDirectory, now: datetime) -> list[CheckResult]:
    """Judge null share, mean, minimum and maximum of each measure by its bounds.

    Args:
        rows: Rows of monitoring_column_profile.
        directory: Whose the measure's model is.
        now: The moment.
    """
    return [
        _profile(row, directory, now)
        for row in sorted(rows, key=lambda row: (row["relation"], row["column_name"]))
    ]


# What `out_of_bounds` names, the column of its figure and those of its bounds.
_MEASURES = {
    "null_share": ("null_share", None, "max_null_share"),
    "mean": ("mean", "min_mean", "max_mean"),
    "minimum": ("minimum", "min_value", None),
    "maximum": ("maximum", None, "max_value"),
}


def _profile(row: Row, directory: NodeDirectory, now: datetime) -> CheckResult:
    broken = [name for name in (row["out_of_bounds"] or "").split(", ") if name]
    figure, least, most = _MEASURES[broken[0] if broken else "mean"]
    # What is recorded and shown is the mean, unless something else broke.
    is_judged = bool(row["is_judged"]) or bool(broken)
    state = State.FAILING if broken else State.HEALTHY if is_judged else State.NOT_JUDGED
    return CheckResult(
        check=Check.DISTRIBUTION,
        subject=f"{row['relation']}.{row['column_name']}",
        state=state,
        observed_at=now,
        value=_number(row[figure]),
        unit=figure.replace("_", " "),
        at_least=_number(row[least]) if least else None,
        at_most=_number(row[most]) if most else None,
        severity=Severity.LOW if broken else None,
        owner=directory.model_owner(row["relation"]),
        summary=f"Out of the measure's bounds: {row['out_of_bounds']}." if broken else "",
        docs=directory.docs_of("monitoring_column_profile"),
    )


def _judged(
    check: Check, subject: str, days: list[Row], docs: str | None, now: datetime
) -> CheckResult:
    """Judge a series by its newest anomaly in the window, or by its newest day."""
    anomalies = [row for row in days if row["is_anomaly"]]
    row = (anomalies or days)[-1]
    state = State.FAILING if anomalies else State.HEALTHY if row["is_judged"] else State.NOT_JUDGED
    return CheckResult(
        check=check,
        subject=subject,
        state=state,
        observed_at=now,
        value=float(row["row_count"]),
        unit="rows",
        at_least=_number(row["expected_low"]),
        at_most=_number(row["expected_high"]),
        severity=_severity(check, row) if anomalies else None,
        summary=_what(row) if anomalies else "",
        docs=docs,
    )


def _severity(check: Check, row: Row) -> Severity:
    if check is Check.SEGMENT_VOLUME:
        return Severity.LOW
    return Severity.HIGH if row["row_count"] == 0 else Severity.MEDIUM


def _what(row: Row) -> str:
    which = "fewer" if row["anomaly_direction"] == "drop" else "more"
    return (
        f"Far {which} rows than on the same weekday of the weeks before, on {row['business_date']}."
    )


def _of(rows: Sequence[Row], **wanted: str) -> list[Row]:
    """Return the rows of a series, by day."""
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return sorted(found, key=lambda row: str(row["business_date"]))


def _order_of_dataset(dataset: str) -> tuple[int, str]:
    return (_DATASETS.index(dataset) if dataset in _DATASETS else len(_DATASETS), dataset)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
