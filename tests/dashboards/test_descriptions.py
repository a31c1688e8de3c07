"""Descriptions of dashboards fit the marts, and a description that does not is refused."""

import shutil
from pathlib import Path

import pytest
import yaml

from edited_files import replace_text
from olist_platform.dashboards.catalog import (
    DASHBOARDS,
    descriptions_folder,
    load_dashboards,
    read_additive_columns,
)
from olist_platform.dashboards.contracts import read_contracts, read_owners
from olist_platform.dashboards.description import Role, TileKind
from olist_platform.dashboards.exposures import exposures_path, exposures_text
from olist_platform.dashboards.tile_query import choice_query, period_query, tile_query
from olist_platform.errors import OlistError
from olist_workspace import ROOT
from yaml_files import read_yaml


@pytest.fixture
def descriptions(tmp_path: Path) -> Path:
    return Path(shutil.copytree(descriptions_folder(), tmp_path / "dashboards"))


def test_every_column_stands_in_a_contract_of_dbt() -> None:
    contracts = read_contracts()
    assert len(contracts) >= 15
    named = [
        (tile.mart, column)
        for dashboard in load_dashboards()
        for tile in dashboard.tiles
        for column in tile.mart_columns
    ]
    assert len(named) > 150
    assert [(mart, column) for mart, column in named if column not in contracts[mart].columns] == []


def test_the_tile_that_the_documentation_shows_is_a_real_one() -> None:
    page = (ROOT / "platform" / "docs" / "dashboards.md").read_text(encoding="utf-8")
    [shown] = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    pages = read_yaml(descriptions_folder() / "executive_performance.yaml")["pages"]
    [real] = [tile for one in pages for tile in one["tiles"] if tile["name"] == shown["name"]]
    assert shown.items() <= real.items()


@pytest.mark.parametrize(
    ("before", "fault"),
    [
        ("description: First local day of the period.", "period_start: it has no description"),
        ("data_type: date", "period_start: it has no data_type"),
        ("grain: ", "mart_executive_kpis: it has no grain"),
    ],
)
def test_what_a_page_shows_and_a_contract_lacks_is_named(
    tmp_path: Path, before: str, fault: str
) -> None:
    folder = tmp_path / "models" / "marts"
    folder.mkdir(parents=True)
    name = "mart_executive_kpis.yml"
    shutil.copy(ROOT / "dbt" / "models" / "marts" / "executive" / name, folder / name)
    replace_text(folder / name, before, "label: ")
    with pytest.raises(OlistError, match=rf"{name}: .*{fault}") as caught:
        read_contracts(tmp_path)
    assert caught.value.mend == "see CONTRIBUTING.md, dbt"


def test_what_readers_were_promised_is_there() -> None:
    promised = {
        "executive_performance": {
            *("gmv", "next_month", "worst_lanes", "gmv_forecast", "states", "penetration"),
            *("penetration_trend", "on_time_trend", "review_trend", "alerts"),
        },
        "operations_intelligence": {
            *("seller_health", "interventions", "sellers_to_take_up", "lanes", "lane_percentiles"),
            *("fraud_by_severity", "fraud_queue", "payment_methods"),
        },
        "customer_strategy": {
            *("segments", "rfm_grid", "retention", "clv_distribution", "clv_by_segment"),
            *("churn_risk", "campaigns", "ltv_to_cac", "cohorts"),
        },
        "platform_health": {
            *("quality_scores", "order_volume", "freshness", "tests", "failures", "builds"),
            *("cost_by_day", "credits_by_day", "invocations", "models"),
        },
    }
    there = {board.name: {tile.name for tile in board.tiles} for board in load_dashboards()}
    assert list(there) == list(DASHBOARDS)
    assert {
        name: tiles - there[name] for name, tiles in promised.items() if tiles - there[name]
    } == {}


