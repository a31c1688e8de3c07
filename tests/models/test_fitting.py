"""Fitting on a warehouse: what is stored, what scores, and that SQL scores as the library does."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import StoredAlert
from olist_platform.alerts.router import open_outbox
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.predictions.backtest.forecasts import monthly_sales
from olist_platform.predictions.backtest.segments import segments_at
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.fitting import fit_models, fit_when_due
from olist_platform.predictions.forecast_method import ForecastRule, forecast
from olist_platform.predictions.gamma_gamma import GammaGamma
from olist_platform.predictions.lifetime_value import LifetimeValueModel
from olist_platform.predictions.model_fit import ModelName
from olist_platform.predictions.parameter_store import ParameterStore, StoredFit
from olist_platform.predictions.person_orders import PeopleThen, PersonOrders
from olist_platform.predictions.training_data import (
    TrainingSql,
    compile_training_sql,
    read_training_data,
)
from olist_platform.predictions.warehouse import open_predictions
from olist_platform.predictions.wilson import wilson_interval
from olist_platform.project_vars import project_vars
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

FIRST = datetime(2018, 10, 18, 12, tzinfo=UTC)
EXACT = 1e-9
ORDINARY = "model_minimum_events: {churn: 100, purchases: 200, spend: 200}"
FEW = "model_minimum_events: {churn: 5, purchases: 20, spend: 20}"
ORDINARY_JUDGED = "model_minimum_judged_events: 20"
FEW_JUDGED = "model_minimum_judged_events: 1"
SCORES = ("int_model_parameters", "int_customer_360", "int_purchase_outlook", "int_spend_quantiles",
          "int_customer_lifetime_value")  # fmt: skip
PAST_DATES = "{churn_training_dates: ['2017-09-30', '2018-02-28']}"


@dataclass(frozen=True)
class Fitted:
    """Three fits: of too little data, of enough by a lower threshold, and the same once more."""

    workspace: Workspace
    environment: Environment
    thin: list[StoredFit]
    origins_when_thin: list[tuple[Any, ...]]
    unscored_when_thin: int
    accepted: list[StoredFit]
    again: list[StoredFit]
    due: list[list[StoredFit]]
    told: list[StoredAlert]


@pytest.fixture(scope="module")
def fitted(copy_of_generated: Callable[[str], Workspace]) -> Iterator[Fitted]:
    workspace = copy_of_generated("fitting")
    project = workspace.home / "dbt"
    source = project.resolve()
    project.unlink()
    shutil.copytree(source, project)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.environment_variables().items():
            patch.setenv(name, value)
        patch.delenv("OLIST_GIT_SHA", raising=False)
        environment = load_environment(EnvironmentName.LOCAL)
        due = [fit_when_due(environment, FIRST)]
        due.append(fit_when_due(environment, FIRST + timedelta(days=6, hours=23)))
        told = open_outbox(environment).alerts()
        origins = workspace.rows(
            "select distinct model, origin from int_model_parameters order by 1"
        )
        unscored = workspace.rows(
            "select count(*) from int_customer_360 left join int_customer_lifetime_value "
            "using (customer_unique_id) where orders > 0 and (churn_probability is null "
            "or p_alive is null or clv_365d is null)"
        )
        path = project / "dbt_project.yml"
        text = path.read_text(encoding="utf-8")
        assert ORDINARY in text
        assert ORDINARY_JUDGED in text
        path.write_text(text.replace(ORDINARY, FEW).replace(ORDINARY_JUDGED, FEW_JUDGED))
        accepted = fit_when_due(environment, FIRST + timedelta(days=7))
        again = fit_models(environment, FIRST + timedelta(days=8))
        workspace.olist("dbt", "--", "run", "--quiet", "--select", *SCORES)
        yield Fitted(
            workspace, environment, due[0], origins, unscored[0][0], accepted, again, due, told
        )


def stored(fitted: Fitted, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    table = "monitoring.fitted_model_parameters"
    return fitted.workspace.rows(f"select {columns} from {table} where {where} order by all")


def test_too_little_data_is_stored_and_told_and_the_default_scores(fitted: Fitted) -> None:
    assert {fit.model for fit in fitted.thin} == set(ModelName)
    assert not any(fit.is_accepted for fit in fitted.thin)
    for fit in fitted.thin:
        assert fit.reason.startswith("Too little data: ")
    assert fitted.origins_when_thin == [(model.value, "default") for model in sorted(ModelName)]
    assert fitted.unscored_when_thin == 0
    assert {(each.alert.signal, each.alert.subject) for each in fitted.told} == {
        (Signal.MODEL_FIT, model) for model in ModelName
    }
    assert {each.alert.severity for each in fitted.told} == {Severity.LOW}
    assert {each.alert.details[0] for each in fitted.told} == {fit.reason for fit in fitted.thin}


def test_an_accepted_fit_resolves_the_alert(fitted: Fitted) -> None:
    still_open = {each.alert.subject for each in open_outbox(fitted.environment).alerts()}
    refused = {fit.model.value for fit in fitted.again if not fit.is_accepted}
    assert still_open == refused
    assert len(refused) < len(ModelName)


def test_a_fit_is_made_when_it_is_due(fitted: Fitted) -> None:
    assert fitted.due[1] == []
    assert [fit.version for fit in fitted.accepted] == [2, 2, 2]
    moments = {moment for (moment,) in stored(fitted, "distinct fitted_at")}
    expected = [FIRST, FIRST + timedelta(days=7), FIRST + timedelta(days=8)]
    assert moments == {moment.replace(tzinfo=None) for moment in expected}


def test_the_same_data_give_the_same_fit(fitted: Fitted) -> None:
    columns = (
        "model, parameter, value, standard_error, training_window, training_rows, training_events,"
        " data_checksum, code_version, fitted_with"
    )
    second, third = (stored(fitted, columns, f"version = {version}") for version in (2, 3))
    assert second == third
    assert len(second) == 8 + 4 + 3
    first = stored(fitted, "model, parameter, value, data_checksum", "version = 1")
    assert first == stored(fitted, "model, parameter, value, data_checksum", "version = 2")
    [(codes,)] = stored(fitted, "count(distinct code_version)")
    assert codes == 1


def test_the_newest_accepted_version_scores(fitted: Fitted) -> None:
    chosen = {
        model: (origin, version)
        for model, origin, version in fitted.workspace.rows(
            "select distinct model, origin, version from int_model_parameters"
        )
    }
    with open_predictions(fitted.environment) as warehouse:
        store = ParameterStore(warehouse, fitted.environment.names)
        scoring = store.scoring()
    assert chosen == {model.value: (fit.origin, fit.version) for model, fit in scoring.items()}
    assert "fitted" in {origin for origin, _ in chosen.values()}


def parameters(fitted: Fitted, model: ModelName) -> dict[str, float]:
    return dict(
        fitted.workspace.rows(
            f"select parameter, value from int_model_parameters where model = '{model}'"
        )
    )


def test_sql_and_library_agree_on_churn(fitted: Fitted) -> None:
    """scikit-learn's own probabilities, from the stored weights."""
    weights = parameters(fitted, ModelName.CHURN)
    names = [name for name in weights if name != "intercept"]
    rows = fitted.workspace.rows(
        f"select churn_probability, {', '.join(names)} "
        "from int_customer_360 join int_churn_features using (customer_unique_id)"
    )
    table = np.array(rows, dtype=np.float64)
    regression = LogisticRegression()
    regression.classes_ = np.array([False, True])
    regression.coef_ = np.array([[weights[name] for name in names]])
    regression.intercept_ = np.array([weights["intercept"]])
    expected = regression.predict_proba(table[:, 1:])[:, 1]
    assert len(table) > 4000
    np.testing.assert_allclose(table[:, 0], expected, rtol=0, atol=EXACT)
    assert table[:, 0].min() >= 0
    assert table[:, 0].max() <= 1


