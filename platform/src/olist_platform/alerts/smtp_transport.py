"""One try to hand an e-mail to an environment's mail server."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage

from olist_platform.alerts.alert_settings import SmtpServer
from olist_platform.alerts.channel_errors import ChannelDownError, NotSentError, RefusedError
from olist_platform.errors import OlistError
from olist_platform.settings_model import SecretReference

# Sender of what an environment without a mail server writes to files.
LOCAL_SENDER = "olist@localhost.localdomain"
_FIRST_PERMANENT_CODE = 500


def send_by_smtp(smtp: SmtpServer, message: EmailMessage, timeout_seconds: float) -> None:
    """Hand a message to the mail server, once; when to try again is the caller's business.

    Raises:
        RefusedError: The server will never take it for this recipient.
        ChannelDownError: The server cannot be reached or takes nothing from us now.
        NotSentError: It did not take this message.
    """
    try:
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=timeout_seconds)
        try:
            if smtp.starttls:
                server.starttls(context=ssl.create_default_context())
            if smtp.user is not None and smtp.password is not None:
                server.login(smtp.user, secret_of(smtp.password))
            server.send_message(message)
        finally:
            # The server has taken it or has not; how the farewell goes changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        reason = f"the mail server refuses the recipient ({', '.join(map(str, sorted(codes)))})"
        is_permanent = min(codes) >= _FIRST_PERMANENT_CODE
        raise (RefusedError if is_permanent else NotSentError)(reason) from error
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        said = error.smtp_error
        answer = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise NotSentError(f"the mail server answered {error.smtp_code}: {answer}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelDownError(f"the mail server cannot be used: {error}") from error


def secret_of(reference: SecretReference) -> str:
    """Return a channel's secret.

    Raises:
        ChannelDownError: It is not set.
    """
    try:
        return reference.read().get_secret_value()
    except OlistError as error:
        raise ChannelDownError(error.message) from error
