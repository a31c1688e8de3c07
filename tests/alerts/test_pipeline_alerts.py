"""What a failed task raises: its own fault, in dbt's words, and nothing that only follows."""

from dataclasses import replace
from typing import Any

import pytest

from alert_scenario import environment
from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import AlertKind, Signal
from olist_platform.errors import BudgetUsedUpError, OlistError, SourceLateError
from olist_platform.landing.csv_header import describe_header
from olist_platform.pipeline_alerts import (
    FailedTask,
    alerts_of,
    settled_by,
    settled_by_loading,
)
from olist_workspace import ROOT

_DAG = "olist_production"
ORDERS, ITEMS = "model.olist.stg_orders", "model.olist.stg_order_items"
NOT_NULL = "test.olist.not_null_stg_orders_order_id.0123456789"
RELATION = "test.olist.relationships_items_orders.abcdef0123"
SOURCE_TEST = "test.olist.source_orders_is_recent.fedcba9876"

MANIFEST: dict[str, Any] = {
    "nodes": {
        ORDERS: {"config": {"group": "data_platform"}, "depends_on": {"nodes": []}},
        ITEMS: {"config": {"group": "analytics_engineering"}, "depends_on": {"nodes": [ORDERS]}},
        NOT_NULL: {"depends_on": {"nodes": [ORDERS]}, "attached_node": ORDERS},
        RELATION: {"depends_on": {"nodes": [ITEMS, ORDERS]}, "attached_node": ITEMS},
        SOURCE_TEST: {"depends_on": {"nodes": ["source.olist.raw.orders"]}},
    },
    "sources": {"source.olist.raw.orders": {}},
}


def result(status: str, message: str = "", failures: int | None = None) -> dict[str, Any]:
    return {"status": status, "message": message, "failures": failures}


def failed(task_id: str, **others: Any) -> FailedTask:
    return FailedTask(_DAG, task_id, "data_platform", "dbt failed", **others)


def raised(task: FailedTask, results: dict[str, Any] | None = None) -> list[Alert]:
    return alerts_of(task, environment(), results or {}, MANIFEST)


ORDERS_RUN = failed("staging.stg_orders.run", node=ORDERS)
ORDERS_TEST = failed("staging.stg_orders.test", node=ORDERS, is_of_tests=True)
ITEMS_RUN = failed("staging.stg_order_items.run", node=ITEMS)
ITEMS_TEST = failed("staging.stg_order_items.test", node=ITEMS, is_of_tests=True)
PRODUCER = failed("staging.dbt_producer_watcher", runs_dbt=True)
GATE = failed("gate_staging", runs_dbt=True)


def test_a_model_that_cannot_be_built_is_told_in_dbts_words() -> None:
    [alert] = raised(
        ORDERS_RUN, {ORDERS: result("error", "Conversion Error\n  in model stg_orders")}
    )
    assert (alert.signal, alert.subject) == (Signal.TASK_FAILURE, "olist_production.stg_orders")
    assert alert.details == ("Conversion Error", "in model stg_orders")
    assert alert.owner == "data_platform"
    assert alert.docs == "https://docs.olist.example/dbt/#!/model/model.olist.stg_orders"


def test_a_failing_test_is_told_with_its_rows_to_the_owner_of_what_it_tests() -> None:
    results = {RELATION: result("fail", "Got 3 results", 3), NOT_NULL: result("pass")}
    [alert] = raised(ITEMS_TEST, results)
    assert (alert.signal, alert.subject) == (Signal.TEST_FAILURE, "relationships_items_orders")
    assert alert.kind is AlertKind.DATA_QUALITY
    assert alert.owner == "analytics_engineering"
    assert alert.measurement is not None
    assert alert.measurement.describe_value() == "3 failing rows"
    # Its other parent's task tells of the same, and is folded into it.
    [again] = raised(ORDERS_TEST, results)
    assert again.fingerprint == alert.fingerprint


def test_the_former_marts_stay_only_where_the_marts_wait_for_what_failed() -> None:
    kept = "; nothing is published, the former marts stay."
    results = {ORDERS: result("error", "no")}
    for held, end in ((True, kept), (False, ".")):
        [of_model] = raised(replace(ORDERS_RUN, holds_publication=held), results)
        [of_task] = raised(failed("email_executives", holds_publication=held))
        assert of_model.summary == f"stg_orders could not be built{end}"
        assert of_task.summary == f"The task failed on its last try{end}"


def test_what_only_follows_from_another_fault_raises_nothing() -> None:
    results = {ORDERS: result("error", "no"), ITEMS: result("skipped")}
    assert raised(ITEMS_RUN, results) == []
    assert raised(ITEMS_TEST, results) == []
    assert raised(PRODUCER, results) == []
    assert raised(GATE, results) == []


