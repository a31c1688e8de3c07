"""The pages as readers meet them, in headless Chromium: every figure, width, theme and filter."""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from dashboard_pages import (
    DESKTOP,
    PHONE,
    Marts,
    charts_differ,
    chromium,
    differences,
    open_page,
    shown_rows,
    texts,
    wait_until_drawn,
    watch,
)
from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.description import Dashboard, FilterKind, TileKind
from olist_platform.dashboards.site import BUILD_FILE, Site, build_site
from olist_platform.dashboards.site_server import served
from olist_platform.environment import Environment, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.publication import publish
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

DASHBOARDS = {one.name: one for one in load_dashboards()}
EACH = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())
_MOST_BYTES = 5_000_000
_READY_WITHIN_MS = 2000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def marts(published_workspace: Workspace) -> Iterator[Marts]:
    asked = Marts(published_workspace)
    yield asked
    asked.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        locale="en-US",
        reduced_motion="reduce",
    )
    yield opened
    opened.close()


def default_choice(dashboard: Dashboard, marts: Marts) -> dict[str, str]:
    """The month that the description says is shown first, asked in other words."""
    if not any(one.kind is FilterKind.PERIOD for one in dashboard.filters):
        return {}
    [(month,)] = marts.rows(
        "select max(period_start) from mart_executive_kpis"
        " where period_type = 'month' and is_complete and orders_placed >= 100"
    )
    return {"period": month.isoformat()}


