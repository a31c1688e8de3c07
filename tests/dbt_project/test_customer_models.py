"""Scores of people, held against Python of their own; faults in them turn tests red."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from olist_workspace import Workspace

pytestmark = pytest.mark.slow

CUSTOMER_MODELS = [
    "int_rfm_segments", "int_model_parameters", "int_churn_features", "int_customer_360",
    "int_purchase_outlook", "int_spend_quantiles", "int_customer_lifetime_value",
    "mart_customer_strategy", "mart_unit_economics",
]  # fmt: skip
FEATURES = [
    "log_return_exposure", "log_active_days", "log_orders", "log_average_order_value",
    "late_order_share", "installment_order_share", "low_review_order_share",
]  # fmt: skip
# With its tests, but those that ask models of others too; unit tests say nothing of the rows.
BUILD = [
    "dbt", "--", "build", "--quiet", "--indirect-selection", "cautious",
    "--exclude-resource-type", "unit_test",
    "--select", *(f"+{model}" for model in CUSTOMER_MODELS),
]  # fmt: skip
HORIZON = 365
EXACT = 1e-9


@pytest.fixture(scope="module")
def built(copy_of_generated: Callable[[str], Workspace]) -> Workspace:
    return copy_of_generated("customers")


def parameters(workspace: Workspace, model: str) -> dict[str, float]:
    return dict(
        workspace.rows(f"select parameter, value from int_model_parameters where model = '{model}'")
    )


def segment(r: int, f: int, m: int) -> str:
    """The rules of the definition, in its words."""
    if r >= 4 and f >= 2 and m >= 4:
        return "Champions"
    if f >= 2 and r >= 3:
        return "Loyalists"
    if r >= 4 and f == 1 and m >= 3:
        return "Potential Loyalists"
    if r >= 4:
        return "New Customers"
    if r <= 2 and (f >= 2 or m >= 4):
        return "At-Risk"
    return "Needs Attention" if r == 3 else "Lost"


def percent_rank_scores(values: np.ndarray) -> np.ndarray:
    below = np.searchsorted(np.sort(values), values, side="left")
    return np.minimum(5, 1 + 5 * below // (len(values) - 1))


def test_rfm_and_segments_are_those_of_the_definition(built: Workspace) -> None:
    people = built.rows(
        "select customer_unique_id, "
        "date_diff('day', max(cast(order_purchase_timestamp as timestamp))::date, "
        "(select max(cast(order_purchase_timestamp as timestamp))::date from stg_raw)) as recency, "
        "count(*), sum(value) from stg_raw group by 1 order by 1".replace("stg_raw", RAW_VALID)
    )
    recency = np.array([row[1] for row in people])
    orders = np.array([row[2] for row in people])
    cents = np.array([int(row[3] * 100) for row in people])
    r, f, m = percent_rank_scores(-recency), np.minimum(orders, 5), percent_rank_scores(cents)
    expected = [
        (person[0], *scores, segment(*scores))
        for person, scores in zip(
            people, zip(r.tolist(), f.tolist(), m.tolist(), strict=True), strict=True
        )
    ]
    assert expected == built.rows(
        "select customer_unique_id, r_score, f_score, m_score, segment from int_customer_360 "
        "where orders > 0 order by 1"
    )
    assert {row[-1] for row in expected} >= {"Champions", "Lost", "New Customers", "At-Risk"}


RAW_VALID = """(
    with items as (
        select order_id, sum(price::decimal(18, 2) + freight_value::decimal(18, 2)) as value
        from (select distinct order_id, order_item_id, price, freight_value from raw.order_items)
        group by 1
    )
    select customer_unique_id, order_purchase_timestamp, coalesce(value, 0) as value
    from (select distinct order_id, customer_id, order_status, order_purchase_timestamp
          from raw.orders) as orders
    join (select distinct customer_id, customer_unique_id from raw.customers) using (customer_id)
    left join items using (order_id)
    where order_status not in ('canceled', 'unavailable')
)"""


def test_churn_is_the_logistic_regression_of_the_parameters(built: Workspace) -> None:
    weights = parameters(built, "churn")
    rows = built.rows(
        f"select churn_probability, {', '.join(FEATURES)} "
        "from int_customer_360 join int_churn_features using (customer_unique_id)"
    )
    assert len(rows) > 2000
    for probability, *features in rows:
        log_odds = weights["intercept"] + math.fsum(
            weights[name] * value for name, value in zip(FEATURES, features, strict=True)
        )
        assert probability == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-12)


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """2F1 by its own series, which the models do not use."""
    term, terms = 1.0, [1.0]
    for n in range(20_000):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        terms.append(term)
        if abs(term) < 1e-18:
            break
    return math.fsum(terms)


def closed_form(p: dict[str, float], x: int, t_x: int, observed: int) -> tuple[float, float]:
    """Probability alive and expected orders by Fader, Hardie and Lee (2005), equation 10."""
    r, alpha, a, b = p["r"], p["alpha"], p["a"], p["b"]
    odds_gone = a / (b + x - 1) * ((alpha + observed) / (alpha + t_x)) ** (r + x) if x > 0 else 0.0
    hyper = hypergeometric(r + x, b + x, a + b + x - 1, HORIZON / (alpha + observed + HORIZON))
    shrunk = ((alpha + observed) / (alpha + observed + HORIZON)) ** (r + x)
    expected = (a + b + x - 1) / (a - 1) * (1 - shrunk * hyper) / (1 + odds_gone)
    return 1 / (1 + odds_gone), expected


def test_expected_orders_are_those_of_the_closed_form(built: Workspace) -> None:
    p = parameters(built, "purchases")
    histories = built.rows(
        "select distinct orders - 1, active_days, tenure_days, p_alive, expected_orders_365d "
        "from int_customer_lifetime_value join int_customer_360 using (customer_unique_id)"
    )
    assert max(row[0] for row in histories) >= 2
    for x, t_x, observed, p_alive, expected in histories:
        alive, orders = closed_form(p, x, t_x, observed)
        assert p_alive == pytest.approx(alive, abs=EXACT)
        assert expected == pytest.approx(orders, abs=EXACT), (x, t_x, observed)


def test_the_interval_holds_what_the_models_draw(built: Workspace) -> None:
    """Drawn futures of people of every kind: the mean is clv_365d, 2.5 % at most lie above."""
    purchases, spend = parameters(built, "purchases"), parameters(built, "spend")
    rng = np.random.default_rng(7)
    people = built.rows(
        "select orders, active_days, tenure_days, orders_with_items, gross_order_value::double, "
        "clv_365d::double, clv_lower_95::double, clv_upper_95::double, p_alive "
        "from int_customer_lifetime_value join int_customer_360 using (customer_unique_id) "
        "qualify row_number() over (partition by orders, clv_upper_95 > clv_365d "
        "order by expected_orders_365d desc, customer_unique_id) <= 2"
    )
    assert any(row[7] > row[5] for row in people)
    draws = 200_000
    for orders, _, observed, valued, value, clv, lower, upper, p_alive in people:
        x = orders - 1
        rate = rng.gamma(purchases["r"] + x, 1 / (purchases["alpha"] + observed), draws)
        stop = rng.beta(purchases["a"], purchases["b"] + x, draws)
        alive = rng.random(draws) < p_alive
        events = np.where(alive, rng.poisson(rate * HORIZON), 0)
        # Orders up to and with the one that was the last.
        count = np.minimum(events, rng.geometric(np.maximum(stop, 1e-12)))
        scale = rng.gamma(spend["q"] + spend["p"] * valued, 1 / (spend["gamma"] + value), draws)
        total = np.where(
            count > 0, rng.gamma(np.maximum(count, 1) * spend["p"], 1, draws) / scale, 0
        )
        margin = total * 0.125
        error = float(margin.std()) / math.sqrt(draws)
        assert clv == pytest.approx(float(margin.mean()), abs=5 * error + 1e-6)
        above = float((margin > upper).mean())
        assert above <= 0.025 + 5 * math.sqrt(0.025 / draws)
        assert float((margin < lower).mean()) <= 0.025
        if upper > clv * 1.0001 and float((count > 1).mean()) < 0.001:
            # With one order at most the bound is exact, but for the rounding outwards.
            assert above > 0.02


FAULTS = {
    "row_count_is_int_rfm_segments": "delete from int_rfm_segments where r_score = 1 "
    "and f_score = 1 and m_score = 1",
    "holds_parameters_int_model_parameters": "delete from int_model_parameters "
    "where parameter = 'alpha'",
    "all_or_none_null_int_customer_360": "update int_customer_360 set churn_probability = null "
    "where customer_unique_id = (select max(customer_unique_id) from int_customer_360 "
    "where orders > 0)",
    "all_or_none_null_mart_customer_strategy": "update mart_customer_strategy set priority = null "
    "where customer_unique_id = (select max(customer_unique_id) from mart_customer_strategy "
    "where orders > 0)",
    "columns_in_order_int_customer_lifetime_value": "update int_customer_lifetime_value "
    "set clv_upper_95 = clv_365d - 0.000001 where customer_unique_id = "
    "(select max(customer_unique_id) from int_customer_lifetime_value where clv_365d > 1)",
    "columns_in_order_mart_unit_economics_returning": "update mart_unit_economics "
    "set returning_customers = active_customers + 1 where months_since_first = 1",
    "columns_in_order_mart_unit_economics_unattributed_gmv": "update mart_unit_economics "
    "set unattributed_gmv = gmv + 0.01 where months_since_first = 2",
    "assert_unit_economics_gmv_equals_staging": "update mart_unit_economics "
    "set gmv = gmv + 0.01 where months_since_first = 0 and cohort_month = "
    "(select max(cohort_month) from mart_unit_economics)",
    "assert_cohorts_have_every_month": "delete from mart_unit_economics "
    "where months_since_first = 3 and orders = 0",
    "assert_segments_hold_everybody_once": "update int_customer_360 set freight_revenue = "
    "freight_revenue + 0.01 where customer_unique_id = (select min(customer_unique_id) "
    "from int_customer_360 where orders > 0)",
    "assert_customers_share_all_gmv": "update int_customer_360 set gmv = gmv + 0.01 "
    "where customer_unique_id = (select max(customer_unique_id) from int_customer_360 "
    "where orders > 0)",
    "assert_spend_quantiles_are_whole": "delete from int_spend_quantiles "
    "where level_permille = 500 and orders_ahead = 1",
    "accepted_ranges_int_purchase_outlook": "update int_purchase_outlook "
    "set last_term = 0.00000001 where orders_ahead = 1",
    "accepted_value_sets_int_customer_360": "update int_customer_360 "
    "set segment = 'Whales' where segment = 'Champions'",
}  # fmt: skip


def test_every_test_of_people_goes_red(built: Workspace) -> None:
    margin = "assert_margin_rate_fits_the_rates"
    tests = [*(f"{family}*" for family in FAULTS), margin]
    # As it was built, with `--warn-error`, all of these were green.
    with built.restored():
        built.change(*FAULTS.values(), "update int_customer_360 set contribution_margin = 0")
        built.olist("dbt", "--", "test", "--quiet", "--select", *tests, expect=1)
        found = built.dbt_statuses()
        failed = {name for name, status in found.items() if status == "fail"}
        for family in FAULTS:
            assert any(name.startswith(family) for name in failed), (family, failed)
        assert found[margin] == "warn"


def test_gmv_of_people_whose_customer_is_refused_is_not_lost(built: Workspace) -> None:
    """A quarantined customer leaves an order without a person: cohorts still add up to staging."""
    with built.restored():
        built.change(
            "create temp table broken as select * from raw.customers where _source_row = 20",
            "update broken set customer_unique_id = null, "
            "_source_file = replace(_source_file, 'dt=20', 'dt=21'), "
            "_loaded_at = _loaded_at + interval 1 hour",
            "insert into raw.customers select * from broken",
        )
        built.olist(*BUILD)
        ((orders, gmv, per_person),) = built.rows(
            "select sum(unattributed_orders), sum(unattributed_gmv), sum(gmv - unattributed_gmv) "
            "from mart_unit_economics"
        )
        assert orders == 1
        assert gmv > 0
        assert [(per_person,)] == built.rows("select sum(gmv) from int_customer_360")


def test_marketing_edits_the_rules_in_one_place(built: Workspace) -> None:
    """The truth table of segments is checked against the seed's own rows."""
    folder = built.home / "dbt"
    rules = folder.resolve()
    try:
        folder.unlink()
        shutil.copytree(rules, folder)
        path = folder / "seeds" / "customer_segments.csv"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("1,Champions,4,5,2,5,4,5", "1,Champions,4,5,2,5,5,5"))
        # dbt's partial parse does not notice that a seed which a unit test reads has changed.
        printed = built.olist(
            "dbt", "--", "test", "--quiet", "--no-partial-parse", "--select", "int_rfm_segments",
            expect=1,
        )  # fmt: skip
        assert "every_combination_of_scores_has_its_segment" in printed
    finally:
        shutil.rmtree(folder)
        folder.symlink_to(rules)


