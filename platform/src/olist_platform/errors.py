"""The one error a user sees, and the translation of the machine's errors into it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OlistError(Exception):
    """A fault a user can mend.

    Attributes:
        message: What is wrong; names the file, key or row.
        mend: What the user does about it; empty when the message says it.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


class FinalError(OlistError):
    """A fault that does not pass by itself: another try would find the same."""


class BudgetUsedUpError(FinalError):
    """Nothing of the month's budget is left.

    Attributes:
        subject: What monitoring calls that budget; both tell of the same alert.
    """

    def __init__(self, message: str, mend: str, subject: str) -> None:
        super().__init__(message, mend)
        self.subject = subject


class SourceLateError(OlistError):
    """No fresh extract has landed; it may land yet."""


_OS_ERRORS = {
    errno.ENOSPC: ("no space left on the disk", "free some space, then run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then run the same command again"),
    errno.EFBIG: ("the file-size limit is reached", "raise the limit (ulimit -f) and run again"),
    errno.EROFS: ("the disk is read-only", "choose a writable place, or remount the disk"),
    errno.EACCES: ("permission denied", "check the owner and the mode of that path"),
    errno.EPERM: ("operation not permitted", "check the owner and the mode of that path"),
    errno.ENOENT: ("it does not exist", "check the path"),
    errno.ENOTDIR: ("a part of the path is not a folder", "check the path"),
    errno.EISDIR: ("it is a folder, not a file", "check the path"),
    errno.EEXIST: ("it is in the way: a file or folder of that name exists", "check the path"),
}


def from_os_error(error: OSError, path: Path | str | None = None) -> OlistError:
    """Translate an operating-system error into one a user can act on.

    Args:
        error: What the operating system said.
        path: The path at work, used when the error itself names none.
    """
    # Of two paths the second is where something was to lie; the first is a draft, or what a link
    # holds, and means nothing to a user.
    subject = error.filename2 or error.filename or path
    what, mend = _OS_ERRORS.get(error.errno or 0, (error.strerror or str(error), ""))
    return OlistError(f"{subject}: {what}" if subject else what, mend)


@contextmanager
def os_errors_explained(path: Path | str | None = None) -> Iterator[None]:
    """Raise OSError from the block, and text that is no UTF-8, as an OlistError with the path."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        where = f"{path}: line {line}" if path else f"line {line}"
        raise OlistError(
            f"{where} is no text in UTF-8: byte 0x{byte:02x}", "save the file as UTF-8"
        ) from error
