"""Why a channel did not take a message."""

from datetime import timedelta


class NotSentError(Exception):
    """A channel did not take a message this time."""


class ChannelDownError(NotSentError):
    """The channel takes no message at all now: another one need not be tried."""


class RefusedError(NotSentError):
    """The channel will never take this message."""


class HoldError(NotSentError):
    """The channel asked to be left alone for a while.

    Attributes:
        wait: How long.
    """

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"the channel's rate limit: not before {wait.total_seconds():.0f} s")
        self.wait = wait
