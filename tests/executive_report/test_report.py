"""What the executives' report says is what the published marts hold, whatever its period."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any

import pytest
import vl_convert

from alert_scenario import failure
from emulated_publication import emulated_publication
from olist_platform.alerts.alert import Alert
from olist_platform.alerts.kinds import Severity, Signal
from olist_platform.alerts.outbox import StoredAlert
from olist_platform.alerts.pii_guard import masked
from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.published_marts import marts_on_snowflake, open_published_marts
from olist_platform.dashboards.written_values import Numbers
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.executive_report.report import ExecutiveReport, FigureLine, compose_report
from olist_platform.executive_report.report_chart import draw_chart
from olist_platform.executive_report.report_message import report_page, report_text
from olist_platform.executive_report.report_period import ReportKind, period_ending
from olist_platform.naming import EnvironmentName, Workload
from olist_platform.snowflake_connection import open_snowflake
from published_workspace import INVOCATION, Published
from snowflake_emulator import SnowflakeEmulator, new_private_key

pytestmark = pytest.mark.slow

SPACE = "\u00a0"
MONTHS = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")


# --- Portuguese numbers, written by other means than the platform's ---
def rounded(value: Any, places: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def number(value: Any, places: int) -> str:
    return f"{rounded(value, places):,}".replace(",", "_").replace(".", ",").replace("_", ".")


def money(value: Any) -> str:
    return f"R${SPACE}{number(value, 0 if abs(value) >= 10_000 else 2)}"


def share(value: Any) -> str:
    if 0 < value < 0.0005:
        return "<0,1%"
    if 0.9995 <= value < 1:
        return ">99,9%"
    return f"{number(rounded(value, 3) * 100, 1)}%"


def growth(value: Any) -> str:
    return ("+" if rounded(value, 3) > 0 else "") + f"{number(rounded(value, 3) * 100, 1)}%"


def plain(value: Any) -> str:
    return number(value, 2).rstrip("0").rstrip(",")


def month(day: date) -> str:
    return f"{MONTHS[day.month - 1]}. de {day.year}"


def day_text(day: date) -> str:
    return f"{day.day} de {month(day)}"


# Tile -> column of mart_executive_kpis and how people read it.
KPIS = {
    "gmv": ("gmv", money),
    "orders": ("orders", lambda value: number(value, 0)),
    "aov": ("aov", money),
    "customers": ("customers", lambda value: number(value, 0)),
    "on_time": ("on_time_rate", share),
    "review_score": ("avg_review_score", lambda value: number(value, 2)),
    "cancellations": ("cancellation_rate", share),
    "penetration": ("orders_per_100k_inhabitants", plain),
}


@pytest.fixture(scope="module")
def environment(published: Published) -> Environment:
    return published.environment


def report_of(
    published: Published,
    reference: date | None = None,
    *,
    alerts: tuple[StoredAlert, ...] = (),
    age: timedelta = timedelta(hours=1),
) -> ExecutiveReport:
    environment = published.environment
    # Old after hours, as in production; nothing publishes by a clock on one machine.
    monitoring = environment.monitoring.model_copy(update={"published_within_hours": 30})
    environment = environment.model_copy(update={"monitoring": monitoring})
    with open_published_marts(environment) as marts:
        return compose_report(
            environment,
            marts,
            alerts,
            published.published_at + age,
            numbers="pt-BR",
            reference=reference,
        )


def lines_of(report: ExecutiveReport) -> dict[str, FigureLine]:
    assert report.headline is not None
    return {line.name: line for line in (report.headline, *report.figures)}


def words(html: str) -> str:
    """What a reader of the HTML sees."""
    body = html[html.index("<body") :]
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def last_end(published: Published, kind: ReportKind) -> date:
    """The last end of a period of the kind with enough orders to have every figure."""
    ends = published.rows(
        "select period_end from mart_executive_kpis"
        f" where period_type = '{kind}' and is_complete and gmv_growth is not null"
        " and gmv_yoy_growth is not null and on_time_rate is not null"
        " and avg_review_score is not null order by period_end desc"
    )
    days: list[date] = [end for (end,) in ends]
    return next(day for day in days if period_ending(day).kind is kind)


@pytest.fixture(scope="module", params=list(ReportKind))
def of_kind(
    request: pytest.FixtureRequest, published: Published
) -> tuple[ReportKind, ExecutiveReport]:
    return request.param, report_of(published, last_end(published, request.param))


@pytest.mark.parametrize(
    ("reference", "kind", "start", "before"),
    [
        (date(2018, 8, 31), ReportKind.MONTHLY, date(2018, 8, 1), date(2018, 7, 1)),
        (date(2018, 2, 28), ReportKind.MONTHLY, date(2018, 2, 1), date(2018, 1, 1)),
        (date(2016, 2, 28), ReportKind.WEEKLY, date(2016, 2, 22), date(2016, 2, 15)),
        (date(2016, 2, 29), ReportKind.MONTHLY, date(2016, 2, 1), date(2016, 1, 1)),
        (date(2018, 8, 26), ReportKind.WEEKLY, date(2018, 8, 20), date(2018, 8, 13)),
        # A Sunday that ends a month ends it above all.
        (date(2018, 9, 30), ReportKind.MONTHLY, date(2018, 9, 1), date(2018, 8, 1)),
        (date(2018, 1, 1), ReportKind.DAILY, date(2018, 1, 1), date(2017, 12, 31)),
    ],
)
def test_the_kind_follows_the_reference_date(
    reference: date, kind: ReportKind, start: date, before: date
) -> None:
    period = period_ending(reference)
    assert (period.kind, period.start, period.end) == (kind, start, reference)
    assert period.start_of_previous == before


def test_every_figure_equals_the_query_on_the_marts(
    of_kind: tuple[ReportKind, ExecutiveReport], published: Published
) -> None:
    kind, report = of_kind
    lines = lines_of(report)
    text, html = report_text(report), words(report_page(report))
    for tile, (column, wording) in KPIS.items():
        asked = (
            f"select {column} from mart_executive_kpis where period_type = '{kind}'"
            " and period_start = date '{}'"
        )
        expected = wording(published.one(asked.format(report.period.start)))
        before = wording(published.one(asked.format(report.period.start_of_previous)))
        line = lines[tile]
        assert (line.value, line.before) == (expected, before), tile
        assert f"{line.title}: {expected} (before: {before})" in text
        assert expected in html, tile
        assert re.search(rf"[Bb]efore:? {re.escape(before)}", html), tile


def test_changes_and_targets_equal_the_query(
    of_kind: tuple[ReportKind, ExecutiveReport], published: Published
) -> None:
    kind, report = of_kind
    [(gmv, gmv_year, orders, orders_year, on_time)] = published.rows(
        "select gmv_growth, gmv_yoy_growth, orders_growth, orders_yoy_growth, on_time_rate"
        f" from mart_executive_kpis where period_type = '{kind}'"
        f" and period_start = date '{report.period.start}'"
    )
    lines = lines_of(report)
    for tile, changes in (("gmv", (gmv, gmv_year)), ("orders", (orders, orders_year))):
        texts = [change.text for change in lines[tile].changes]
        assert [growth(change) in text for change, text in zip(changes, texts, strict=True)]
        for change, said in zip(changes, lines[tile].changes, strict=True):
            arrow, tone = ("\u25b2", "good") if change > 0 else ("\u25bc", "bad")
            assert said.text.startswith(f"{arrow} {growth(change)} ")
            assert said.tone == tone
        # A day's report tells of the day before, never of a month.
        assert kind.value in texts[0]
        assert "year" in texts[1]
    target = lines["on_time"].target
    assert target is not None
    assert target.tone == ("good" if on_time >= 0.92 else "bad")
    assert "at least 92 %" in target.text


def test_forecast_and_running_month_equal_the_query(published: Published) -> None:
    report = report_of(published)
    [(day, value, low, high)] = published.rows(
        "select month, forecast_gmv, forecast_lower_80, forecast_upper_80"
        " from mart_financial_performance where is_forecast and forecast_gmv is not null"
        " order by month limit 1"
    )
    assert report.forecast == (
        f"GMV of {month(day)} is expected at {money(value)},"
        f" with 80 % between {money(low)} and {money(high)}."
    )
    [(start, gmv, orders)] = published.rows(
        "select period_start, gmv, orders from mart_executive_kpis"
        " where period_type = 'month' and not is_complete"
    )
    assert report.running_month == (
        f"{month(start)} so far: GMV {money(gmv)}, Orders {number(orders, 0)}."
    )


def test_only_months_have_the_finance_mart(published: Published) -> None:
    monthly = report_of(published, last_end(published, ReportKind.MONTHLY))
    revenue = published.one(
        "select platform_revenue from mart_financial_performance"
        f" where month = date '{monthly.period.start}' and not is_forecast"
    )
    assert lines_of(monthly)["platform_revenue"].value == money(revenue)
    daily = report_of(published, last_end(published, ReportKind.DAILY))
    assert "platform_revenue" not in lines_of(daily)


def test_a_wrong_value_in_the_mart_is_read(published: Published) -> None:
    end = last_end(published, ReportKind.WEEKLY)
    start = period_ending(end).start
    with published.restored():
        published.change(
            "update mart_executive_kpis set gmv = 1234567.891, is_alert = true,"
            " alert_reasons = 'late deliveries; low reviews'"
            f" where period_type = 'week' and period_start = date '{start}'"
        )
        report = report_of(published, end)
    assert lines_of(report)["gmv"].value == f"R${SPACE}1.234.568"
    assert report.limits[0].title == f"Week from {day_text(start)}"
    assert report.limits[0].text == "late deliveries; low reviews"
    assert report.chart is not None
    assert f"highest {day_text(start)} R${SPACE}1.234.568" in report.chart.text


def test_the_chart_shows_what_the_marts_hold(
    of_kind: tuple[ReportKind, ExecutiveReport], published: Published
) -> None:
    kind, report = of_kind
    assert report.chart is not None
    [(last, value)] = published.rows(
        f"select period_start, gmv from mart_executive_kpis where period_type = '{kind}'"
        f" and period_start <= date '{report.period.start}' order by 1 desc limit 1"
    )
    when = month(last) if kind is ReportKind.MONTHLY else day_text(last)
    assert f"last {when} {money(value)}" in report.chart.text
    assert ("forecast of" in report.chart.text) == (kind is ReportKind.MONTHLY)


def test_open_alerts_are_told_the_worst_first(published: Published) -> None:
    report = report_of(published, alerts=(*many_alerts(),))
    assert [alert.mark for alert in report.alerts] == ["Critical", *["High"] * 5]
    assert report.more_alerts == 3
    text = report_text(report)
    assert "[Critical] SLA breach: dashboards" in text
    assert "... and 3 more" in text
    assert report.summary.endswith("9 open alerts.")
    html = words(report_page(report))
    assert "Critical SLA breach: dashboards" in html
    # What only follows from another alert is no alert of its own.
    assert "follower" not in text + html


def many_alerts() -> Iterator[StoredAlert]:
    moment = datetime(2018, 9, 3, 7, 12, tzinfo=UTC)

    def stored(alert: Alert, minutes: int, *, is_part: bool = False) -> StoredAlert:
        raised = moment + timedelta(minutes=minutes)
        return StoredAlert(alert, alert.fingerprint, 1, raised, raised, None, is_part, 1, 0, None)

    yield stored(failure("follower"), 0, is_part=True)
    for place in range(8):
        yield stored(failure(f"task_{place}"), place)
    breach = failure("dashboards", Severity.CRITICAL, Signal.DASHBOARDS_LATE)
    yield stored(breach, 99)


def warnings_of(report: ExecutiveReport) -> list[str]:
    """Its warnings but that of few orders, which generated days have."""
    return [each for each in report.warnings if not each.startswith("Few orders")]


@pytest.mark.parametrize(("orders", "is_few"), [(99, True), (100, False)])
def test_a_period_of_few_orders_says_so(published: Published, orders: int, *, is_few: bool) -> None:
    end = last_end(published, ReportKind.DAILY)
    with published.restored():
        published.change(
            f"update mart_executive_kpis set orders = {orders}"
            f" where period_type = 'day' and period_start = date '{end}'"
        )
        report = report_of(published, end)
    said = (
        "Few orders in this day: 99. Figures, changes and targets of fewer than 100 say little;"
        " maybe the data end here."
    )
    assert report.warnings == ([said] if is_few else [])


def test_fast_deliveries_alone_are_not_held_against_targets(published: Published) -> None:
    """As a month ends half of its orders are on the way: what is known is of the fast ones."""
    end = last_end(published, ReportKind.MONTHLY)
    assert lines_of(report_of(published, end))["on_time"].target is not None
    with published.restored():
        published.change(
            "update mart_executive_kpis set delivered_share = 0.4345, settled_on_time_rate = null,"
            " settled_review_score = null"
            f" where period_type = 'month' and period_end = date '{end}'"
        )
        report = report_of(published, end)
    lines = lines_of(report)
    assert lines["on_time"].target is None
    assert lines["review_score"].target is None
    assert "Delivered so far: 43,5%" in lines["on_time"].details
    said = (
        "Only 43,5% of the orders of this month are delivered: on time, days to the door and review"
        " score are those of the fast ones. They are going to get worse, and are not held against"
        " their targets yet."
    )
    assert warnings_of(report) == [said]


def test_what_is_rounded_is_not_read_as_a_mistake(published: Published) -> None:
    """0.9196 is 92,0 % and misses 92 %; a growth of 0.0003 is none that can be seen."""
    end = last_end(published, ReportKind.MONTHLY)
    with published.restored():
        published.change(
            "update mart_executive_kpis set on_time_rate = 0.9196, settled_on_time_rate = 0.9196,"
            " cancellation_rate = 0.0003, orders_growth = 0.0003, gmv_growth = -0.0004,"
            " orders_per_100k_inhabitants = 0.0022"
            f" where period_type = 'month' and period_end = date '{end}'"
        )
        lines = lines_of(report_of(published, end))
    assert lines["on_time"].value == "92,0%"
    target = lines["on_time"].target
    assert target is not None
    assert target.text == "\u2717 off target: at least 92 %, by less than is shown"
    assert lines["cancellations"].value == "<0,1%"
    assert lines["cancellations"].target is not None
    assert lines["cancellations"].target.text == "\u2713 target: at most 1 %"
    assert lines["penetration"].value == "0,0022"
    assert [lines[name].changes[0].text for name in ("orders", "gmv")] == [
        "= 0,0% month on month",
        "= 0,0% month on month",
    ]
    assert {lines[name].changes[0].tone for name in ("orders", "gmv")} == {"plain"}


def test_a_forecast_without_an_interval_says_so(published: Published) -> None:
    """As after a single month; it was "between \u2013 and \u2013"."""
    with published.restored():
        published.change(
            "update mart_financial_performance set forecast_gmv = 1234.5, forecast_lower_80 = null,"
            " forecast_upper_80 = null where is_forecast"
        )
        forecast = report_of(published).forecast
        [(first,)] = published.rows(
            "select min(month) from mart_financial_performance where is_forecast"
        )
    assert forecast == (
        f"GMV of {month(first)} is expected at R${SPACE}1.234,50; an interval is not known yet."
    )


def test_a_week_beyond_its_limits_is_told_when_it_has_ended(published: Published) -> None:
    """A report of a day in the middle of the week knows nothing of the week's end."""
    end = last_end(published, ReportKind.WEEKLY)
    start = period_ending(end).start
    with published.restored():
        published.change(
            "update mart_executive_kpis set is_alert = true, alert_reasons = 'late deliveries'"
            f" where period_type = 'week' and period_start = date '{start}'"
        )
        told = [report_of(published, day).limits for day in (end - timedelta(days=1), end)]
    title = f"Week from {day_text(start)}"
    assert [title in [limit.title for limit in limits] for limits in told] == [False, True]


