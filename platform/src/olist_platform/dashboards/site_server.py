"""The site on this machine's own address, rebuilt whenever marts are published."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from olist_platform.dashboards.site import Site, build_site
from olist_platform.environment import Environment
from olist_platform.errors import OlistError

_LOOPBACK = "127.0.0.1"
_OWN_NAMES = (_LOOPBACK, "localhost")


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """Serve a folder to this machine alone for the time of the block; the value is its address.

    Args:
        folder: The folder; a link is followed anew with every request.
        port: TCP port, or 0 for one that is free.

    Raises:
        OlistError: The port is taken.
    """
    try:
        server = ThreadingHTTPServer((_LOOPBACK, port), partial(_Pages, directory=str(folder)))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise OlistError(
            f"port {port} of {_LOOPBACK} is not free", "name another: --port"
        ) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{_LOOPBACK}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def rebuild_when_published(
    environment: Environment,
    folder: Path,
    every_seconds: float,
    tell: Callable[[Site | OlistError], None],
) -> None:
    """Build the site again whenever the published copy has changed; it ends with the process.

    What cannot be built is told, and the former site stays.
    """
    seen = _published(environment)
    while True:
        time.sleep(every_seconds)
        now = _published(environment)
        if now == seen:
            continue
        seen = now
        try:
            tell(build_site(environment, folder))
        except OlistError as error:
            tell(error)


def _published(environment: Environment) -> tuple[int, int] | None:
    """Return what tells one published copy from another; None where there is none."""
    try:
        found = environment.serving_path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


class _Pages(SimpleHTTPRequestHandler):
    """Files of the site; browsers ask again each time, so that they see a new build."""

    def send_head(self) -> Any:
        """Answer who asks this machine by its own name.

        A foreign page whose host name is made to mean this machine could read the figures.
        """
        name, _, _ = self.headers.get("Host", "").partition(":")
        if name.lower() not in _OWN_NAMES:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing of single requests."""