@EACH
def test_a_page_fits_every_screen_is_soon_ready_and_complains_of_nothing(
    browser: Browser, site: Site, dashboard: Dashboard, pictures: Path
) -> None:
    address = site.folder / dashboard.web_page
    assets = sum(path.stat().st_size for path in (site.folder / "assets").iterdir())
    assert assets + address.stat().st_size < _MOST_BYTES
    ready = []
    for width, height in (PHONE, DESKTOP):
        page = browser.new_page(
            viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce"
        )
        watched = watch(page)
        open_page(page, address)
        ready.append(page.evaluate("performance.getEntriesByName('olist-ready')[0].startTime"))
        assert watched.messages == []
        # The page, its style sheet, the charting library and its script.
        assert len(watched.requests) == 4
        assert [url for url in watched.requests if not url.startswith(site.folder.as_uri())] == []
        assert page.locator("article.tile[data-drawn=yes]").count() == len(dashboard.tiles)
        page.screenshot(path=pictures / f"{dashboard.name}-{width}.png", full_page=True)
        page.evaluate("document.querySelectorAll('main details').forEach((one) => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.close()
    # The quicker of two: the machine may be busy with something else.
    assert min(ready) < _READY_WITHIN_MS


@EACH
def test_every_figure_and_chart_is_what_the_mart_holds(
    page: Page, site: Site, dashboard: Dashboard, marts: Marts
) -> None:
    open_page(page, site.folder / dashboard.web_page)
    chosen = default_choice(dashboard, marts)
    assert differences(page, dashboard, marts, chosen) == []
    assert charts_differ(page, dashboard, marts, chosen) == []
    assert sum(len(shown_rows(page, tile)) for tile in dashboard.tiles) > 20
    page.select_option("#numbers", "pt-BR", force=True)
    wait_until_drawn(page)
    assert differences(page, dashboard, marts, chosen, "pt-BR") == []


def test_a_wrong_figure_is_seen(page: Page, site: Site, published_workspace: Workspace) -> None:
    """A real less in the month that is shown first, in a mart that changed behind the page."""
    dashboard = DASHBOARDS["executive_performance"]
    changed = Marts(published_workspace)
    chosen = default_choice(dashboard, changed)
    changed.replace(
        "mart_executive_kpis",
        f"select * replace (gmv - case when period_start = '{chosen['period']}' then 1 else 0 end"
        " as gmv) from mart_executive_kpis",
    )
    open_page(page, site.folder / dashboard.web_page)
    wrong = differences(page, dashboard, changed, chosen)
    changed.close()
    assert [fault.split(":")[0] for fault in wrong] == ["gmv 0 gmv"]


def test_the_last_month_is_read_at_once_on_a_phone(
    browser: Browser, site: Site, marts: Marts
) -> None:
    """GMV, its change, its forecast and the three worst lanes, without a touch."""
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-US")
    open_page(page, site.folder / "index.html")
    [(month, gmv, growth)] = marts.rows(
        "select period_start, gmv, gmv_growth from mart_executive_kpis where period_type = 'month'"
        " and is_complete and orders_placed >= 100 order by period_start desc limit 1"
    )
    [(forecast,)] = marts.rows(
        "select forecast_gmv from mart_financial_performance where forecast_gmv is not null"
        " order by month limit 1"
    )
    lanes = marts.rows(
        "select seller_state, customer_state, on_time_rate from mart_logistics_performance"
        f" where month = '{month}' and needs_attention is not null order by on_time_rate,"
        " late_orders desc, seller_state, customer_state limit 3"
    )
    assert len(lanes) == 3
    read = {
        "#gmv .figure": f"R${gmv:,.0f}",
        "#gmv [data-key=gmv_growth]": f"{growth:+.1%}",
        "#next_month .figure": f"R${forecast:,.0f}",
        "#worst_lanes li:nth-child(3)": f"{lanes[2][0]} → {lanes[2][1]}{lanes[2][2]:.1%}",
    }
    for selector, text in read.items():
        found = page.locator(selector).first
        assert found.inner_text().replace("\n", "").startswith(text), selector
        box = found.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE[1], selector
    # What the figures are must be said here too: an element that is hidden has no text.
    notes = {tile: page.inner_text(f"#{tile} .note") for tile in ("next_month", "worst_lanes")}
    assert notes == {
        "next_month": "The first month that is forecast, with its 80 % interval.",
        "worst_lanes": "Lanes with enough deliveries to be judged.",
    }
    [(newest,)] = marts.rows(
        "select max(period_start) from mart_executive_kpis"
        " where period_type = 'month' and is_complete"
    )
    is_told = page.inner_text("#filter-note").startswith(f"{month:%b %Y} is shown first: later")
    assert is_told == (month < newest)
    page.close()


@EACH
def test_rules_of_accessibility_are_kept(
    browser: Browser, site: Site, dashboard: Dashboard
) -> None:
    """All rules on a phone with everything unfolded; then those of colours in the dark."""
    page = browser.new_page(
        viewport={"width": PHONE[0], "height": PHONE[1]}, color_scheme="light", locale="en-US"
    )
    open_page(page, site.folder / dashboard.web_page)
    page.evaluate("document.querySelectorAll('main details').forEach((one) => one.open = true)")
    assert violations(page) == []
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.emulate_media(color_scheme="dark")
    wait_until_drawn(page)
    assert violations(page, "color-contrast") == []
    page.close()


def violations(page: Page, *rules: str) -> list[tuple[str, list[str]]]:
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    # Pictures are hidden from assistive technology; test_charts.py judges their colours.
    found = Axe().run(page, {"exclude": [[".chart"]]}, options).response["violations"]
    return [(one["id"], [str(node["html"])[:150] for node in one["nodes"]][:5]) for one in found]


def test_filters_narrow_what_they_can_and_the_rest_says_so(
    page: Page, site: Site, marts: Marts
) -> None:
    dashboard = DASHBOARDS["operations_intelligence"]
    open_page(page, site.folder / dashboard.web_page)
    months = page.locator("select[data-filter=period] option").evaluate_all(
        "(options) => options.map((one) => one.value)"
    )
    states = page.locator("select[data-filter=state] option").evaluate_all(
        "(options) => options.map((one) => one.value)"
    )
    known = marts.rows(
        "select state from mart_seller_management union select customer_state from"
        " mart_logistics_performance union select customer_state from mart_fraud_monitoring"
        " order by 1"
    )
    assert states[1:] == [one for (one,) in known]
    [(state, category)] = marts.rows(
        "select state, top_category from mart_seller_management where top_category is not null"
        " group by all order by count(*) desc, state, top_category limit 1"
    )
    chosen = {"period": months[4], "state": state, "category": category}
    for name, value in chosen.items():
        page.select_option(f"select[data-filter={name}]", value)
    wait_until_drawn(page)
    assert differences(page, dashboard, marts, chosen) == []
    health = shown_rows(page, dashboard.tile("seller_health"))
    expected = marts.rows(
        "select count(*) from mart_seller_management"
        f" where state = '{state}' and top_category = '{category}'"
    )
    assert [(sum(row["number_of_rows"][0] for row in health),)] == expected
    assert {row["customer_state"][0] for row in shown_rows(page, dashboard.tile("lanes"))} == {
        state
    }
    tags = page.locator("#payment_methods .tag").all_inner_texts()
    assert tags[1:] == ["not by state", "not by category"]
    page.select_option("select[data-filter=state]", "")
    page.select_option("select[data-filter=category]", "")
    wait_until_drawn(page)
    assert differences(page, dashboard, marts, {"period": months[4]}) == []


@pytest.mark.parametrize("name", ["executive_performance", "customer_strategy"])
def test_every_filter_can_be_chosen(page: Page, site: Site, marts: Marts, name: str) -> None:
    dashboard = DASHBOARDS[name]
    open_page(page, site.folder / dashboard.web_page)
    [one] = dashboard.filters
    select = page.locator(f"select[data-filter={one.name}]")
    values = select.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert len(values) > 5
    for value in values[1:4]:
        select.select_option(value)
        wait_until_drawn(page)
        assert differences(page, dashboard, marts, {one.name: value}) == []


def test_a_choice_without_rows_says_so(page: Page, site: Site, marts: Marts) -> None:
    """A category that no seller of a state has first."""
    states, categories = (
        {row[0] for row in marts.rows(f"select distinct {name} from mart_seller_management")}
        for name in ("state", "top_category")
    )
    there = set(marts.rows("select distinct state, top_category from mart_seller_management"))
    pairs = itertools.product(sorted(states), sorted(filter(None, categories)))
    state, category = next(pair for pair in pairs if pair not in there)
    open_page(page, site.folder / "operations.html")
    page.select_option("select[data-filter=state]", state)
    page.select_option("select[data-filter=category]", category)
    assert page.inner_text("#seller_health .empty") == "Nothing for this choice."


def changed_page(site: Site, name: str, folder: Path, change: Callable[[Any], None]) -> Path:
    """Return a copy of a page whose content was changed."""
    shutil.copytree(site.folder, folder)
    path = folder / name
    before, start, rest = path.read_text(encoding="utf-8").partition('id="content-data">')
    held, end, after = rest.partition("</script>")
    content = json.loads(held)
    change({tile["name"]: tile for tile in content["tiles"]})
    path.write_text(f"{before}{start}{json.dumps(content)}{end}{after}", encoding="utf-8")
    return path


def test_what_is_rounded_is_not_read_as_a_mistake(page: Page, site: Site, tmp_path: Path) -> None:
    """0.9196 is 92.0 % and misses 92 %; 0.0003 is little and not nothing, and no move."""
    values = {
        "on_time": {"on_time_rate": 0.9196, "settled_on_time_rate": 0.9196},
        "cancellations": {"cancellation_rate": 0.0003},
        "orders": {"orders_growth": 0.0003, "orders_yoy_growth": -0.0004},
        "aov": {"aov": -0.001},
        "penetration": {"orders_per_100k_inhabitants": 0.0022},
        "customers": {"repeat_customer_rate": 0.9996},
    }

    def change(tiles: dict[str, Any]) -> None:
        for name, changed in values.items():
            tile = tiles[name]
            for row in tile["rows"]:
                for key, value in changed.items():
                    row[tile["fields"].index(key)] = value

    open_page(page, changed_page(site, "index.html", tmp_path / "site", change))
    assert page.inner_text("#on_time .figure") == "92.0%"
    missed = "\u2717 Misses target: at least 92 %, by less than is shown"
    assert page.inner_text("#on_time .target") == missed
    assert page.inner_text("#cancellations .figure") == "<0.1%"
    assert page.inner_text("#cancellations .target") == "\u2713 Meets target: at most 1 %"
    assert page.inner_text("#aov .figure") == "R$0.00"
    assert page.inner_text("#penetration .figure") == "0.0022"
    assert page.inner_text("#customers [data-key=repeat_customer_rate]") == ">99.9%"
    moves = page.locator("#orders .change")
    assert [move.split(" ")[0] for move in moves.all_inner_texts()] == ["\u25a00.0%"] * 2
    assert page.locator("#orders .change.level").count() == 2


def test_what_is_not_known_leaves_no_empty_frame(page: Page, site: Site, tmp_path: Path) -> None:
    """After one month there is a forecast without an interval; without a sale no penetration."""

    def change(tiles: dict[str, Any]) -> None:
        forecast, trend = tiles["next_month"], tiles["penetration_trend"]
        for row in forecast["rows"]:
            for key in ("forecast_lower_80", "forecast_upper_80"):
                row[forecast["fields"].index(key)] = None
        for row in trend["rows"]:
            row[trend["fields"].index("orders_per_100k_inhabitants")] = None
        tiles["worst_lanes"]["rows"] = []

    open_page(page, changed_page(site, "index.html", tmp_path / "site", change))
    assert page.locator("#next_month .figure").count() == 1
    assert page.locator("#next_month .interval").count() == 0
    assert page.inner_text("#penetration_trend .empty") == "Not recorded yet."
    assert page.inner_text("#worst_lanes .empty") == "No lane has enough deliveries to be judged."


def test_bars_stay_ordered_by_the_sum_of_their_parts(page: Page, site: Site, marts: Marts) -> None:
    """In all states and in one, where the page takes the parts together."""
    open_page(page, site.folder / "customers.html")
    [(state,)] = marts.rows(
        "select state from mart_customer_strategy group by state order by count(*) desc limit 1"
    )
    for chosen in ("", state):
        page.select_option("select[data-filter=state]", chosen)
        wait_until_drawn(page)
        tile = DASHBOARDS["customer_strategy"].tile("churn_risk")
        shown = list(dict.fromkeys(row["segment"][0] for row in shown_rows(page, tile)))
        expected = marts.rows(
            "select segment from mart_customer_strategy where segment is not null"
            f"{f' and state = {chosen!r}' if chosen else ''}"
            " group by segment order by count(*) desc, segment"
        )
        assert shown == [segment for (segment,) in expected]


def test_the_reader_chooses_signs_and_colours_for_all_pages(browser: Browser, site: Site) -> None:
    context = browser.new_context(locale="pt-BR", color_scheme="light")
    page = context.new_page()
    open_page(page, site.first_page)
    assert page.input_value("#numbers") == "pt-BR"
    assert page.inner_text("#gmv .figure").startswith("R$\u00a0")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click(".display summary")
    page.select_option("#numbers", "en")
    page.select_option("#theme", "dark")
    wait_until_drawn(page)
    assert page.inner_text("#gmv .figure").startswith("R$")
    assert "\u00a0" not in page.inner_text("#gmv .figure")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    open_page(page, site.folder / "customers.html")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.input_value("#numbers") == "en"
    label = page.locator("#segments svg text").first.get_attribute("fill")
    assert label == "#c9d1d9"
    context.close()


def test_a_page_says_of_what_day_it_is_and_when_it_is_old(
    page: Page, environment: Environment, marts: Marts, tmp_path: Path
) -> None:
    settings = environment.monitoring.model_copy(update={"published_within_hours": 30.0})
    by_the_clock = environment.model_copy(update={"monitoring": settings})
    first_page = build_site(by_the_clock, tmp_path / "site").first_page
    [(as_of, published)] = marts.rows("select max(as_of_date), max(published_at) from publication")
    published = published.replace(tzinfo=UTC)
    ages = {29: "✓ fresh", 31: "⚠ old: 31 hours", 40 * 24 + 1: "⚠ old: 40 days"}
    for hours, text in ages.items():
        page.clock.set_fixed_time(published + timedelta(hours=hours))
        open_page(page, first_page)
        assert page.inner_text("#staleness") == text
    assert page.inner_text("[data-as-of]") == f"{as_of:%b} {as_of.day}, {as_of.year}"
    moment: datetime = published - timedelta(hours=3)
    shown = page.inner_text("[data-published]")
    assert f"{moment:%b} {moment.day}, {moment:%Y}, {moment:%H:%M}" in shown
    statuses = page.locator("table.freshness tbody tr").all_inner_texts()
    assert len(statuses) == len(DASHBOARDS["executive_performance"].marts)
    assert all("fresh" in status for status in statuses)


def test_a_mart_that_lies_behind_is_called_stale(
    page: Page, copy_of_generated: Callable[[str], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no clock publishes, age is no fault, but a mart behind its reference date is."""
    workspace = copy_of_generated("stale")
    workspace.change(
        "update monitoring.monitoring_freshness set freshness_status = 'stale'"
        " where relation = 'mart_logistics_performance'"
    )
    monkeypatch.setenv("OLIST_HOME", str(workspace.home))
    environment = load_environment(EnvironmentName.LOCAL)
    publish(environment)
    open_page(page, build_site(environment).first_page)
    assert page.inner_text("#staleness") == "⚠ stale data"
    tagged = page.locator("article:has(.tag.stale)").evaluate_all("(all) => all.map((t) => t.id)")
    assert tagged == ["worst_lanes", "states"]


def test_a_page_can_be_used_with_the_keyboard(page: Page, site: Site) -> None:
    open_page(page, site.first_page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.filter") == "period"
    page.locator("#gmv .terms summary").focus()
    page.keyboard.press("Enter")
    assert "Sum of item prices of valid orders, BRL." in page.inner_text("#gmv .terms")
    open_page(page, site.folder / "operations.html")
    page.locator("#sellers_to_take_up button.all").focus()
    assert page.locator("#sellers_to_take_up tbody tr").count() == 8
    page.keyboard.press("Enter")
    assert page.locator("#sellers_to_take_up tbody tr").count() == 200
    assert page.evaluate("document.activeElement.textContent") == "Show fewer"


def test_a_page_makes_way_for_a_newer_build_and_keeps_what_was_chosen(
    page: Page, site: Site, tmp_path: Path
) -> None:
    """Also where the newer one came between the page and its first look; and once, not for ever."""
    folder = tmp_path / "site"
    shutil.copytree(site.folder, folder)
    newest = folder / BUILD_FILE
    assert newest.read_text(encoding="utf-8").strip() == site.build
    watched = watch(page)

    def loads() -> int:
        return sum(url.endswith(".html") for url in watched.requests)

    page.clock.install()
    with served(folder, 0) as address:
        open_page(page, f"{address}customers.html")
        assert page.get_attribute("html", "data-build") == site.build
        page.select_option("select[data-filter=state]", "SP")
        page.clock.fast_forward(16_000)
        page.wait_for_load_state("networkidle")
        assert loads() == 1
        newest.write_text("another\n", encoding="utf-8")
        with page.expect_navigation():
            page.clock.fast_forward(16_000)
        wait_until_drawn(page)
        assert page.input_value("select[data-filter=state]") == "SP"
        assert set(page.locator("#segments .tag").all_inner_texts()) == {"SP"}
        page.clock.fast_forward(16_000)
        page.wait_for_load_state("networkidle")
        assert loads() == 2
        # Who loads the page by hand begins anew; the page is older than the site's newest build.
        newest.write_text("a third\n", encoding="utf-8")
        with page.expect_navigation(url="**/customers.html"):
            page.goto(f"{address}customers.html")
        page.wait_for_function("window.sessionStorage.getItem('olist.loaded') === 'a third'")


def test_a_page_is_dark_on_white_on_paper(browser: Browser, site: Site) -> None:
    page = browser.new_page(color_scheme="dark", reduced_motion="reduce", locale="en-US")
    open_page(page, site.first_page)
    shade = "getComputedStyle(document.querySelector('#orders .figure')).color"
    chart = "getComputedStyle(document.querySelector('#on_time_trend .chart svg')).filter"
    assert page.evaluate(shade) == "rgb(232, 237, 242)"
    assert page.evaluate(chart) == "none"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(shade) == "rgb(27, 35, 44)"
    assert page.evaluate(chart) == "invert(1) hue-rotate(180deg)"
    kept = "getComputedStyle(document.querySelector('#on_time_trend')).breakInside"
    assert page.evaluate(kept) == "avoid"
    page.close()


def test_links_lead_to_tiles_that_are_there(page: Page, site: Site) -> None:
    open_page(page, site.first_page)
    page.click("#worst_lanes a.more")
    wait_until_drawn(page)
    assert page.url == (site.folder / "operations.html").as_uri() + "#lanes"
    assert page.locator("#lanes:target").count() == 1
    texts_of = {path.name: path.read_text(encoding="utf-8") for path in site.folder.glob("*.html")}
    links = re.findall(r'href="([\w.]+)#([\w-]+)"', "".join(texts_of.values()))
    assert len(links) >= 10
    assert [link for link in links if f'id="{link[1]}"' not in texts_of[link[0]]] == []


def test_what_is_missing_is_designed(page: Page, site: Site) -> None:
    open_page(page, site.folder / "platform.html")
    assert page.inner_text("#credits_by_day .empty") == (
        "No credits are recorded; the embedded warehouse has none."
    )
    budget = shown_rows(page, DASHBOARDS["platform_health"].tile("budget"))
    assert texts(budget, "subject") == ["month forecast", "month spent"]
    assert set(texts(budget, "expected_high")) == {"50"}
    assert page.inner_text("#failures .empty") == "Nothing failed in the runs that are recorded."
    commits = texts(shown_rows(page, DASHBOARDS["platform_health"].tile("invocations")), "git_sha")
    assert set(commits) == {"\u2013"}


def test_no_person_is_on_a_page(site: Site, published_workspace: Workspace) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in site.folder.glob("*.html"))
    people = published_workspace.rows("select customer_unique_id from stg_customers")
    assert len(people) > 4000
    assert [person for (person,) in people if person in text] == []
    assert (
        sum(tile.kind is TileKind.KPI for tile in DASHBOARDS["executive_performance"].tiles) == 10
    )