@pytest.mark.parametrize(
    ("dashboard", "before", "after", "fault"),
    [
        (
            "executive_performance",
            "column: aov,",
            "column: average_basket,",
            "no column 'average_basket'",
        ),
        (
            "executive_performance",
            "mart_executive_kpis\n        rows",
            "mart_kpis\n        rows",
            "'mart_kpis' is no mart",
        ),
        (
            "executive_performance",
            "  - name: period\n",
            "  - name: quarter\n",
            "has no filter 'period'",
        ),
        (
            "executive_performance",
            "down: operations_intelligence.lanes",
            "down: operations_intelligence.roads",
            "'operations_intelligence.roads' is no tile",
        ),
        (
            "executive_performance",
            "owner: finance_reporting",
            "owner: the_cfo",
            "owner 'the_cfo' is no group",
        ),
        (
            "executive_performance",
            "format: money, unit: BRL}",
            "format: money}",
            "a unit belongs to numbers",
        ),
        ("executive_performance", "kind: ranking", "kind: pie", "kind"),
        (
            "executive_performance",
            "column: gmv, aggregate: sum",
            "column: gmv",
            "say how its values are aggregated",
        ),
        (
            "executive_performance",
            "freight_revenue, aggregate",
            "delivered_orders, aggregate",
            "does not add up over seller_state",
        ),
        (
            "executive_performance",
            "column: is_forecast, label",
            "column: is_alert, label",
            "ordered by 'is_forecast', not shown",
        ),
        (
            "operations_intelligence",
            "column: order_id,",
            "column: customer_unique_id,",
            "tells of a person",
        ),
        (
            "operations_intelligence",
            "order: [{by: value_rank}]}\n        filters: {period: month}",
            "order: [{by: value_rank}]}",
            "nothing tells its rows apart by month",
        ),
        (
            "customer_strategy",
            "column: state}\npages",
            "column: state, where: {region: South}}\npages",
            "a choice has no where",
        ),
        (
            "customer_strategy",
            "kind: range\n",
            "kind: range\n        filters: {state: state}\n",
            "it cannot be filtered",
        ),
        (
            "platform_health",
            "name: platform_health",
            "name: health",
            "the file's name says 'platform_health'",
        ),
    ],
)
def test_a_wrong_description_is_refused_by_name(
    descriptions: Path, dashboard: str, before: str, after: str, fault: str
) -> None:
    path = descriptions / f"{dashboard}.yaml"
    replace_text(path, before, after)
    with pytest.raises(OlistError) as refused:
        load_dashboards(descriptions)
    assert str(path) in refused.value.message
    assert fault in refused.value.message


def test_no_tile_computes_what_a_mart_holds(descriptions: Path) -> None:
    """The month's GMV summed from lanes is refused: mart_executive_kpis and others hold it."""
    replace_text(
        descriptions / "executive_performance.yaml",
        "column: customer_state, label: State of the customers, format: text}",
        "column: month, label: Month, format: month}",
    )
    replace_text(
        descriptions / "executive_performance.yaml",
        ", {by: customer_state}]\n          show",
        "]\n          show",
    )
    with pytest.raises(OlistError) as refused:
        load_dashboards(descriptions)
    assert "tile 'states': mart_executive_kpis holds gmv by month" in refused.value.message


def test_what_may_be_summed_are_amounts_and_counts_of_the_grain() -> None:
    """A rate or an average is a double in the contracts."""
    contracts = read_contracts()
    for mart, columns in read_additive_columns().items():
        for column, over in columns.items():
            assert contracts[mart].columns[column].data_type != "double", (mart, column)
            assert set(over) <= set(contracts[mart].grain), (mart, column)


def test_words_in_their_order_are_those_that_dbt_accepts() -> None:
    """A word that is not listed has no colour of its own and comes last."""
    accepted = {
        (model["name"], column): set(words)
        for path in (ROOT / "dbt" / "models" / "marts").rglob("*.yml")
        for model in read_yaml(path).get("models", ())
        for test in model.get("data_tests", ())
        if isinstance(test, dict) and "accepted_value_sets" in test
        for column, words in test["accepted_value_sets"]["arguments"]["values"].items()
    }
    listed = {
        (tile.mart, one.by): set(one.values)
        for board in load_dashboards()
        for tile in board.tiles
        for one in tile.rows.order
        if one.values and tile.mart.startswith("mart_")
    }
    assert len(listed) == 3
    assert listed == {name: accepted[name] for name in listed}


def test_the_default_month_holds_as_many_orders_as_alerts_ask_for() -> None:
    project = read_yaml(ROOT / "dbt" / "dbt_project.yml")
    fewest = project["vars"]["kpi_alert_minimum_orders"]
    periods = [one for board in load_dashboards() for one in board.filters if one.name == "period"]
    assert len(periods) == 2
    for period in periods:
        assert period.model_dump()["default_where"] == {
            "orders_placed": {"at_least": float(fewest), "at_most": None}
        }


