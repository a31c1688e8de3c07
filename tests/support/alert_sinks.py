"""A Slack and a mail server of one's own, that answer as they are told and keep what they take."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class SlackAnswer:
    status: int = 200
    body: str = '{"ok": true, "ts": "1.1"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    hangs_up: bool = False

    @property
    def is_taken(self) -> bool:
        return self.status == 200 and '"ok": true' in self.body


TAKEN = SlackAnswer()
SERVER_ERROR = SlackAnswer(500, "<html>oops</html>")
RATE_LIMITED = SlackAnswer(429, '{"ok": false, "error": "ratelimited"}', {"Retry-After": "7"})
INVALID_BLOCKS = SlackAnswer(body='{"ok": false, "error": "invalid_blocks"}')
INVALID_AUTH = SlackAnswer(body='{"ok": false, "error": "invalid_auth"}')


class SlackSink:
    """Slack's chat.postMessage. `answer` decides; a message that is taken is kept."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], SlackAnswer] = lambda _: TAKEN
        self.requests: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                assert self.path == "/api/chat.postMessage"
                sink.tokens.add(self.headers["Authorization"])
                sink.requests.append(request)
                answer = sink.answer(request)
                time.sleep(answer.delay_seconds)
                if answer.is_taken and not answer.delay_seconds:
                    sink.messages.append(request)
                if answer.hangs_up:
                    return
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body.encode())
                except OSError:
                    pass  # The client has given up waiting.

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    def titles(self, channel: str | None = None) -> list[str]:
        return [
            message["text"]
            for message in self.messages
            if channel is None or message["channel"] == channel
        ]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class SmtpSink:
    """A mail server. `answer` is what it says to a message; one it takes (250) is kept."""

    def __init__(self, **options: Any) -> None:
        self.answer = "250 OK"
        self.recipient_answer = "250 OK"
        self.messages: list[EmailMessage] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = BytesParser(policy=default).parsebytes(envelope.content)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return self.answer

    def subjects(self, address: str | None = None) -> list[str]:
        return [
            str(message["Subject"])
            for message in self.messages
            if address is None or message["To"] == address
        ]

    def stop(self) -> None:
        self._controller.stop()


@contextmanager
def slack_and_smtp() -> Iterator[tuple[SlackSink, SmtpSink]]:
    slack, smtp = SlackSink(), SmtpSink()
    try:
        yield slack, smtp
    finally:
        slack.stop()
        smtp.stop()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
