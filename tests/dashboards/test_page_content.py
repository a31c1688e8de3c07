"""What a page knows, from marts of a few rows."""

import duckdb

from olist_platform.dashboards.description import Dashboard
from olist_platform.dashboards.page_content import page_content
from olist_platform.dashboards.published_marts import PublishedMarts

_MARTS = {
    "sellers": "select * from (values (1, 'SP'), (2, null)) as t (seller, state)",
    "orders": "select * from (values (7, 'RR'), (8, 'SP'), (9, 'AL')) as t (bought, buyer_state)",
    "payments": "select * from (values (5, 'MA')) as t (payment, state)",
    "publication": "select date '2018-09-03' as as_of_date,"
    " timestamp '2018-09-04 03:00:00' as published_at, 'one' as dbt_invocation_id",
}


def board() -> Dashboard:
    def table(mart: str, key: str, filters: dict[str, str]) -> dict[str, object]:
        column = {"role": "category", "column": key, "label": "Row", "format": "text"}
        tile = {"name": mart, "title": mart, "kind": "table", "mart": mart, "filters": filters}
        return {**tile, "columns": [column]}

    tiles = [
        table("sellers", "seller", {"state": "state"}),
        table("orders", "bought", {"state": "buyer_state"}),
        # It has a state too, and no filter narrows it.
        table("payments", "payment", {}),
        # It is not there yet.
        table("returns", "returned", {"state": "state"}),
    ]
    state = {"name": "state", "title": "State", "kind": "choice"}
    return Dashboard.model_validate(
        {
            "name": "trade",
            "title": "Trade",
            "summary": "Who sells and who buys.",
            "maturity": "low",
            "web_page": "trade.html",
            "owner": "operations",
            "filters": [{**state, "mart": "sellers", "column": "state"}],
            "pages": [{"name": "all", "title": "All", "question": "Who?", "tiles": tiles}],
        }
    )


def test_a_choice_offers_what_any_tile_that_it_narrows_holds() -> None:
    with duckdb.connect() as connection:
        marts = PublishedMarts(
            lambda statement: connection.execute(statement).fetchall(), "publication"
        )
        for name, rows in _MARTS.items():
            connection.execute(f"create table {name} as {rows}")
            marts.show(name, name)
        [state] = page_content(board(), marts, None)["filters"]
    assert state["values"] == ["AL", "RR", "SP"]
    assert state["default"] is None
