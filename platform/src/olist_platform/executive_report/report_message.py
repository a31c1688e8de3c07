"""A report as an e-mail: plain text, HTML that survives mail clients, and the chart inside it.

Mail clients know tables and styles of elements, and few know more: style sheets are put into the
elements, and only what an element cannot say (dark mode, narrow screens) stays in the head.
"""

from base64 import b64encode
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart

import css_inline

from olist_platform.executive_report.report import ExecutiveReport
from olist_platform.executive_report.report_chart import WIDTH
from olist_platform.templates import templates

_TEMPLATES = templates("olist_platform.executive_report")
_CHART_ID = "chart@olist"


def report_message(report: ExecutiveReport, sender: str, recipient: str) -> EmailMessage:
    """Return the e-mail of a report, without its date.

    Its Message-ID is that of its day, so that one which is sent twice can be told by it.

    Args:
        report: The report.
        sender: Address it comes from.
        recipient: Address it goes to.
    """
    message = EmailMessage()
    prefix = "Olist" if report.environment == "prod" else f"Olist {report.environment}"
    message["Subject"] = f"{prefix} {report.title[0].lower()}{report.title[1:]}"
    message["From"] = Address("Olist platform", addr_spec=sender)
    message["To"] = recipient
    message["Message-ID"] = f"<{message_id(report)}@{sender.partition('@')[2]}>"
    # Out-of-office answers would come back to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(report_text(report))
    message.add_alternative(_html(report, f"cid:{_CHART_ID}"), subtype="html")
    if report.chart:
        html = message.get_payload(1)
        assert isinstance(html, MIMEPart)  # noqa: S101 - the part that was just added
        html.add_related(
            report.chart.png,
            "image",
            "png",
            cid=f"<{_CHART_ID}>",
            filename="gmv.png",
            disposition="inline",
        )
        html.set_boundary("=_olist_related")
    # Otherwise a random one: equal reports are equal messages.
    message.set_boundary("=_olist_alternative")
    return message


def message_id(report: ExecutiveReport) -> str:
    """Return what a report is known by: there is one of an environment and a day."""
    return f"executive-report.{report.environment}.{report.day.isoformat()}"


def report_text(report: ExecutiveReport) -> str:
    """Return the report for readers of plain text."""
    return _TEMPLATES.get_template("report.txt.j2").render(report=report)


def report_page(report: ExecutiveReport) -> str:
    """Return the HTML as a file of its own, the chart inside it, for a browser."""
    png = b64encode(report.chart.png).decode() if report.chart else ""
    return _html(report, f"data:image/png;base64,{png}")


def _html(report: ExecutiveReport, chart: str) -> str:
    html = _TEMPLATES.get_template("report.html.j2").render(
        report=report, chart=chart, chart_width=WIDTH
    )
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return inliner.inline(html)