def test_sql_and_library_agree_on_lifetime_value(fitted: Fitted) -> None:
    table = np.array(
        fitted.workspace.rows(
            "select orders - 1, active_days, tenure_days, orders_with_items, "
            "gross_order_value::double, contribution_margin::double, p_alive, "
            "expected_orders_365d, clv_365d::double, clv_lower_95::double, clv_upper_95::double "
            "from int_customer_lifetime_value join int_customer_360 using (customer_unique_id)"
        ),
        dtype=np.float64,
    )
    repeats, active, observed, valued, spent, margin = table[:, :6].T
    alive, expected, clv, lower, upper = table[:, 6:].T
    histories = Histories(repeats, active, observed, np.ones(len(table)))
    people = PeopleThen(
        np.arange(len(table)),
        histories,
        valued,
        spent,
        margin,
        np.zeros(len(table), dtype=np.int64),
    )
    purchases = BGNBD.of(parameters(fitted, ModelName.PURCHASES))
    model = LifetimeValueModel(
        purchases, GammaGamma.of(parameters(fitted, ModelName.SPEND)),
        project_vars()["contribution_margin_rate"],
    )  # fmt: skip
    values = model.predict(people, 365)
    np.testing.assert_allclose(alive, purchases.probability_alive(histories), rtol=0, atol=EXACT)
    np.testing.assert_allclose(expected, values.expected_orders, rtol=0, atol=EXACT)
    np.testing.assert_allclose(clv, values.expected_margin, rtol=0, atol=2e-6)
    assert np.all((lower <= clv) & (clv <= upper) & (lower >= 0))
    # SQL takes quantiles from a grid, to the outside: its interval is the wider one, by little.
    assert np.all(upper >= values.upper_95 - 2e-6)
    assert np.all(lower <= values.lower_95 + 2e-6)
    assert np.all(upper <= values.upper_95 * 1.15 + 0.01)


