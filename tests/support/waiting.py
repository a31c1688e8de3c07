"""Waiting for what another process brings about."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], *, seconds: float, every: float = 0.2) -> None:
    """Look every so many seconds until the condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(every)
