"""Data-quality scores against the least that is not poor."""

from collections.abc import Sequence
from datetime import datetime

from olist_platform.alerts.kinds import Severity
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory

_PARTS = ("completeness", "avg_data_quality_score", "quarantined_share")


def quality_scores(
    rows: Sequence[Row], least_score: float, directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge the score of each dataset.

    Args:
        rows: Rows of monitoring_data_quality.
        least_score: Score below which a dataset is poor, 0 to 1.
        directory: Where it is documented.
        now: The moment.
    """
    results = []
    for row in sorted(rows, key=lambda row: str(row["dataset"])):
        score = row["quality_score"]
        is_poor = score is not None and score < least_score
        parts = [f"{name}: {float(row[name]):.4f}" for name in _PARTS if row[name] is not None]
        state = State.NOT_JUDGED if score is None else State.HEALTHY
        results.append(
            CheckResult(
                check=Check.QUALITY_SCORE,
                subject=row["dataset"],
                state=State.FAILING if is_poor else state,
                observed_at=now,
                value=None if score is None else float(score),
                unit="points",
                at_least=least_score,
                severity=Severity.MEDIUM if is_poor else None,
                summary="The quality score of a dataset fell below its threshold."
                if is_poor
                else "",
                details=tuple(parts) if is_poor else (),
                docs=directory.docs_of("monitoring_data_quality"),
            )
        )
    return results