def training_frames(
    environment: Environment, sql: TrainingSql
) -> tuple[pl.DataFrame, PersonOrders]:
    with open_predictions(environment) as warehouse:
        return warehouse.frame(sql.churn), read_training_data(warehouse, sql).orders


def test_a_future_event_changes_no_feature_of_the_past(fitted: Fitted) -> None:
    """A person buys, is delivered late and complains, all behind the last reference date."""
    with fitted.workspace.restored():
        sql = compile_training_sql(fitted.environment, PAST_DATES)
        before, orders_before = training_frames(fitted.environment, sql)
        [(order, customer)] = fitted.workspace.rows(
            "select order_id, customer_id from staging.base_orders "
            "where purchased_local_at between '2017-06-01' and '2017-07-01' "
            "and order_status = 'delivered' and quarantine_reason is null order by 1 limit 1"
        )
        [(person,)] = fitted.workspace.rows(
            f"select customer_unique_id from stg_customers where customer_id = '{customer}'"
        )
        fitted.workspace.change(
            "insert into staging.base_customers select * replace ('future' as customer_id, "
            "'future' as record_key) from staging.base_customers "
            f"where customer_id = '{customer}'",
            "insert into staging.base_orders select * replace ('future' as order_id, 'future' as "
            "customer_id, 'future' as record_key, purchased_local_at + interval 300 day as "
            "purchased_local_at, delivered_local_at + interval 330 day as delivered_local_at, "
            "purchased_at + interval 300 day as purchased_at, "
            "delivered_at + interval 330 day as delivered_at) "
            f"from staging.base_orders where order_id = '{order}'",
            "insert into staging.base_order_items select * replace ('future' as order_id, "
            "'future' as record_key, price * 50 as price) from staging.base_order_items "
            f"where order_id = '{order}'",
            "insert into staging.base_reviews select * replace ('future' as review_id, 'future' as "
            "record_key, 1 as review_score, timestamp '2018-06-01' as created_local_at, "
            "timestamp '2018-06-02' as answered_local_at, timestamp '2018-06-01' as created_at, "
            "timestamp '2018-06-02' as answered_at) from staging.base_reviews "
            f"where order_id = '{order}'",
        )
        after, orders_after = training_frames(fitted.environment, sql)
        assert len(orders_after.day) == len(orders_before.day) + 1
    keys = ["reference_date", "customer_unique_id"]
    features = [name for name in before.columns if name != "churned"]
    assert before.select(features).sort(keys).equals(after.select(features).sort(keys))
    # What it did change is the outcome of that person after the latest date.
    changed = before.join(after, on=keys).filter(pl.col("churned") != pl.col("churned_right"))
    assert changed.select(keys).rows() == [(date(2018, 2, 28), person)]
    # Nor does any model see of an earlier day what came later.
    then = [orders.seen_at(date(2018, 2, 28)) for orders in (orders_before, orders_after)]
    for name in ("repeats", "active_days"):
        first, second = (getattr(each.histories, name) for each in then)
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(then[0].spent, then[1].spent)


