"""What people have to say of each model; everything else on a card is measured."""

from dataclasses import dataclass

from olist_platform.predictions.backtest.figures import Area
from olist_platform.predictions.model_fit import ModelName


@dataclass(frozen=True, slots=True)
class CardText:
    """The words of a card.

    Attributes:
        file: Name of the page without its ending.
        title: Its title.
        area: Whose figures it shows.
        model: Whose parameters it shows; None where nothing is fitted.
        owner: dbt group that answers for it.
        purpose: What it is for.
        not_for: What it is not for.
        data: What it learns from.
        features: What it looks at, a line each.
        scored_in: dbt models that apply it.
        limits: What to know before relying on it, a line each.
        fairness: What is said of regions.
    """

    file: str
    title: str
    area: Area
    model: ModelName | None
    owner: str
    purpose: str
    not_for: str
    data: str
    features: tuple[str, ...]
    scored_in: tuple[str, ...]
    limits: tuple[str, ...]
    fairness: str


CARDS = (
    CardText(
        file="churn",
        title="Churn",
        area=Area.CHURN,
        model=ModelName.CHURN,
        owner="analytics_engineering",
        purpose="The probability that a person places no valid order in the 180 days after a day."
        " It ranks people for campaigns.",
        not_for="Deciding about a single person: nearly everybody churns, and who comes back is"
        " mostly chance.",
        data="People with a valid order at five dates, 90 days apart, and what they did in the 180"
        " days after each. The last date judges; windows of the dates that it is judged by had"
        " ended by then.",
        features=(
            (
                "`log_return_exposure`: recency, as what the chance to come back is proportional to"
                " for people who differ in how often they buy, ln(1 + 180 / (1 + days since))"
            ),
            "`log_active_days`, `log_orders`: when and how often they bought",
            "`log_average_order_value`: what they paid",
            "`late_order_share`, `installment_order_share`, `low_review_order_share`: how it went",
        ),
        scored_in=("int_churn_features", "int_customer_360"),
        limits=(
            (
                "Nothing after the reference date is known, but for one thing that the source"
                " cannot"
                " tell: when an order was canceled."
            ),
            "Regularisation pulls weights towards 0; intervals are of the regularised weights.",
            (
                "Few come back, so that how many are expected is known to some 15 % only: the"
                " chance that the figure is held against is that of the window and of the people"
                " learnt from."
            ),
            "No feature says where somebody lives, how old or who they are.",
        ),
        fairness="Region is no feature. The table compares, by region of the latest order, what"
        " was expected with what happened.",
    ),
    CardText(
        file="purchases",
        title="Purchases",
        area=Area.PURCHASES,
        model=ModelName.PURCHASES,
        owner="analytics_engineering",
        purpose="How many orders a person will place in 365 days, and whether they still are a"
        " customer (BG/NBD).",
        not_for="Forecasting sales: most orders are of people who never bought before.",
        data="Valid orders of people from the first to the last day of ordinary trade.",
        features=("orders after the first", "days to the last order", "days observed"),
        scored_in=("int_purchase_outlook", "int_customer_lifetime_value"),
        limits=(
            (
                "Nobody can stop before a second order: `p_alive` of a one-time buyer is 1, and the"
                " low rate of purchase says that they will hardly return."
            ),
            "Rates do not change with the season or with age.",
            (
                "Held against a hundred generated data sets of 100,000 orders, seeds 1 to 100, the"
                " 95 % intervals of r, alpha, a and b held the truth 94, 92, 95 and 92 times. On"
                " average the logarithms of the estimates lie 0.08, -0.03, 0.02 and -0.01 standard"
                " errors from it, each known to 0.1: there is no bias. One data set may miss, as"
                " seed 42 does with alpha."
            ),
        ),
        fairness="The model sees no region. What it comes to by region is on the card of"
        " [lifetime value](lifetime-value.md).",
    ),
    CardText(
        file="spend",
        title="Spend",
        area=Area.SPEND,
        model=ModelName.SPEND,
        owner="analytics_engineering",
        purpose="What a person's next order is worth (Gamma-Gamma), shrunk to what everybody's is.",
        not_for="Recommending products or prices.",
        data="Gross order values of valid orders with an item.",
        features=("orders with an item so far", "what they were worth together, BRL"),
        scored_in=("int_spend_quantiles", "int_customer_lifetime_value"),
        limits=(
            (
                "Order values have a heavier tail than the model: a log-normal describes one order"
                " better, as the figures show. What counts here is how alike a person's orders are,"
                " and that the expectation is the mean: by maximum likelihood alone it would be 3 %"
                " below what is paid on 100,000 orders, 5 % on 20,000."
            ),
            (
                "Where the variance between people cannot be told from 0, `q` is a bound, one"
                " standard error above it, and has no interval; those of `p` and `gamma` are then"
                " given that `q`."
            ),
            (
                "No gamma distribution made the generated order values, so p, q and gamma have no"
                " true values. Held against the truth is what they say: the mean, and the variance"
                " of ln(order value) between people, of which q is a function. Of sixty"
                " generated sets of 50,000 orders 60 and 58 intervals held it."
            ),
        ),
        fairness="The model sees no region; see [lifetime value](lifetime-value.md).",
    ),
    CardText(
        file="lifetime-value",
        title="Lifetime value",
        area=Area.LIFETIME_VALUE,
        model=None,
        owner="analytics_engineering",
        purpose="The contribution margin that a person is expected to leave in 365 days, with a"
        " 95 % predictive interval: purchases times spend times the margin rate.",
        not_for="Setting a credit limit or a price for one person.",
        data="That of [purchases](purchases.md) and [spend](spend.md); the margin rate is a var.",
        features=("those of purchases and spend",),
        scored_in=("int_customer_lifetime_value", "mart_customer_strategy"),
        limits=(
            (
                "Person by person a 95 % interval covers more than 95 %: nearly everybody leaves"
                " nothing, and what has 98 % of the probability cannot be cut to 95 %. The model"
                " knows by how much, so the observed coverage is held against the one it expects."
            ),
            (
                "95 % itself is judged where nothing is discrete: by the randomised transform, and"
                " by totals of 500 people drawn by lot. Totals feel the tail of order values, which"
                " Gamma-Gamma has too light, as the last line shows; the line before it draws the"
                " values that were paid."
            ),
            "Parameters count as known.",
        ),
        fairness="Predicted and actual margin of the people of each region, BRL.",
    ),
    CardText(
        file="forecast",
        title="Forecast",
        area=Area.FORECAST,
        model=None,
        owner="finance_reporting",
        purpose="Monthly GMV of the next three months, with 80 % and 95 % intervals.",
        not_for="Months beyond the third, and days.",
        data="Complete months of business; months that an extract cut off take no part.",
        features=(
            "trailing moving average, with a damped trend",
            "seasonal index from two full years on",
            (
                "the last month's value, which is published instead wherever the moving average"
                " missed more in the back-test so far"
            ),
        ),
        scored_in=("int_gmv_forecasts", "mart_sales_forecast", "mart_financial_performance"),
        limits=(
            (
                "On twenty months of growth hardly anything beats the last month's value: then it"
                " is the forecast, and `forecast_method` says so."
            ),
            "With less than two full years there is no season: Black Friday surprises it.",
            (
                "The forecasts of regions and categories are scaled to the platform's, so that"
                " they add up to the cent."
            ),
            (
                "Intervals hold as much as the last months' errors say (six months for 80 %, twelve"
                " for 95 %). While business grows up errors shrink, and intervals hold more than"
                " they promise; of sales that have settled they hold less (80 %: 74 to 76). Errors"
                " of overlapping origins are no independent draws; coverage is a rough figure."
            ),
        ),
        fairness="Errors by region; small regions vary more.",
    ),
    CardText(
        file="anomalies-and-fraud",
        title="Anomalies and fraud",
        area=Area.ANOMALIES,
        model=None,
        owner="operations_reporting",
        purpose="Orders that differ from their like (robust z, signals) and orders that somebody"
        " should look at (rules with points and a sentence each).",
        not_for="Refusing an order without a person's look at it.",
        data="Every order. Labels do not exist: frauds and faults of several kinds are injected"
        " at several rates into a copy in memory, and dbt's own SQL has to find them.",
        features=(
            "signals: seed `anomaly_signals`",
            "rules: seed `fraud_rules`; at most `fraud_alert_max_share` of all orders are alerts",
        ),
        scored_in=("int_order_anomalies", "mart_fraud_monitoring"),
        limits=(
            (
                "What is not injected counts as honest, so precision is a lower bound where the"
                " data"
                " hold frauds of their own."
            ),
            "Injected frauds are as imagined; real ones adapt to the rules.",
            "A bust-out's first orders are ordinary: cases are found, not each of their orders.",
            (
                "Impossible timestamps and payments that are not what the order costs are faults of"
                " records: an anomaly says each of them. An impossible timestamp adds points to an"
                " alert and makes none by itself; the quality score of `stg_orders` counts it too."
            ),
            "Frauds are injected on DuckDB only; on Snowflake it would take a clone of raw.",
        ),
        fairness="No rule looks at region or person; freight and delivery are compared within"
        " their lane, so that far regions are not flagged for being far. The table shows how often"
        " honest orders are alerted of, at the lowest rate of injected ones.",
    ),
    CardText(
        file="segments-and-retention",
        title="Segments, cohorts and payback",
        area=Area.SEGMENTS,
        model=None,
        owner="executive_reporting",
        purpose="Who is in which RFM segment and who moved; how many of a cohort come back, with"
        " Wilson's interval; when a cohort has paid for its acquisition.",
        not_for="Comparing cohorts whose intervals overlap.",
        data="Valid orders of people.",
        features=("recency, frequency, monetary scores: seed `customer_segments`",),
        scored_in=("int_rfm_segments", "mart_unit_economics"),
        limits=(
            "Scores are ranks: somebody may move because others bought.",
            "The cost of acquisition is a var, no measurement.",
        ),
        fairness="Segments know nothing of region.",
    ),
)