def test_a_past_date_sees_the_same_in_training_and_when_it_was_today(built: Workspace) -> None:
    """No leakage: what training sees of a past date is what scoring saw on that day.

    Last, because dbt parses all again for other variables, and again for none.
    """
    past = "2018-02-28"
    with built.restored():
        built.olist(
            "dbt", "--", "compile", "--quiet", "--select", "churn_training_set",
            "--vars", f"{{churn_training_dates: ['{past}']}}",
        )  # fmt: skip
        (path,) = Path(built.home, "data").rglob("analyses/churn_training_set.sql")
        columns = ", ".join(["customer_unique_id", *FEATURES])
        sql = path.read_text(encoding="utf-8")
        trained = built.rows(f"select {columns} from ({sql}) order by 1")
        outcomes = built.rows(
            f"select count(*), count(*) filter (not churned) from ({sql}) as training "
        )
        expected = built.rows(
            "select count(distinct customer_unique_id), count(distinct case when "
            f"later between date '{past}' + 1 and date '{past}' + 180 then customer_unique_id end) "
            "from (select a.customer_unique_id, b.purchase_date as later from int_orders as a "
            "left join int_orders as b on a.customer_unique_id = b.customer_unique_id "
            f"and b.is_valid and b.purchase_date > date '{past}' "
            f"where a.is_valid and a.purchase_date <= date '{past}')"
        )
        assert outcomes == expected
        # As it was: deliveries and reviews of later days have not happened, orders are not placed.
        built.olist(
            "dbt", "--", "run", "--quiet", "--select", "int_orders", "int_churn_features",
            "--vars", f"{{as_of_date: '{past}'}}",
        )  # fmt: skip
        assert trained == built.rows(f"select {columns} from int_churn_features order by 1")
