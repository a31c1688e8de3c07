"""A message as an e-mail: a text for any reader and HTML that fits a phone."""

from email.headerregistry import Address
from email.message import EmailMessage

from olist_platform.alerts.alert_settings import AlertSettings
from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.notice import Dispatch, Timing
from olist_platform.alerts.wording import headline, stand_in_remark, word, worst_open
from olist_platform.templates import templates

_TEMPLATES = templates("olist_platform.alerts")
_SUBJECT_LIMIT = 200
# Bar at the head of a message. Dark enough for white text (WCAG AA).
_COLOURS = {
    Severity.CRITICAL: "#b3261e",
    Severity.HIGH: "#b54708",
    Severity.MEDIUM: "#8a6100",
    Severity.LOW: "#475467",
}
_GOOD_NEWS = "#1b7f4b"


def email_message(dispatch: Dispatch, settings: AlertSettings, sender: str) -> EmailMessage:
    """Return the e-mail of a message, without its date.

    Its Message-ID is the same for every try, so one that is sent twice can be told by it.
    """
    words = [word(notice, settings) for notice in dispatch.notices]
    is_single = dispatch.timing is Timing.AT_ONCE
    title = words[0].title if is_single else headline(dispatch)
    severity = worst_open(dispatch)
    content = {
        "title": title,
        "words": words,
        "is_single": is_single,
        "told_by_the_title": () if is_single else ("Environment", "Severity"),
        "colour": _GOOD_NEWS if severity is None else _COLOURS[severity],
        "remark": stand_in_remark(dispatch, settings),
        "environment": dispatch.notices[0].alert.environment,
    }
    message = EmailMessage()
    message["Subject"] = _subject(dispatch, title)
    message["From"] = Address("Olist platform", addr_spec=sender)
    message["To"] = settings.recipients[dispatch.recipient].email
    message["Message-ID"] = f"<{dispatch.message_id}@{sender.partition('@')[2]}>"
    # Out-of-office answers would come back to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_TEMPLATES.get_template("email.txt.j2").render(content))
    html = _TEMPLATES.get_template("email.html.j2").render(content)
    message.add_alternative(html, subtype="html")
    return message


def _subject(dispatch: Dispatch, title: str) -> str:
    environment = dispatch.notices[0].alert.environment
    subject = f"[olist {environment}] {title}"
    return subject if len(subject) <= _SUBJECT_LIMIT else f"{subject[: _SUBJECT_LIMIT - 1]}…"
