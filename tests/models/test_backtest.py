"""The whole back-test of a small warehouse, what it prints, its cards, and frauds in files."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.generator.calibration import REPEAT_PURCHASES
from olist_platform.generator.frauds import (
    DATASETS,
    FRAUDS_FILE,
    FraudKind,
    inject_frauds,
    inject_into_files,
)
from olist_platform.naming import EnvironmentName
from olist_platform.predictions.backtest.figures import Area, Outcome
from olist_platform.predictions.backtest.frauds import FoundBy
from olist_platform.predictions.backtest.run import Backtest, run_backtest
from olist_platform.predictions.backtest.truth import (
    TrueValue,
    find_true_parameters,
    read_truth,
    recovery_figures,
)
from olist_platform.predictions.cards.texts import CARDS
from olist_platform.predictions.cards.write import write_cards
from olist_platform.predictions.changed_raw import detected, open_changed_raw
from olist_platform.predictions.compiled_sql import last_compiled_nodes
from olist_platform.predictions.model_fit import ModelName
from olist_platform.project_vars import project_vars
from olist_platform.source_catalog import dataset_named
from olist_workspace import ROOT, Workspace

CARDS_IN_DOCS = ROOT / "platform" / "docs" / "models"


@dataclass(frozen=True)
class BackTested:
    workspace: Workspace
    environment: Environment
    backtest: Backtest


@pytest.fixture(scope="module")
def tested(copy_of_generated: Callable[[str], Workspace]) -> Iterator[BackTested]:
    workspace = copy_of_generated("backtest")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.environment_variables().items():
            patch.setenv(name, value)
        environment = load_environment(EnvironmentName.LOCAL)
        yield BackTested(workspace, environment, run_backtest(environment))


@pytest.mark.slow
def test_every_area_has_figures_beside_a_baseline(tested: BackTested) -> None:
    found = tested.backtest
    assert {line.area for line in found.figures} == set(Area)
    named = {line.name for line in found.figures if line.baseline is not None}
    for part in ("MAPE of the moving average, platform", "MAPE of what was published, region",
                 "MAPE of what was published, category", "coverage of the 80% interval, platform",
                 "precision of alerts", "recall of fraud cases",
                 "share of alerts that say why in a sentence", "share of honest orders alerted of",
                 "retention of a later month"):  # fmt: skip
        assert any(name.startswith(part) for name in named), part
    for kind in found.frauds.kinds:
        assert 0 <= kind.lower_95 <= kind.case_recall <= kind.upper_95 <= 1
        assert 0 <= kind.precision <= 1
        assert kind.orders > 0


@pytest.mark.slow
def test_every_fault_of_a_record_is_an_anomaly(tested: BackTested) -> None:
    """An alert asks whether it is a fraud; that a record is wrong, an anomaly says."""
    kinds = tested.backtest.frauds.kinds
    by_anomaly = [each for each in kinds if each.found_by is FoundBy.ANOMALY]
    assert {each.kind for each in by_anomaly} == {
        FraudKind.PAYMENT_MISMATCH,
        FraudKind.IMPOSSIBLE_TIMESTAMPS,
    }
    assert {each.case_recall for each in by_anomaly} == {1.0}
    named = {line.name: line for line in tested.backtest.figures}
    for rate in {each.rate for each in kinds}:
        line = named[f"recall of faults of records by anomalies, {rate:.1%} injected"]
        assert (line.value, line.outcome) == (1.0, Outcome.HOLDS)
    frauds = [each for each in kinds if each.found_by is FoundBy.ALERT]
    assert all(each.case_recall >= each.alert_recall for each in frauds)


@pytest.mark.slow
def test_five_thousand_orders_are_too_thin_and_it_says_so(tested: BackTested) -> None:
    thin = {
        line.area: line.wanted
        for line in tested.backtest.figures
        if line.outcome is Outcome.TOO_THIN
    }
    assert Area.CHURN in thin
    assert thin[Area.CHURN].endswith("are needed")
    assert {fit.origin for fit in tested.backtest.scoring.values()} == {"default"}


@pytest.mark.slow
def test_parts_of_the_forecast_add_up(tested: BackTested) -> None:
    [gap] = [line for line in tested.backtest.figures if line.name.startswith("largest gap")]
    assert gap.value is not None
    assert gap.value < 0.01
    levels = {series.level for series in tested.backtest.forecasts.series}
    assert levels == {"platform", "region", "category"}
    [(parts, whole)] = tested.workspace.rows(
        "select sum(forecast_gmv) filter (where series_level = 'region'), "
        "sum(forecast_gmv) filter (where series_level = 'platform') from mart_sales_forecast"
    )
    assert parts == whole > 0


@pytest.mark.slow
def test_a_forecast_worse_than_the_last_month_is_not_published(tested: BackTested) -> None:
    """What is told of the platform is what the mart publishes, and says by which method."""
    [platform] = [each for each in tested.backtest.forecasts.series if each.level == "platform"]
    [(method, candidate, naive)] = tested.workspace.rows(
        "select forecast_method, candidate_mape, naive_mape from mart_sales_forecast "
        "where series_level = 'platform' qualify row_number() over (order by month) = 1"
    )
    assert (method == "last month") == (candidate > naive) == platform.is_fallback
    named = {line.name: line for line in tested.backtest.figures}
    line = named["MAPE of the moving average, platform"]
    assert line.value == platform.candidate_mape
    falls_back = platform.candidate_mape >= platform.naive_mape
    assert line.outcome is (Outcome.FALLS_BACK if falls_back else Outcome.HOLDS)


@pytest.mark.slow
def test_honest_orders_are_counted_by_region(tested: BackTested) -> None:
    regions = tested.backtest.frauds.regions
    [(orders,)] = tested.workspace.rows("select count(*) from int_order_anomalies")
    assert sum(each.orders for each in regions) == orders
    assert {"Southeast", "North"} <= {each.region for each in regions}
    for each in regions:
        assert each.lower_95 <= each.alerted <= each.upper_95


@pytest.mark.slow
def test_estimates_stand_beside_the_true_parameters(tested: BackTested, tmp_path: Path) -> None:
    path = find_true_parameters(tested.environment, tested.workspace.home / "data" / "files")
    assert path is not None
    truth = read_truth(path)
    assert truth.purchases == {
        "r": REPEAT_PURCHASES.shape,
        "alpha": REPEAT_PURCHASES.rate,
        "a": REPEAT_PURCHASES.dropout_a,
        "b": REPEAT_PURCHASES.dropout_b,
    }
    [fit] = [each for each in tested.backtest.fits if each.model is ModelName.PURCHASES]
    found = {line.name: line for line in recovery_figures(fit, truth)}
    for estimate in fit.estimates:
        interval = estimate.interval_95(is_positive=True)
        assert interval is not None
        line = found[f"{estimate.parameter}, recovered"]
        true = truth.purchases[estimate.parameter]
        assert (line.value, line.baseline) == (estimate.value, true)
        holds = interval[0] <= true <= interval[1]
        assert line.outcome is (Outcome.HOLDS if holds else Outcome.FAILS)
    [spend] = [each for each in tested.backtest.fits if each.model is ModelName.SPEND]
    mean, variance = recovery_figures(spend, truth)
    assert (mean.value, mean.baseline) == (
        spend.metrics["newcomer_value"],
        truth.newcomer_value.value,
    )
    assert (mean.outcome, variance.outcome) == (Outcome.HOLDS, Outcome.HOLDS)
    # What is far from the truth does not hold.
    far = replace(truth, newcomer_value=TrueValue(3 * truth.newcomer_value.value))
    assert recovery_figures(spend, far)[0].outcome is Outcome.FAILS
    # Of data that nobody generated there is no truth, and what is not there cannot be asked for.
    assert find_true_parameters(tested.environment, None) is None
    with pytest.raises(OlistError, match="does not exist"):
        find_true_parameters(tested.environment, tmp_path)
    (tmp_path / "true_parameters.json").write_text("{}")
    with pytest.raises(OlistError, match="holds no parameters"):
        read_truth(tmp_path / "true_parameters.json")


@pytest.mark.slow
def test_people_keep_their_segment_or_move(tested: BackTested) -> None:
    [(people,)] = tested.workspace.rows("select count(*) from int_customer_360 where orders > 0")
    moved = sum(move.people for move in tested.backtest.segments.moves)
    # All but those who came after the last day of ordinary trade.
    assert people - 20 <= moved <= people


@pytest.mark.slow
def test_the_alert_budget_is_kept_whatever_happens(tested: BackTested) -> None:
    """A quarter of all orders are frauds; people still get no more alerts than they can work on."""
    nodes = last_compiled_nodes(tested.environment)
    with open_changed_raw(tested.environment, nodes) as changed:
        injected = inject_frauds({name: changed.raw_rows(name) for name in DATASETS}, 0.3, 1)
        orders = detected(changed, injected.rows)
    budget = project_vars()["fraud_alert_max_share"]
    alerts = int(orders["is_alert"].sum())
    assert alerts == int(len(orders) * budget)
    assert orders.filter("is_alert")["has_reason"].all()
    # The riskiest are kept: nearly all of them are injected.
    truth = orders.filter("is_alert").join(injected.truth, on="order_id")
    assert len(truth) > 0.8 * alerts
    # The warehouse itself knows nothing of it.
    [(kept,)] = tested.workspace.rows("select count(*) from int_order_anomalies")
    assert kept == len(orders) - len(injected.truth)


@pytest.mark.slow
def test_cards_are_written_from_what_was_found(tested: BackTested, tmp_path: Path) -> None:
    pages = write_cards(tested.backtest, tmp_path / "one", "a test")
    again = write_cards(tested.backtest, tmp_path / "two", "a test")
    assert [page.stem for page in pages] == [text.file for text in CARDS]
    for first, second in zip(pages, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
    pictures = sorted(path.name for path in (tmp_path / "one").glob("*.svg"))
    assert {"forecast-errors.svg", "fraud-recall.svg"} <= set(pictures)
    for name in pictures:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    churn = pages[0].read_text(encoding="utf-8")
    assert "Default version" in churn
    assert "too thin" in churn
    for fit in tested.backtest.scoring.values():
        page = (tmp_path / "one" / f"{fit.model}.md").read_text(encoding="utf-8")
        for estimate in fit.estimates:
            assert f"| `{estimate.parameter}` |" in page


SECTIONS = [
    "Purpose",
    "Data",
    "Features",
    "Parameters",
    "Back-test",
    "Limits",
    "Fairness by region",
]


def test_the_cards_of_the_documentation_are_whole() -> None:
    """Written from 100,000 generated orders; here their structure is held."""
    with (ROOT / "dbt" / "seeds" / "default_model_parameters.csv").open(encoding="utf-8") as file:
        parameters: dict[str, set[str]] = {}
        for row in csv.DictReader(file):
            parameters.setdefault(row["model"], set()).add(row["parameter"])
    pages = {path.stem for path in CARDS_IN_DOCS.glob("*.md")}
    assert pages == {text.file for text in CARDS}
    index = (ROOT / "platform" / "docs" / "README.md").read_text(encoding="utf-8")
    for text in CARDS:
        page = (CARDS_IN_DOCS / f"{text.file}.md").read_text(encoding="utf-8")
        lines = page.splitlines()
        assert [line[3:] for line in lines if line.startswith("## ")] == SECTIONS, text.file
        assert f"# {text.title}" in lines
        assert f"**Owner:** {text.owner}" in page
        assert text.purpose in page
        assert all(f"- {limit}" in lines for limit in text.limits)
        for picture in (line.split("](")[1][:-1] for line in lines if line.startswith("![")):
            assert (CARDS_IN_DOCS / picture).stat().st_size > 1000
        if text.model:
            for parameter in parameters[text.model]:
                assert f"| `{parameter}` |" in page
        assert f"](models/{text.file}.md)" in index
    drawn = {path.name for path in CARDS_IN_DOCS.glob("*.svg")}
    assert len(drawn) == 4


@pytest.mark.slow
@pytest.mark.parametrize("command", ["backtest", "fit", "show"])
def test_without_a_warehouse_it_says_so_and_makes_none(
    make_workspace: Callable[[str], Workspace], command: str
) -> None:
    workspace = make_workspace("nothing")
    printed = workspace.olist("models", command, expect=1)
    assert "there is no warehouse yet" in printed
    assert "make demo" in printed
    assert not workspace.warehouse.exists()


@pytest.fixture(scope="module")
def with_frauds(
    make_workspace: Callable[[str], Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("frauds")
    make_workspace("frauds").olist(
        *("generate", folder, "--orders", "3000", "--seed", "3", "--frauds", "0.05")
    )
    return folder


def read(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(folder / dataset_named(name).file_name, infer_schema=False)


@pytest.mark.slow
def test_frauds_lie_in_the_files_and_the_truth_beside_them(
    with_frauds: Path, make_workspace: Callable[[str], Workspace]
) -> None:
    truth = pl.read_csv(with_frauds / FRAUDS_FILE)
    assert set(truth["kind"]) == set(FraudKind)
    orders = read(with_frauds, "orders")
    assert len(orders) == 3000 + len(truth)
    assert 0.04 < len(truth) / 3000 < 0.06
    assert truth["order_id"].is_unique().all()
    for name in ("orders", "order_items", "payments"):
        assert set(truth["order_id"]) <= set(read(with_frauds, name)["order_id"])
    injected = truth.join(orders, on="order_id").join(
        read(with_frauds, "customers"), on="customer_id"
    )
    people = injected.group_by("case", "kind").agg(
        pl.col("customer_unique_id").n_unique().alias("people"), pl.len().alias("orders")
    )
    burst = people.filter(pl.col("kind") == "midnight_burst")
    assert set(burst["people"]) == {1}
    assert set(burst["orders"]) == {5}
    assert set(people.filter(pl.col("kind") == "colluding_seller")["people"]) == {5}
    hours = injected.filter(pl.col("kind") == "midnight_burst")["order_purchase_timestamp"]
    assert set(hours.str.slice(11, 2)) <= {"02", "03", "04"}
    paid = read(with_frauds, "payments").with_columns(pl.col("payment_value").cast(pl.Float64))
    testing = paid.join(truth.filter(pl.col("kind") == "card_testing"), on="order_id")
    assert min(testing.group_by("order_id").len()["len"].to_list()) >= 5
    workspace = make_workspace("plain")
    workspace.olist("generate", workspace.home / "files", "--orders", "3000", "--seed", "3")
    plain = read(workspace.home / "files", "orders")
    assert orders.head(3000).equals(plain)
    assert not (workspace.home / "files" / FRAUDS_FILE).exists()


@pytest.mark.slow
def test_frauds_are_put_in_once(with_frauds: Path) -> None:
    with pytest.raises(Exception, match="these files hold frauds already"):
        inject_into_files(with_frauds, 0.05, 3)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, -0.1, 0.6])
def test_a_rate_out_of_bounds_is_refused(with_frauds: Path, rate: float) -> None:
    frames = {name: read(with_frauds, name) for name in DATASETS}
    with pytest.raises(Exception, match="the rate of frauds is"):
        inject_frauds(frames, rate, 1)
