"""The report goes to a real mail server once a day, whole and readable, or to a file."""

import re
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from alert_scenario import environment as prod_environment
from alert_scenario import failure
from alert_sinks import SmtpSink, closed_port
from olist_platform.alerts.outbox_database import open_database
from olist_platform.alerts.router import open_outbox
from olist_platform.dashboards import published_marts
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.executive_report import report_delivery
from olist_platform.executive_report.report_chart import WIDTH
from olist_platform.executive_report.report_delivery import Outcome, deliver_report
from olist_platform.executive_report.report_message import report_page
from olist_platform.executive_report.report_record import ReportRecord
from published_workspace import Published

pytestmark = pytest.mark.slow

EXECUTIVES = "executive-reporting@olist.example"
_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    yield sink
    sink.stop()


@pytest.fixture
def smtp(sink: SmtpSink) -> SmtpSink:
    sink.answer = sink.recipient_answer = "250 OK"
    sink.messages.clear()
    return sink


@pytest.fixture
def prod(
    published: Published, smtp: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    """Production's settings on the marts of this machine, which Snowflake would hold."""
    monkeypatch.setenv("OLIST_ALERTS_DATABASE", f"sqlite:///{tmp_path}/outbox.sqlite")
    local = published.environment
    monkeypatch.setattr(
        report_delivery,
        "open_published_marts",
        lambda _: published_marts.open_published_marts(local),
    )
    return prod_environment(smtp_port=smtp.port)


@pytest.fixture
def now(published: Published) -> datetime:
    return published.published_at + timedelta(minutes=5)


def parts(message: EmailMessage) -> tuple[EmailMessage, EmailMessage, EmailMessage]:
    """Its text, its HTML and its image."""
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    html, image = related.iter_parts()
    assert isinstance(html, EmailMessage)
    assert isinstance(image, EmailMessage)
    return text, html, image


def test_the_report_arrives_whole(prod: Environment, smtp: SmtpSink, now: datetime) -> None:
    open_outbox(prod).raise_alert(failure(), now)
    delivered = deliver_report(prod, lambda: now)
    assert (delivered.outcome, delivered.where) == (Outcome.SENT, EXECUTIVES)
    [message] = smtp.messages
    assert message["To"] == EXECUTIVES
    assert message["From"] == "Olist platform <olist-platform@olist.example>"
    assert message["Subject"] == f"Olist {delivered.title[0].lower()}{delivered.title[1:]}"
    assert message["Auto-Submitted"] == "auto-generated"
    day = now.astimezone(prod.alerts.zone).date()
    assert message["Message-ID"] == f"<executive-report.prod.{day}@olist.example>"
    text, html, image = parts(message)
    assert delivered.title in text.get_content()
    assert "[High] Pipeline failure: olist_production.int_orders" in text.get_content()
    assert image.get_content_type() == "image/png"
    assert image["Content-Disposition"].startswith("inline")
    cid = str(image["Content-ID"]).strip("<>")
    assert f'src="cid:{cid}"' in html.get_content()
    png = image.get_content()
    assert png.startswith(_PNG)
    width, height = struct.unpack(">II", png[16:24])
    # Twice as fine as it is shown; a chart of nothing is a few kilobytes.
    assert width == 2 * WIDTH
    assert 300 < height < 700
    assert len(png) > 15_000
    for page in ("index", "operations", "customers", "platform"):
        assert f'href="https://dashboards.olist.example/{page}.html"' in html.get_content()
        assert f"https://dashboards.olist.example/{page}.html" in text.get_content()


def test_a_task_that_is_tried_again_sends_nothing_twice(
    prod: Environment, smtp: SmtpSink, now: datetime
) -> None:
    assert deliver_report(prod, lambda: now).outcome is Outcome.SENT
    for hours in (0, 1, 30):
        again = deliver_report(prod, partial(now.__add__, timedelta(hours=hours)))
        assert again.outcome is Outcome.ALREADY_SENT
    assert len(smtp.messages) == 1


def test_the_next_publication_has_a_report_of_its_own(
    prod: Environment, smtp: SmtpSink, published: Published, now: datetime
) -> None:
    deliver_report(prod, lambda: now)
    with published.restored():
        published.change("update publication set published_at = published_at + interval 1 day")
        tomorrow = now + timedelta(days=1)
        assert deliver_report(prod, lambda: tomorrow).outcome is Outcome.SENT
    first, second = smtp.messages
    assert first["Message-ID"] != second["Message-ID"]


def test_what_the_server_does_not_take_goes_with_the_next_try(
    prod: Environment, smtp: SmtpSink, now: datetime
) -> None:
    smtp.answer = "451 greylisted"
    with pytest.raises(OlistError, match="did not go: the mail server answered 451"):
        deliver_report(prod, lambda: now)
    smtp.answer, smtp.recipient_answer = "250 OK", "550 no such user"
    with pytest.raises(OlistError, match=r"refuses the recipient \(550\)"):
        deliver_report(prod, lambda: now)
    smtp.recipient_answer = "250 OK"
    assert deliver_report(prod, lambda: now).outcome is Outcome.SENT
    assert len(smtp.messages) == 1


def test_a_server_that_is_away_is_an_error(prod: Environment, now: datetime) -> None:
    away = prod_environment(smtp_port=closed_port())
    with pytest.raises(OlistError, match="the mail server cannot be used"):
        deliver_report(away, lambda: now)
    assert deliver_report(prod, lambda: now).outcome is Outcome.SENT


def test_of_two_senders_one_sends(prod: Environment, smtp: SmtpSink, now: datetime) -> None:
    """One that died while it was sending is taken over after five minutes."""
    day = now.astimezone(prod.alerts.zone).date()
    record = ReportRecord(open_database(prod))
    assert record.claim(f"executive-report.prod.{day}", "another:1", now).is_ours
    with pytest.raises(OlistError, match="is being sent by another:1"):
        deliver_report(prod, lambda: now + timedelta(minutes=4))
    assert smtp.messages == []
    assert deliver_report(prod, lambda: now + timedelta(minutes=6)).outcome is Outcome.SENT
    assert len(smtp.messages) == 1


def test_without_a_mail_server_it_is_a_file(published: Published, now: datetime) -> None:
    delivered = deliver_report(published.environment, lambda: now)
    assert delivered.outcome is Outcome.WRITTEN
    path = Path(delivered.where)
    assert path.parent == published.workspace.home / "data" / "local" / "executive-reports"
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    text, _, image = parts(message)
    assert delivered.title in text.get_content()
    assert image.get_content().startswith(_PNG)
    before = path.read_bytes()
    deliver_report(published.environment, lambda: now)
    assert path.read_bytes() == before


def test_an_environment_without_readers_is_an_error(prod: Environment, now: datetime) -> None:
    dashboards = prod.dashboards.model_copy(update={"executive_report": None})
    with pytest.raises(OlistError, match="environment 'prod' sends no report") as refused:
        deliver_report(prod.model_copy(update={"dashboards": dashboards}), lambda: now)
    assert "dashboards.executive_report in environments/prod.yaml" in str(refused.value.mend)


def test_a_recipient_that_is_none_is_refused(prod: Environment) -> None:
    content = prod.model_dump()
    content["dashboards"]["executive_report"]["to"] = "the_board"
    with pytest.raises(ValueError, match="recipients has no 'the_board'"):
        Environment.model_validate(content)


def test_a_report_is_written_to_a_file(published: Published, tmp_path: Path, now: datetime) -> None:
    report = report_delivery.current_report(published.environment, now)
    for name, held in (
        ("report.html", b'src="data:image/png;base64,'),
        ("report.eml", b"Content-ID: <chart@olist>"),
    ):
        report_delivery.write_report(published.environment, report, tmp_path / name, now)
        assert held in (tmp_path / name).read_bytes()
    with pytest.raises(OlistError, match=r"is written as \.eml or \.html"):
        report_delivery.write_report(published.environment, report, tmp_path / "report.pdf", now)
    assert not (tmp_path / "report.pdf").exists()


def test_the_command_previews(published: Published, tmp_path: Path) -> None:
    workspace, path = published.workspace, tmp_path / "report.eml"
    printed = workspace.olist("dashboards", "email", "local", "--day", "2018-03-31")
    assert printed.startswith("Monthly report: mar. de 2018")
    refused = workspace.olist("dashboards", "email", "local", "--send", "-o", path, expect=1)
    assert "--send goes with neither" in refused


def test_mail_clients_find_what_they_know(published: Published, now: datetime) -> None:
    html = report_page(report_delivery.current_report(published.environment, now))
    assert '<meta name="color-scheme" content="light dark">' in html
    head, body = html.split("<body", 1)
    assert "@media (prefers-color-scheme: dark)" in head
    # Styles stand in the elements; what remains in the head is what an element cannot say.
    assert re.search(r"^\s*h2\s*\{", head.split("@media")[0], re.MULTILINE) is None
    tags = re.findall(r"<(?:h1|h2|td|img|p) [^>]*>", body)
    assert {tag[1:].split()[0] for tag in tags} == {"h1", "h2", "td", "img", "p"}
    assert all("style=" in tag for tag in tags)
    assert re.findall(r"<(?:script|link|form|iframe|svg|video)\b", html) == []
    assert re.findall(r"(?:src|href|url\()=?[\"']?(https?:[^\"')]+)", html) == []
    # Gmail cuts a message off beyond 102 kB; the image is a part of its own.
    without_image = re.sub(r"data:image/png;base64,[^\"]+", "", html)
    assert len(without_image.encode()) < 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip(f"{chromium} is not installed: make system-packages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    now = published.published_at + timedelta(days=3)
    report = report_delivery.current_report(published.environment, now)
    path.write_text(report_page(report), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 700])
def test_it_fits_and_can_be_read(
    browser: Browser, page_file: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    image = page.locator("img.chart")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 2 * WIDTH
    assert len(str(image.get_attribute("alt"))) > 60
    ground = page.locator(".sheet").evaluate("each => getComputedStyle(each).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(23, 28, 35)")
    assert page.evaluate(_LOWEST_CONTRAST) >= 4.5
    page.close()


# WCAG's contrast of every text with the nearest ground under it.
_LOWEST_CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? ground(one.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("body *")].filter((one) =>
    getComputedStyle(one).display !== "none" &&
    [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()));
  return Math.min(...texts.map((one) => {
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""
