"""Fitting on a warehouse: what is stored, what scores, and that SQL scores as the library does."""

import shutil
from collections.abc import Callable, Iterator, Mapping
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
from olist_platform.predictions.arrays import Floats
from olist_platform.predictions.backtest.segments import segments_at
from olist_platform.predictions.bg_nbd import BGNBD, Histories
from olist_platform.predictions.compiled_sql import last_compiled_nodes
from olist_platform.predictions.fit_schedule import fit_when_due
from olist_platform.predictions.gamma_gamma import GammaGamma
from olist_platform.predictions.lifetime_value import LifetimeValueModel
from olist_platform.predictions.model_fit import ModelName
from olist_platform.predictions.parameter_store import ParameterStore, StoredFit
from olist_platform.predictions.person_orders import PeopleThen, PersonOrders
from olist_platform.predictions.training_data import (
    TrainingSql,
    read_training_data,
    training_sql,
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


@dataclass(frozen=True)
class Fitted:
    """Two fits of the same data: too little of it, and enough by a lower threshold."""

    workspace: Workspace
    environment: Environment
    thin: list[StoredFit]
    origins_when_thin: list[tuple[Any, ...]]
    unscored_when_thin: int
    accepted: list[StoredFit]
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
        workspace.olist("dbt", "--", "run", "--quiet", "--select", *SCORES)
        yield Fitted(workspace, environment, due[0], origins, unscored[0][0], accepted, due, told)


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
    refused = {fit.model.value for fit in fitted.accepted if not fit.is_accepted}
    assert still_open == refused
    assert len(refused) < len(ModelName)


def test_a_fit_is_made_when_it_is_due(fitted: Fitted) -> None:
    assert fitted.due[1] == []
    assert [fit.version for fit in fitted.accepted] == [2, 2, 2]
    moments = {moment for (moment,) in stored(fitted, "distinct fitted_at")}
    expected = [FIRST, FIRST + timedelta(days=7)]
    assert moments == {moment.replace(tzinfo=None) for moment in expected}


def test_the_same_data_give_the_same_fit(fitted: Fitted) -> None:
    columns = (
        "model, parameter, value, standard_error, training_window, training_rows, training_events,"
        " data_checksum, code_version, fitted_with"
    )
    first, second = (stored(fitted, columns, f"version = {version}") for version in (1, 2))
    assert first == second
    assert len(first) == 8 + 4 + 3
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
        sql = training_sql(last_compiled_nodes(fitted.environment))
        before, orders_before = training_frames(fitted.environment, sql)
        [(order, customer, bought)] = fitted.workspace.rows(
            "select order_id, customer_id, (purchased_local_at + interval 300 day)::date "
            "from staging.base_orders "
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
    # What it did change is the outcome of that person after the dates whose window it lies in.
    changed = before.join(after, on=keys).filter(pl.col("churned") != pl.col("churned_right"))
    window = timedelta(days=project_vars()["churn_window_days"])
    dates = sorted(before["reference_date"].unique().to_list())
    assert dates[-1] < bought
    assert changed.select(keys).sort(keys).rows() == [
        (day, person) for day in dates if day < bought <= day + window
    ]
    assert 1 <= len(changed) < len(dates)
    # Nor does any model see of an earlier day what came later.
    then = [orders.seen_at(date(2018, 2, 28)) for orders in (orders_before, orders_after)]
    for name in ("repeats", "active_days"):
        first, second = (getattr(each.histories, name) for each in then)
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(then[0].spent, then[1].spent)


def moving_average(sales: Floats, ahead: int, rule: Mapping[str, Any]) -> float:
    """The candidate of histories without two full years, by NumPy's own straight line."""
    recent = sales[-rule["forecast_moving_average_months"] :]
    slope, damping = 0.0, rule["forecast_trend_damping"]
    if len(sales) >= rule["forecast_minimum_trend_months"]:
        past = sales[-rule["forecast_trend_months"] :]
        slope = float(np.polyfit(np.arange(len(past)), past, 1)[0])
    months = ahead + (len(recent) - 1) / 2
    damped = damping * (1 - damping**months) / (1 - damping)
    return float(max(0.0, recent.mean() + slope * damped))


def elected(sales: Floats, origin: int, rule: Mapping[str, Any]) -> tuple[Floats, bool]:
    """The forecast at an origin of one series alone, and whether it is the last month's value."""
    horizon = range(1, rule["forecast_horizon_months"] + 1)
    judged = [
        (past, step)
        for past in range(1, origin)
        for step in horizon
        if past + step <= origin and sales[past + step - 1] > 0
    ]
    errors = np.array(
        [
            (moving_average(sales[:past], step, rule), sales[past - 1]) / sales[past + step - 1] - 1
            for past, step in judged
        ]
    ).reshape(-1, 2)
    candidate, naive = np.abs(errors).mean(axis=0) if len(errors) else (1.0, 0.0)
    if len(judged) < rule["forecast_minimum_errors"] or candidate > naive:
        return np.full(len(horizon), sales[origin - 1]), True
    return np.array([moving_average(sales[:origin], step, rule) for step in horizon]), False


Series = tuple[str, str]


@pytest.fixture(scope="module")
def sales(fitted: Fitted) -> dict[Series, Floats]:
    """Monthly sales of each series that is forecast, less than two full years."""
    found: dict[Series, list[float]] = {}
    for level, name, gmv in fitted.workspace.rows(
        "select series_level, series, gmv::double from int_forecast_series order by 1, 2, month"
    ):
        found.setdefault((level, name), []).append(gmv)
    assert {level for level, _ in found} == {"platform", "region", "category"}
    assert 15 < len(found["platform", "all"]) < project_vars()["forecast_seasonal_months"]
    return {key: np.array(values) for key, values in found.items()}


def published(fitted: Fitted, columns: str) -> dict[tuple[Series, int], list[tuple[Any, ...]]]:
    """The forecasts of each series and origin, one a month ahead."""
    found: dict[tuple[Series, int], list[tuple[Any, ...]]] = {}
    for level, name, origin, _, *row in fitted.workspace.rows(
        f"select series_level, series, training_months, horizon, {columns} from int_gmv_forecasts "
        f"where horizon <= {project_vars()['forecast_horizon_months']} order by 1, 2, 3, 4"
    ):
        found.setdefault(((level, name), origin), []).append(tuple(row))
    return found


def test_the_forecast_is_elected_by_the_past_alone(
    fitted: Fitted, sales: dict[Series, Floats]
) -> None:
    """Every forecast of every origin again, by NumPy, from the sales until then."""
    rule = project_vars()
    rows = published(fitted, "forecast_gmv::double, is_fallback, forecast_method")
    origins = range(1, len(sales["platform", "all"]) + 1)
    assert rows.keys() == {(series, origin) for series in sales for origin in origins}
    own = {
        (series, origin): elected(values[:origin], origin, rule)
        for series, values in sales.items()
        for origin in origins
    }
    assert {is_fallback for _, is_fallback in own.values()} == {True, False}
    for (series, origin), made in rows.items():
        value, is_fallback = own[series, origin]
        assert {row[1] for row in made} == {is_fallback}
        assert {row[2] == "last month" for row in made} == {is_fallback}
        whole, _ = own[("platform", "all"), origin]
        level = [own[other, origin][0] for other in sales if other[0] == series[0]]
        total = np.sum(level, axis=0)
        expected = np.where(total > 0, value * whole / total, whole / len(level))
        np.testing.assert_allclose([row[0] for row in made], expected, rtol=0, atol=0.021)


def test_intervals_are_quantiles_of_what_was_missed_before(
    fitted: Fitted, sales: dict[Series, Floats]
) -> None:
    rule = project_vars()
    columns = [
        f"forecast_{end}_{nominal}::double" for nominal in (80, 95) for end in ("lower", "upper")
    ]
    rows = published(fitted, f"forecast_gmv::double, {', '.join(columns)}")
    intervals = 0
    for (series, origin), made in rows.items():
        missed = [
            (past + step, abs(sales[series][past + step - 1] / row[0] - 1) / np.sqrt(step))
            for past in range(1, origin)
            for step, row in enumerate(rows[series, past], start=1)
            if past + step <= origin and row[0] > 0
        ]
        spread = 0.0
        for place, nominal in ((1, 80), (3, 95)):
            since = origin - rule["forecast_interval_months"][str(nominal)]
            errors = [error for month, error in missed if month > since]
            if len(errors) < rule["forecast_minimum_errors"]:
                assert {row[place] for row in made} == {None}
                continue
            spread = max(spread, float(np.quantile(errors, nominal / 100)))
            for step, row in enumerate(made, start=1):
                half = spread * np.sqrt(step)
                ends = row[0] * max(0, 1 - half), row[0] * (1 + half)
                # Errors are stored with six digits.
                assert row[place : place + 2] == pytest.approx(ends, rel=1e-4, abs=0.01)
                intervals += 1
    assert intervals > 500


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
    printed = fitted.workspace.olist("models", "show", "--all")
    assert "log_return_exposure" in printed
    assert "95 % interval" in printed
    for fit in fitted.accepted:
        if fit.is_accepted:
            assert f"{fit.model} fitted 2 scores: {fit.reason}" in printed
    assert "purchases fitted 1 does not score: Too little data" in printed
    refused = fitted.workspace.olist("models", "fit", "--at", "yesterday", expect=1)
    assert "'yesterday' is no moment with a time zone" in refused