def test_what_fast_deliveries_flatter_waits_for_the_others() -> None:
    project = read_yaml(ROOT / "dbt" / "dbt_project.yml")
    share = project["vars"]["kpi_settled_delivered_share"]
    tiles = {tile.name: tile for board in load_dashboards() for tile in board.tiles}
    flattered = {
        name: tile
        for name, tile in tiles.items()
        if tile.mart == "mart_executive_kpis"
        and tile.only(Role.VALUE).key in ("on_time_rate", "avg_review_score", "avg_delivery_days")
    }
    assert {name: tile.kind for name, tile in flattered.items()} == {
        "on_time": TileKind.KPI,
        "review_score": TileKind.KPI,
        "on_time_trend": TileKind.LINE,
        "review_trend": TileKind.LINE,
        "delivery_days_trend": TileKind.LINE,
    }
    for name, tile in flattered.items():
        if tile.kind is TileKind.KPI:
            assert tile.target is not None
            assert str(tile.target.column).startswith("settled_"), name
        else:
            least = tile.model_dump()["rows"]["where"]["delivered_share"]["at_least"]
            assert least == share, name
        assert share == 0.9
        assert "nine in ten" in tile.note, name


def test_a_chart_over_months_says_what_few_orders_do_to_it() -> None:
    tiles = {tile.name: tile for board in load_dashboards() for tile in board.tiles}
    fewest = {
        name: f"{float(bounds['at_least']):g}"
        for name, tile in tiles.items()
        if tile.kind is TileKind.LINE
        for column, bounds in tile.model_dump()["rows"]["where"].items()
        if column in ("orders", "orders_placed")
    }
    assert fewest == {
        "penetration_trend": "100",
        "on_time_trend": "100",
        "review_trend": "100",
        "delivery_days_trend": "100",
        "payment_shares": "10",
    }
    for name, number in fewest.items():
        assert f"Months with at least {number} orders" in tiles[name].note
    # These keep every month: an amount of few orders is small, and what is not bought is no share.
    for name, said in (
        ("gmv_forecast", "where an extract of data ends, GMV falls to next to nothing"),
        ("retention", "its cells near 0 % are no loss of customers"),
    ):
        assert said in tiles[name].note


def test_a_sum_of_runs_is_not_called_a_number_of_tests() -> None:
    """A test that ran six times on a day counts six times."""
    [health] = [board for board in load_dashboards() if board.name == "platform_health"]
    tests = health.tile("tests")
    assert [column.key for column in tests.of_role(Role.VALUE)] == ["runs"]
    assert tests.title == "Test runs of the last day"
    assert {column.unit for column in tests.columns if column.aggregate} == {"runs"}


def test_exposures_are_current() -> None:
    expected = exposures_text(load_dashboards(), read_owners(), read_contracts())
    assert exposures_path().read_text(encoding="utf-8") == expected


def test_questions_are_what_a_description_says() -> None:
    boards = {board.name: board for board in load_dashboards()}
    executive = boards["executive_performance"]
    order = (
        "order by on_time_rate nulls last, late_orders desc nulls last,"
        " seller_state nulls last, customer_state nulls last, delivered_orders nulls last,"
        " month nulls last"
    )
    assert tile_query(executive.tile("worst_lanes"), "lanes") == (
        "select * from (select seller_state as seller_state, customer_state as customer_state,"
        " on_time_rate as on_time_rate, late_orders as late_orders,"
        " delivered_orders as delivered_orders, month as month from (select * from lanes where"
        " is_complete = true and needs_attention is not null) as selected) as shown qualify"
        f" row_number() over (partition by month {order}) <= 3 {order}"
    )
    assert tile_query(executive.tile("states"), "lanes") == (
        "select * from (select customer_state as customer_state, sum(gmv) as gmv,"
        " sum(freight_revenue) as freight_revenue, month as month from (select * from lanes where"
        " is_complete = true) as selected group by customer_state, month) as shown"
        " order by gmv desc nulls last, customer_state nulls last, freight_revenue nulls last,"
        " month nulls last"
    )
    assert period_query(executive.filters[0], "kpis") == (
        "select period_start as value, max(case when orders_placed >= 100 then 1 else 0 end) = 1 as"
        " default_one from kpis where period_type = 'month' and is_complete = true group by"
        " period_start having period_start is not null order by value"
    )
    operations = boards["operations_intelligence"]
    named = [operations.columns_of(one) for one in operations.filters[1:]]
    assert named == [
        (
            ("mart_seller_management", "state"),
            ("mart_logistics_performance", "customer_state"),
            ("mart_fraud_monitoring", "customer_state"),
        ),
        (("mart_seller_management", "top_category"), ("mart_fraud_monitoring", "main_category")),
    ]
    assert choice_query(named[1]) == (
        "select value from (select top_category as value from mart_seller_management union"
        " select main_category as value from mart_fraud_monitoring) as known"
        " where value is not null order by value"
    )