def test_the_forecast_is_that_of_sql(fitted: Fitted) -> None:
    rule = ForecastRule.of(project_vars())
    cells = pl.DataFrame(
        fitted.workspace.rows(
            "select month, 'all', category, sum(gmv)::double from int_sales_analysis group by all"
        ),
        schema=["month", "region", "category", "gmv"],
        orient="row",
    )
    made = fitted.workspace.rows(
        "select origin_month, horizon, forecast_gmv::double, forecast_level::double "
        f"from int_gmv_forecasts where horizon <= {rule.horizon_months} order by 1, 2"
    )
    months = sorted({row[0] for row in made})
    sales = monthly_sales(cells, pl.DataFrame({"month": months}))
    [series] = sales.by_level["platform"].values()
    assert len(months) > 15
    for month, horizon, value, level in made:
        known = months.index(month) + 1
        found = forecast(series[:known], sales.calendar_month[:known], rule)
        assert found.values[horizon - 1] == pytest.approx(value, abs=0.0051)
        assert found.levels[horizon - 1] == pytest.approx(level, abs=0.0051)


def test_segments_are_those_of_sql(fitted: Fitted) -> None:
    [(last,)] = fitted.workspace.rows("select max(as_of_date) from int_customer_360")
    frame = pl.DataFrame(
        fitted.workspace.rows(
            "select customer_unique_id, order_id, customer_region, purchased_at, purchase_date, "
            f"date '{last}', timestamp '{last}' + interval 27 hour, "
            "(gmv + freight_revenue)::double, items > 0, 0.0 from int_orders "
            "where is_valid and customer_unique_id is not null order by 1, 4, 2"
        ),
        schema=["customer_unique_id", "order_id", "region", "purchased_at", "purchase_date",
                "observation_end", "observed_until", "order_value", "has_items",
                "contribution_margin"],
        orient="row",
    )  # fmt: skip
    orders = PersonOrders.of(frame)
    rules = pl.DataFrame(
        fitted.workspace.rows(
            "select priority, segment, min_r_score, max_r_score, min_f_score, max_f_score, "
            "min_m_score, max_m_score from staging.customer_segments"
        ),
        schema=["priority", "segment", "min_r_score", "max_r_score", "min_f_score", "max_f_score",
                "min_m_score", "max_m_score"],
        orient="row",
    )  # fmt: skip
    found = {
        orders.people[number]: name for number, name in segments_at(orders, last, rules).items()
    }
    assert found == dict(
        fitted.workspace.rows(
            "select customer_unique_id, segment from int_customer_360 where orders > 0"
        )
    )


def test_retention_has_wilsons_interval(fitted: Fitted) -> None:
    rows = fitted.workspace.rows(
        "select active_customers, cohort_size, retention_lower_95, retention_upper_95 "
        "from mart_unit_economics where cohort_size > 0"
    )
    assert len(rows) > 100
    for active, size, lower, upper in rows:
        assert (lower, upper) == pytest.approx(wilson_interval(active, size), abs=1e-12)


def test_a_version_is_never_half_written(fitted: Fitted) -> None:
    """A row that the table refuses takes the whole version with it."""
    fit = replace(fitted.accepted[0], version=99)
    rows = [
        {"model": fit.model.value, "version": 99, "parameter": name, "value": value}
        for name, value in (("first", 1.0), ("second", "no number"))
    ]
    with (
        open_predictions(fitted.environment, read_only=False) as warehouse,
        pytest.raises(Exception, match="no number"),
    ):
        warehouse.insert("monitoring.fitted_model_parameters", rows)
    assert stored(fitted, "count(*)", "version = 99") == [(0,)]


def test_show_says_what_scores_and_where_it_comes_from(fitted: Fitted) -> None:
    printed = fitted.workspace.olist("models", "show")
    assert "log_recency_days" in printed
    assert "95 % interval" in printed
    for fit in fitted.again:
        if fit.is_accepted:
            assert f"{fit.model} fitted 3 scores: {fit.reason}" in printed
    everything = fitted.workspace.olist("models", "show", "--all")
    assert "purchases fitted 1 does not score: Too little data" in everything
    refused = fitted.workspace.olist("models", "fit", "--at", "yesterday", expect=1)
    assert "'yesterday' is no moment with a time zone" in refused