@pytest.mark.parametrize("numbers", ["en", "pt-BR"])
def test_the_chart_is_in_brl_whatever_the_signs(
    published: Published, monkeypatch: pytest.MonkeyPatch, numbers: Numbers
) -> None:
    def as_text(spec: dict[str, Any], **options: Any) -> bytes:
        options.pop("scale")
        return vl_convert.vegalite_to_svg(spec, **options).encode()

    monkeypatch.setattr(vl_convert, "vegalite_to_png", as_text)
    [board] = [one for one in load_dashboards() if one.name == "executive_performance"]
    period = period_ending(last_end(published, ReportKind.MONTHLY))
    with open_published_marts(published.environment) as marts:
        chart = draw_chart(board, marts, period, numbers)
    assert chart is not None
    labels = re.findall(r">([^<>]*\$[^<>]*)</text>", chart.png.decode())
    assert labels
    assert all(label.startswith("R$") for label in labels)


def test_old_figures_say_so(published: Published) -> None:
    assert warnings_of(report_of(published)) == []
    [warning] = warnings_of(report_of(published, age=timedelta(hours=31)))
    assert warning.startswith("These figures are old: they were published 31 hours ago, on ")
    [warning] = warnings_of(report_of(published, age=timedelta(days=3, hours=2)))
    assert "3 days ago" in warning
    page = report_page(report_of(published, age=timedelta(days=3)))
    assert "These figures are old" in words(page)


