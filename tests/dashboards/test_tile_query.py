"""The statement of a tile, asked of a few rows."""

import duckdb

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.tile_query import tile_query


def test_bars_are_ordered_by_the_sum_of_their_parts() -> None:
    """The largest part is Lost's, the largest bar is At-Risk's."""
    [board] = [one for one in load_dashboards() if one.name == "customer_strategy"]
    people = {
        ("At-Risk", "High"): 5,
        ("At-Risk", "Medium"): 4,
        ("Lost", "High"): 7,
        ("Champions", "Low"): 3,
        ("Champions", "Medium"): 4,
    }
    with duckdb.connect() as connection:
        connection.execute(
            "create table people (segment text, churn_risk text, state text, value_at_risk double)"
        )
        for (segment, risk), number in people.items():
            connection.execute(
                "insert into people select ?, ?, 'SP', 1 from range(?)", [segment, risk, number]
            )
        rows = connection.execute(tile_query(board.tile("churn_risk"), "people")).fetchall()
    assert [(segment, risk, number) for segment, risk, number, *_ in rows] == [
        ("At-Risk", "High", 5),
        ("At-Risk", "Medium", 4),
        ("Champions", "Medium", 4),
        ("Champions", "Low", 3),
        ("Lost", "High", 7),
    ]


def test_what_fails_is_told_the_worst_first() -> None:
    """By the alphabet, low would come before medium."""
    [board] = [one for one in load_dashboards() if one.name == "platform_health"]
    tile = board.tile("failing")
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} text" for name in tile.mart_columns)
        connection.execute(f"create table results ({columns})")
        for severity in ("medium", "low", "critical", "high", "medium"):
            connection.execute(
                "insert into results (severity, check_name, subject, state, checked_at)"
                " values (?, 'freshness', 'a', 'failing', '2018-09-03')",
                [severity],
            )
        rows = connection.execute(tile_query(tile, "results")).fetchall()
    assert [severity for severity, *_ in rows] == ["critical", "high", "medium", "medium", "low"]


def test_a_value_on_the_edge_of_a_bin_is_in_the_bin_that_begins_there() -> None:
    """As doubles, 0.15 / 0.05 is less than 3."""
    [board] = [one for one in load_dashboards() if one.name == "customer_strategy"]
    values = ["0.149999", "0.15", "0.299999", "0.3", "0.35", "1", "7.5"]
    with duckdb.connect() as connection:
        connection.execute("create table people (clv_365d decimal(18, 6), state text)")
        connection.executemany("insert into people values (?, 'SP')", [[each] for each in values])
        statement = tile_query(board.tile("clv_distribution"), "people")
        rows = connection.execute(statement).fetchall()
    assert {(str(begin), number) for begin, number, *_ in rows} == {
        ("0.100000", 1),
        ("0.150000", 1),
        ("0.250000", 1),
        ("0.300000", 1),
        ("0.350000", 1),
        ("1.000000", 2),
    }
