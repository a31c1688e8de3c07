"""A message as Slack's Block Kit. Limits: https://docs.slack.dev/reference/block-kit/blocks."""

from typing import Any

from olist_platform.alerts.alert_settings import AlertSettings
from olist_platform.alerts.notice import Dispatch, Timing
from olist_platform.alerts.wording import Link, Wording, headline, word

_HEADER_LIMIT = 150
_SECTION_LIMIT = 3000
_FIELD_LIMIT = 2000
_TEXT_LIMIT = 3000
_URL_LIMIT = 3000
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def slack_message(dispatch: Dispatch, settings: AlertSettings) -> dict[str, Any]:
    """Return `text` (for notifications) and `blocks` of a message."""
    words = [word(notice, settings) for notice in dispatch.notices]
    if dispatch.timing is Timing.AT_ONCE:
        return {"text": escaped(words[0].title, _TEXT_LIMIT), "blocks": _single(words[0])}
    title = headline(dispatch)
    lines = [_section(_digest_line(wording)) for wording in words]
    return {"text": escaped(title, _TEXT_LIMIT), "blocks": [_header(title), *lines]}


def escaped(text: str, limit: int) -> str:
    """Escape what Slack takes for markup, and shorten the text so that the result fits."""
    pieces = [_ESCAPES.get(character, character) for character in text]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    length, kept = 1, []
    for piece in pieces:
        length += len(piece)
        if length > limit:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _single(wording: Wording) -> list[dict[str, Any]]:
    fields = [
        {"type": "mrkdwn", "text": f"*{label}*\n{escaped(value, _FIELD_LIMIT - 20)}"}
        for label, value in wording.facts
    ]
    blocks = [
        _header(wording.title),
        _section(escaped(wording.summary, _SECTION_LIMIT)),
        {"type": "section", "fields": fields},
    ]
    if wording.details:
        # A backtick of the text would end the block of code.
        lines = "\n".join(wording.details).replace("`", "'")
        blocks.append(_section(f"```{escaped(lines, _SECTION_LIMIT - 6)}```"))
    return [*blocks, *_link_blocks(wording.links)]


def _link_blocks(links: tuple[Link, ...]) -> list[dict[str, Any]]:
    buttons = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": link.label},
            "url": link.target,
            "action_id": link.label.lower(),
        }
        for link in links
        if link.is_web_address and len(link.target) <= _URL_LIMIT
    ]
    paths = [link for link in links if not link.is_web_address]
    blocks: list[dict[str, Any]] = []
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    if paths:
        text = "  ".join(f"{link.label}: `{escaped(link.target, _TEXT_LIMIT)}`" for link in paths)
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
    return blocks


def _digest_line(wording: Wording) -> str:
    facts = dict(wording.facts)
    figures = ""
    if "Value" in facts:
        figures = f" ({facts['Value']}, expected {facts['Expected']})"
    runbook = wording.links[-1]
    line = f"*{escaped(wording.title, 400)}*\n{escaped(wording.summary + figures, 1200)}"
    if runbook.is_web_address:
        return f"{line}\n<{escaped(runbook.target, 1000)}|{runbook.label}>"
    return f"{line}\n{runbook.label}: `{escaped(runbook.target, 1000)}`"


def _header(title: str) -> dict[str, Any]:
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": escaped(title, _HEADER_LIMIT)},
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