def test_the_gate_tells_of_a_test_of_a_source_which_has_no_task() -> None:
    [alert] = raised(GATE, {SOURCE_TEST: result("fail", "Got 1 result", 1)})
    assert (alert.signal, alert.subject) == (Signal.TEST_FAILURE, "source_orders_is_recent")


def test_dbt_that_did_not_get_as_far_as_a_node_is_the_tasks_own_fault() -> None:
    [alert] = raised(PRODUCER)
    assert alert.signal is Signal.TASK_FAILURE
    assert alert.subject == "olist_production.staging.dbt_producer_watcher"
    assert alert.details == ("dbt failed",)
    others = [raised(task)[0] for task in (ORDERS_RUN, ORDERS_TEST, ITEMS_RUN)]
    assert {other.fingerprint for other in others} == {alert.fingerprint}


def test_rejected_files_are_one_alert_for_each_dataset() -> None:
    rejected = {
        "orders/dt=2018-09-02/b.csv.gz": "cut off",
        "orders/dt=2018-09-01/a.csv.gz": "not a gzip file",
        "sellers/dt=2018-09-01/s.csv.gz": "the file is empty (0 bytes)",
    }
    orders, sellers = raised(failed("load_raw", rejected=rejected))
    assert (orders.signal, orders.subject) == (Signal.LOAD_REJECTED, "orders")
    assert orders.details[0] == "orders/dt=2018-09-01/a.csv.gz: not a gzip file"
    assert orders.measurement is not None
    assert orders.measurement.value == 2
    assert sellers.subject == "sellers"


def test_another_header_is_drift_of_the_schema_and_over_when_all_is_loaded() -> None:
    reason = describe_header(["seller_id", "city"], ("seller_id", "seller_city"))
    rejected = {
        "sellers/dt=2018-09-01/a.csv.gz": reason,
        "sellers/dt=2018-09-02/b.csv.gz": "not a gzip file",
    }
    drift, unreadable = raised(failed("load_raw", rejected=rejected))
    assert (drift.signal, drift.signal.kind) == (Signal.SCHEMA_DRIFT, AlertKind.PIPELINE_FAILURE)
    assert drift.subject == "raw.sellers"
    assert drift.details == (f"sellers/dt=2018-09-01/a.csv.gz: {reason}",)
    assert "missing seller_city; unexpected 'city'" in drift.details[0]
    assert (unreadable.signal, unreadable.subject) == (Signal.LOAD_REJECTED, "sellers")
    assert settled_by_loading("sellers") == [
        (Signal.LOAD_REJECTED, "sellers"),
        (Signal.SCHEMA_DRIFT, "raw.sellers"),
    ]


def test_every_signal_is_raised_somewhere() -> None:
    """An alert that has a runbook and that nobody raises would be a promise that is not kept."""
    declared_or_shown = {"examples.py", "kinds.py"}
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("platform/src/olist_platform", "dags")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in declared_or_shown
    )
    assert [signal for signal in Signal if f"Signal.{signal.name}" not in code] == []


@pytest.mark.parametrize(
    ("task", "error", "kind", "subject"),
    [
        ("check_landing", SourceLateError("late"), AlertKind.DATA_QUALITY, "landing"),
        (
            "check_budget",
            BudgetUsedUpError("used up", "", "month 2018-09"),
            AlertKind.COST_OVERRUN,
            "month 2018-09",
        ),
        # The landing or the warehouse is out of reach: nobody knows of source and budget.
        (
            "check_landing",
            OlistError("S3 does not answer"),
            AlertKind.PIPELINE_FAILURE,
            "olist_production.preflight.check_landing",
        ),
        (
            "check_budget",
            OlistError("Snowflake does not answer"),
            AlertKind.PIPELINE_FAILURE,
            "olist_production.preflight.check_budget",
        ),
        ("plan_run", None, AlertKind.PIPELINE_FAILURE, "olist_production.preflight.plan_run"),
    ],
)
def test_what_the_preflight_finds_goes_its_own_route(
    task: str, error: OlistError | None, kind: AlertKind, subject: str
) -> None:
    [alert] = raised(failed(f"preflight.{task}", error=error))
    assert (alert.kind, alert.subject) == (kind, subject)


def test_a_fresh_landing_settles_both_that_it_was_late_and_that_nobody_could_look() -> None:
    assert settled_by(_DAG, "preflight.check_landing") == [
        (Signal.TASK_FAILURE, "olist_production.preflight.check_landing"),
        (Signal.FRESHNESS, "landing"),
    ]
    # A budget that is not used up may have passed a threshold all the same.
    assert settled_by(_DAG, "preflight.check_budget") == [
        (Signal.TASK_FAILURE, "olist_production.preflight.check_budget"),
    ]