def test_a_mart_that_lies_behind_is_named(published: Published) -> None:
    workspace = published.workspace
    with workspace.restored():
        workspace.change(
            "update monitoring.monitoring_freshness"
            " set newest_business_date = date '2018-03-01', freshness_status = 'stale'"
            " where relation = 'mart_executive_kpis'"
        )
        report = report_of(published)
    assert warnings_of(report) == [
        "mart_executive_kpis lies behind: its newest day is 1 de mar. de 2018."
    ]


def test_a_period_without_figures_says_so(published: Published) -> None:
    end = last_end(published, ReportKind.DAILY)
    with published.restored():
        published.change(f"delete from mart_executive_kpis where period_start = date '{end}'")
        report = report_of(published, end)
    assert report.headline is None
    assert list(report.figures) == []
    assert "No figures: nothing is known of this period." in report_text(report)
    assert "No figures for this period" in report.summary
    html = words(report_page(report))
    assert "no order was placed, or its files have not come" in html
    assert "None" not in html.replace("None is open", "")


def test_what_is_not_known_yet_is_named(published: Published) -> None:
    """Nobody has an order of yesterday delivered, nor reviewed."""
    end = last_end(published, ReportKind.DAILY)
    with published.restored():
        published.change(
            "update mart_executive_kpis set on_time_rate = null, avg_review_score = null"
            f" where period_type = 'day' and period_start = date '{end}'"
        )
        report = report_of(published, end)
    assert report.unknown == ["Delivered on time", "Review score"]
    assert "Not known yet for this period: Delivered on time, Review score." in report_text(report)
    assert "on_time" not in lines_of(report)


