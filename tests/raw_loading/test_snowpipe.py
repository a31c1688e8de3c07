"""How far Snowpipe is, judged from rows of the shape that Snowflake documents."""

import json

from olist_platform.raw_loading.snowpipe import snowpipe_progress

_ORDERS = "orders/dt=2018-09-02/olist_orders_dataset.csv.gz"
_ITEMS = "order_items/dt=2018-09-02/olist_order_items_dataset.csv.gz"
_SELLERS = "sellers/dt=2018-09-02/olist_sellers_dataset.csv.gz"


def row(path: str, status: str, error: str | None = None) -> dict[str, str | None]:
    return {"file_name": path, "status": status, "first_error_message": error}


def status(state: str = "RUNNING", pending: int = 0) -> str:
    return json.dumps({"executionState": state, "pendingFileCount": pending})


def test_it_waits_for_what_has_landed_and_is_not_told_of() -> None:
    history = [row(_ORDERS, "Loaded"), row(_ITEMS, "Load in progress")]
    seen = snowpipe_progress([_ORDERS, _ITEMS, _SELLERS], history, {"ORDERS_PIPE": status()})
    assert seen.waiting == (_ITEMS, _SELLERS)
    assert seen.rejected == {}
    assert seen.stopped == ()


def test_it_is_done_when_every_file_is_loaded() -> None:
    history = [row(path, "Loaded") for path in (_ORDERS, _ITEMS, "orders/dt=2018-08-01/x.csv.gz")]
    seen = snowpipe_progress([_ORDERS, _ITEMS], history, {"ORDERS_PIPE": status(pending=3)})
    assert (seen.waiting, seen.rejected, seen.stopped) == ((), {}, ())


def test_a_file_that_failed_is_rejected_with_snowflakes_words_unless_loaded_since() -> None:
    history = [
        row(_ORDERS, "Load failed", "Numeric value 'x' is not recognized"),
        row(_ITEMS, "Partially loaded"),
        row(_SELLERS, "Load failed", "wrong header"),
        row(_SELLERS, "Loaded"),
    ]
    seen = snowpipe_progress([_ORDERS, _ITEMS, _SELLERS], history, {})
    assert seen.rejected == {
        _ORDERS: "Numeric value 'x' is not recognized",
        _ITEMS: "partially loaded",
    }
    assert seen.waiting == ()


def test_a_pipe_that_does_not_run_is_named_with_its_state() -> None:
    statuses = {"ORDERS_PIPE": status("PAUSED"), "SELLERS_PIPE": status()}
    assert snowpipe_progress([], [], statuses).stopped == ("ORDERS_PIPE (PAUSED)",)
