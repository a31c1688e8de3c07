"""Tests of anomalies, fraud alerts and payment methods go red on faults; scores recomputed."""

import csv
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest

from olist_workspace import ROOT, Workspace
from yaml_files import read_yaml

pytestmark = pytest.mark.slow

MODELS = (
    "int_anomaly_measures",
    "int_anomaly_baselines",
    "int_order_anomalies",
    "mart_fraud_monitoring",
    "mart_payment_method_performance",
)
A_MONTH = "month = (select max(month) from mart_payment_method_performance where payment_value > 0)"

# By the start of the test's name; none of them hides another.
FAULTS = {
    "share_within_bounds_int_order_anomalies_anomaly_share_bounds": "update int_order_anomalies "
    "set is_anomaly = true",
    "share_within_bounds_int_order_anomalies_severe": "update int_order_anomalies "
    "set severity = 'Critical'",
    "median_within_bounds_int_order_anomalies": "update int_order_anomalies "
    "set z_value = z_value + 1",
    "assert_every_order_has_an_anomaly_score": "delete from int_order_anomalies "
    "where order_id = (select max(order_id) from int_order_anomalies where z_delivery is null)",
    "relationships_int_order_anomalies": "update int_order_anomalies set order_id = 'nowhere' "
    "where order_id = (select min(order_id) from int_order_anomalies)",
    "not_blank_mart_fraud_monitoring_reasons": "update mart_fraud_monitoring set reasons = ' ' "
    "where priority_rank = 1",
    "assert_fraud_value_at_risk_equals_payments": "update mart_fraud_monitoring "
    "set value_at_risk = value_at_risk + 0.01 where priority_rank = 1",
    "unique_mart_fraud_monitoring_priority_rank": "update mart_fraud_monitoring "
    "set priority_rank = 1 where priority_rank = 2",
    "assert_fraud_alerts_fit_the_budget": "insert into mart_fraud_monitoring "
    "select alerts.* from mart_fraud_monitoring as alerts cross join range(100)",
    "assert_payment_methods_equal_payments": "update mart_payment_method_performance "
    f"set payment_value = payment_value + 0.01 where {A_MONTH} and value_rank = 1",
    "assert_payment_shares_add_up_to_one": "update mart_payment_method_performance "
    f"set share_of_value = share_of_value - 0.001 where {A_MONTH} and value_rank = 1",
    "assert_installment_bands_add_up": "update mart_payment_method_performance "
    f"set long_value = long_value + 0.02 where {A_MONTH} and value_rank = 1",
    "unique_combination_int_anomaly_baselines": "insert into int_anomaly_baselines "
    "select * from int_anomaly_baselines where measure = 'value'",
}


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    return copy_of_generated("anomaly_faults")


def test_every_fault_turns_its_test_red(built: Workspace) -> None:
    # As it was built all of these were green.
    tests = [f"{name}*" for name in FAULTS]
    with built.restored():
        built.change(*FAULTS.values())
        built.olist("dbt", "--", "test", "--quiet", "--select", *tests, expect=1)
        failed = built.red_nodes()
        for name in FAULTS:
            assert any(test.startswith(name) for test in failed), (name, sorted(failed))


def test_robust_z_scores_recomputed_by_hand(built: Workspace) -> None:
    """With numpy and none of the project's SQL, straight from raw: the z_value of every order."""
    raw = built.rows(
        "select order_id, coalesce(english, portuguese, 'unknown'), price::double from ("
        " select distinct i.order_id, i.order_item_id, i.price,"
        " t.product_category_name_english as english, p.product_category_name as portuguese"
        " from raw.order_items as i left join raw.products as p using (product_id)"
        " left join raw.category_translation as t using (product_category_name))"
        " order by order_id, price::double desc, order_item_id::int"
    )
    prices: dict[str, list[float]] = defaultdict(list)
    category: dict[str, str] = {}
    for order_id, name, price in raw:
        prices[order_id].append(price)
        category.setdefault(order_id, name)
    logs = {order_id: float(np.log(sum(values))) for order_id, values in prices.items()}
    groups: dict[str, list[float]] = defaultdict(list)
    for order_id, value in logs.items():
        groups[category[order_id]].append(value)

    def centre_and_spread(values: list[float]) -> tuple[float, float]:
        centre = float(np.median(values))
        deviations = np.abs(np.array(values) - centre)
        mad = float(np.median(deviations))
        return centre, 1.4826 * mad if mad > 0 else 1.253314 * float(deviations.mean())

    everyone = list(logs.values())
    statistics = {
        name: centre_and_spread(values if len(values) >= 30 else everyone)
        for name, values in groups.items()
    }
    assert {len(values) >= 30 for values in groups.values()} == {True, False}
    scored = "select order_id, z_value from int_order_anomalies where z_value is not null"
    found: dict[str, float] = dict(built.rows(scored))
    assert found.keys() == logs.keys()
    for order_id, value in logs.items():
        centre, spread = statistics[category[order_id]]
        assert found[order_id] == pytest.approx((value - centre) / spread, abs=1e-6), order_id


@pytest.mark.parametrize(
    ("seed", "model"),
    [
        ("anomaly_signals", "models/intermediate/int_order_anomalies.yml"),
        ("fraud_rules", "models/marts/operations/mart_fraud_monitoring.yml"),
    ],
)
def test_the_model_evaluates_the_rules_of_its_seed_in_that_order(seed: str, model: str) -> None:
    """A misspelt rule would be switched off without a word."""
    with (ROOT / "dbt" / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        rules = [row["rule_id"] for row in csv.DictReader(file)]
    (described,) = read_yaml(ROOT / "dbt" / model)["models"]
    columns = [column["name"] for column in described["columns"]]
    assert [name.removeprefix("has_") for name in columns if name.startswith("has_")] == rules


def test_a_rule_without_a_row_is_switched_off(built: Workspace) -> None:
    with built.restored():
        ((fired,),) = built.rows("select count(*) from int_order_anomalies where has_unusual_value")
        assert fired > 0
        built.change("delete from anomaly_signals where rule_id = 'unusual_value'")
        built.olist("dbt", "--", "run", "--quiet", "--select", "int_order_anomalies")
        assert built.rows(
            "select count(*) from int_order_anomalies where has_unusual_value "
            "or anomaly_score is null"
        ) == [(0,)]


def test_the_as_of_date_settles_deadlines_and_not_the_clock(built: Workspace) -> None:
    alerts = "select * from mart_fraud_monitoring order by all"
    command = ("dbt", "--", "run", "--quiet", "--select", "int_orders", *MODELS)
    with built.restored():
        first = built.rows(alerts)
        built.olist(*command)
        assert built.rows(alerts) == first
        built.olist(*command, "--vars", "{as_of_date: '2018-03-31'}")
        ((latest,),) = built.rows("select max(purchase_date)::varchar from int_order_anomalies")
        assert latest <= "2018-03-31"
        assert built.rows(
            "select count(*) from mart_fraud_monitoring where as_of_date <> '2018-03-31' "
            "or (alert_status = 'Open') <> (respond_by >= '2018-04-01 03:00:00')"
        ) == [(0,)]
