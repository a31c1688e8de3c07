"""News of the business: more anomalies, urgent fraud, executive figures beyond their limits."""

from collections.abc import Sequence
from datetime import datetime

from olist_platform.alerts.kinds import Severity
from olist_platform.monitoring.check_result import Check, CheckResult, State, follow_from_first
from olist_platform.monitoring.monitored_warehouse import Row
from olist_platform.monitoring.node_directory import NodeDirectory

_URGENT = {"P0": Severity.CRITICAL, "P1": Severity.HIGH}
_ANOMALIES = "int_order_anomalies"
_FRAUD = "mart_fraud_monitoring"
_KPIS = "mart_executive_kpis"


def order_anomalies(
    rows: Sequence[Row], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge the shares of anomalies among the orders of the newest month with enough of them.

    More severe ones are more anomalies too: where both are too many, the latter only follow.

    Args:
        rows: Rows of monitoring_order_anomalies.
        directory: Whose the model is.
        now: The moment.
    """
    judged = sorted(
        (row for row in rows if row["is_judged"]), key=lambda row: str(row["purchase_month"])
    )
    if not judged:
        return []
    row = judged[-1]
    results = []
    for name, severity in (
        ("severe_anomaly_share", Severity.HIGH),
        ("anomaly_share", Severity.MEDIUM),
    ):
        share, most = float(row[name]), float(row[f"max_{name}"])
        is_more = share > most
        what = "of severity High or Critical" if name.startswith("severe") else "of some severity"
        results.append(
            CheckResult(
                check=Check.ORDER_ANOMALIES,
                # Each month is told of by itself: the former one's alert must not hide it.
                subject=f"{name} {str(row['purchase_month'])[:7]}",
                state=State.FAILING if is_more else State.HEALTHY,
                observed_at=now,
                value=round(100 * share, 4),
                unit="%",
                at_most=round(100 * most, 4),
                severity=severity if is_more else None,
                owner=directory.model_owner(_ANOMALIES),
                summary=f"More orders than usual are anomalies {what}, in the month from"
                f" {row['purchase_month']}."
                if is_more
                else "",
                docs=directory.docs_of(_ANOMALIES),
            )
        )
    return follow_from_first(results)


def fraud_queue(rows: Sequence[Row], directory: NodeDirectory, now: datetime) -> list[CheckResult]:
    """Judge the orders of the urgent severities that wait for an answer.

    Args:
        rows: Severity, orders and value at risk (BRL) of the alerts open or overdue.
        directory: Whose the mart is.
        now: The moment.
    """
    if not rows:
        return []
    waiting = {row["severity"]: row for row in rows}
    results = []
    for severity, how_bad in _URGENT.items():
        row = waiting.get(severity)
        orders = int(row["orders"]) if row else 0
        value = float(row["value_at_risk"] or 0) if row else 0.0
        results.append(
            CheckResult(
                check=Check.FRAUD_QUEUE,
                subject=severity,
                state=State.FAILING if orders else State.HEALTHY,
                observed_at=now,
                value=float(orders),
                unit="open orders",
                at_most=0.0,
                severity=how_bad if orders else None,
                owner=directory.model_owner(_FRAUD),
                summary=f"Orders of fraud severity {severity} wait for an answer."
                if orders
                else "",
                details=(f"Value at risk: {value:,.2f} BRL",) if orders else (),
                docs=directory.docs_of(_FRAUD),
            )
        )
    return results


def business_figures(
    rows: Sequence[Row], directory: NodeDirectory, now: datetime
) -> list[CheckResult]:
    """Judge the last complete week and month by what the mart says of them.

    Args:
        rows: Periods of mart_executive_kpis: period_type, period_start, is_alert, alert_reasons.
        directory: Whose the mart is.
        now: The moment.
    """
    results = []
    for period in ("week", "month"):
        found = sorted(
            (row for row in rows if row["period_type"] == period),
            key=lambda row: str(row["period_start"]),
        )
        if not found:
            continue
        row = found[-1]
        is_alert = bool(row["is_alert"])
        state = State.NOT_JUDGED if row["is_alert"] is None else State.HEALTHY
        results.append(
            CheckResult(
                check=Check.BUSINESS_FIGURES,
                # As above.
                subject=f"{period} from {row['period_start']}",
                state=State.FAILING if is_alert else state,
                observed_at=now,
                severity=Severity.HIGH if is_alert else None,
                owner=directory.model_owner(_KPIS),
                summary=f"Executive figures of the {period} from {row['period_start']} are beyond"
                " their limits."
                if is_alert
                else "",
                details=(str(row["alert_reasons"]),) if is_alert else (),
                docs=directory.docs_of(_KPIS),
            )
        )
    return results