def test_no_reference_date_is_an_error(published: Published) -> None:
    with published.restored():
        published.change("update publication set as_of_date = null")
        with pytest.raises(OlistError, match="no reference date: they are empty"):
            report_of(published)


def test_nothing_tells_of_a_person(of_kind: tuple[ReportKind, ExecutiveReport]) -> None:
    _, report = of_kind
    for text in (report_text(report), words(report_page(report))):
        of_figures = text.replace(INVOCATION, "")
        assert masked(of_figures) == of_figures


def test_equal_marts_make_equal_reports(published: Published) -> None:
    first, second = report_of(published), report_of(published)
    assert report_page(first) == report_page(second)
    assert f"dbt invocation {INVOCATION}" in first.origin


@pytest.fixture(scope="module")
def emulator(published: Published) -> Iterator[SnowflakeEmulator]:
    with emulated_publication(published.workspace.serving) as emulator:
        yield emulator


def test_snowflake_is_asked_the_same(
    emulator: SnowflakeEmulator, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
    dev = load_environment(EnvironmentName.DEV)
    end = last_end(published, ReportKind.MONTHLY)
    now = published.published_at + timedelta(hours=1)
    options = {"host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
    with open_snowflake(dev, Workload.REPORT, **options) as connection:
        marts = marts_on_snowflake(connection, dev)
        there = compose_report(dev, marts, (), now, numbers="pt-BR", reference=end)
    here = report_of(published, end)
    assert there.headline == here.headline
    assert there.figures == here.figures
    assert (there.forecast, there.origin) == (here.forecast, here.origin)
    assert there.chart == here.chart
    assert there.links[0].target == "https://dashboards.dev.olist.example/index.html"


def test_snowflake_without_a_publication_is_an_error(
    emulator: SnowflakeEmulator, monkeypatch: pytest.MonkeyPatch, published: Published
) -> None:
    del published
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", new_private_key())
    emulator.connection.execute("alter table OLIST_DEV.SERVING.PUBLICATION rename to ELSEWHERE")
    dev = load_environment(EnvironmentName.DEV)
    options = {"host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
    try:
        with (
            open_snowflake(dev, Workload.REPORT, **options) as connection,
            pytest.raises(OlistError, match="nothing is published yet in OLIST_DEV"),
        ):
            marts_on_snowflake(connection, dev)
    finally:
        emulator.connection.execute("alter table OLIST_DEV.SERVING.ELSEWHERE rename to PUBLICATION")
